"""How a conversation begins or goes on: a fork, a summary, what agents' own programs kept."""
