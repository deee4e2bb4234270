"""What it costs: the ledger, its prices, and budgets."""
