"""Worktrees that are put away: moved with all they hold, made smaller, and brought back."""
