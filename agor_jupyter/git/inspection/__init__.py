"""What is in a worktree: its status, work, snapshots, and the repositories below it."""
