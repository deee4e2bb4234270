"""Script: runs the fenced blocks of its prompt. Built in; needs no key and no network."""

import sys
from pathlib import Path

from agor_jupyter.domain.agents import AgentType, Lasting

AGENT = AgentType(
    name="script",
    takes_images=False,
    label="Script",
    icon="ag-script",
    command=[sys.executable, "-I", "-S", str(Path(__file__).with_name("runner") / "__main__.py")],
    is_builtin=True,
    can_load=True,
    can_fork=True,
    when_rejected="cancelled",
    mode="ask",
    lasting=[Lasting(pattern="", reach="session")],
    takes_background=False,
)
