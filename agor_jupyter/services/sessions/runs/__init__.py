"""What a turn that runs stands on: the process of its agent, the rows that record it, and the limits that all share."""
