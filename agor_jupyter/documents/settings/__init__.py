"""What a repository says about itself in files: its own `.agor.yml`, and those of other tools. Read as what strangers wrote."""
