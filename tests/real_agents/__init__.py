"""The same cases for every real agent, driven by our engine and answered by a model that says what its prompt tells it to.

`make test-agents` installs the agents and runs all; without them the cases of `script` run, which needs nothing.
"""
