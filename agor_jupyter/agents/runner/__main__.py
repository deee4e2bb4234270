"""Run by its path as `python -I -S …/runner/__main__.py`: no site, no `PYTHON*`, nothing from the working directory."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    from agor_jupyter.agents.runner.agent import Agent

    Agent(sys.stdin.buffer, sys.stdout.buffer).serve()
