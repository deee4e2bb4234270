"""How things are kept. The only folder with SQL.

It is as flat as `domain/`, for the same reason: each file keeps the noun of its name.
"""
