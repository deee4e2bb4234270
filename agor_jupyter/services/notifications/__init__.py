"""What needs a person reaches the places that they named."""
