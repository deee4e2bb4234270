"""What a repository says of the Python packages that it needs, in the files of its own tools. Read as what strangers wrote."""
