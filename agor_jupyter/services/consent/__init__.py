"""What is allowed: questions and their answers, rules, trusted files, and the tokens that say who asks."""
