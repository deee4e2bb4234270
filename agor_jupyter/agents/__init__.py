"""Coding agents: one file per agent, and the protocol they speak."""
