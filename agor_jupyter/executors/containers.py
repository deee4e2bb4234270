"""Which program runs compose files here."""

import time
from pathlib import Path

from agor_jupyter.executors import commands

_PROGRAMS = (["docker", "compose"], ["podman", "compose"])
_KEPT_S = 60.0
_ASK_S = 10.0


class Compose:
    """It is looked for again after a minute, since somebody may install it."""

    def __init__(self) -> None:
        self._found: tuple[float, list[str] | None] | None = None

    async def program(self) -> list[str] | None:
        """How it is called, such as `["docker", "compose"]`. `None`: there is none."""
        if self._found is None or time.monotonic() - self._found[0] > _KEPT_S:
            self._found = time.monotonic(), await self._look()
        return self._found[1]

    async def _look(self) -> list[str] | None:
        for program in _PROGRAMS:
            line = f"{' '.join(program)} version"
            if await commands.run([line], cwd=Path("/"), mark="compose", env={}, timeout_s=_ASK_S) is None:
                return program
        return None
