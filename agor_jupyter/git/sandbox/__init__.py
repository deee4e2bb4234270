"""A worktree's private repository beside the real one: kept in step, and nothing of it lost."""
