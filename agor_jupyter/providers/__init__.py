"""Hosts of issues and pull requests, a file for each kind."""
