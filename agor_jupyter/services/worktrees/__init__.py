"""Repositories and their worktrees: made, looked at, kept, moved, put away, and the private repositories of the sandbox."""
