"""What runs beside a worktree: its services, their ports, their logs."""
