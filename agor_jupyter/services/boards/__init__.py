"""Boards: their rooms, their cards, and who follows them."""
