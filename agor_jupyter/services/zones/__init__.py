"""Zones that act: a card arrives, and gates, prompts and the move to the next zone follow from the zone's policy."""
