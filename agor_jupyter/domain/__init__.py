"""What things are: frozen records, ids, errors and state machines. No I/O, no clock, nothing async.

The folder is flat although it is long: a noun has the same file name in every layer, so `domain/worktrees.py` is found without a search.
"""
