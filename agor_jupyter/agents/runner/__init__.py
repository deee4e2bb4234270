"""The program of the built-in `script` agent. Standard library only: it starts in milliseconds, isolated from the environment."""
