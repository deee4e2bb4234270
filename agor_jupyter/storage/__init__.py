"""How things are kept. The only folder with SQL."""
