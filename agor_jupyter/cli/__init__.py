"""How you ask from a shell: `jupyter agor …`. One file for each noun; a command parses, makes one request, and prints."""

import sys


def main(arguments: list[str] | None = None) -> None:
    """Exit codes: 0 done, 1 refused or failed with a sentence on stderr, 2 wrong usage, 130 interrupted."""
    from agor_jupyter.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
