"""Which agents there are, how they are installed, and with which options and variables they start."""
