"""Sessions, their turns, and the agents that work on them."""
