"""Script: runs the fenced blocks of its prompt. Built in; needs no key and no network."""

import sys
from pathlib import Path

from agor_jupyter.domain.agents import AgentType, Asking, Capabilities, Lasting, Quirks

AGENT = AgentType(
    name="script",
    label="Script",
    icon="ag-script",
    is_builtin=True,
    runs_blocks=True,
    command=[sys.executable, "-I", "-S", str(Path(__file__).with_name("runner") / "__main__.py")],
    capabilities=Capabilities(takes_images=False, can_load=True, can_fork=True),
    permissions=Asking(when_rejected="cancelled", mode="ask", lasting=[Lasting(pattern="", reach="session")]),
    quirks=Quirks(takes_background=False),
)
