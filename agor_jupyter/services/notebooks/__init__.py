"""Notebooks in worktrees: their cells, and how they run."""
