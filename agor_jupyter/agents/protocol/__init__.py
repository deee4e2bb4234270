"""The Agent Client Protocol, spoken with any agent of the catalogue: what is in here knows no agent by name."""
