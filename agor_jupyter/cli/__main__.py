"""`python -m agor_jupyter.cli`, where the console script is not on the path."""

from agor_jupyter.cli import main

main()
