"""Turns that run: the loop of each session, its attempts, and how they begin and end."""
