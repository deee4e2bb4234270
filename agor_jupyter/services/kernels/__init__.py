"""Kernels of worktrees: their packages, and the specs that notebooks choose."""
