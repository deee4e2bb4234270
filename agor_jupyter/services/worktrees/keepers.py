"""Which files of a worktree are an agent's own: by the entries of the agents that worked there, and by what was seen as they began."""

import asyncio
import os
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import ToolCall
from agor_jupyter.domain.own_files import NOBODYS, Beginning, OwnFiles, Spoken, fits, texts_of
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store

MAX_MADE = 500
"""Of one worktree that are remembered."""


class Keepers:
    def __init__(self, store: Store, agents: Mapping[str, AgentType]) -> None:
        self._store = store
        self._labels = {name: agent.label for name, agent in agents.items()}
        self._entries = {name: agent.files.own for name, agent in agents.items() if agent.files.own}
        self._all = tuple(dict.fromkeys(pattern for patterns in self._entries.values() for pattern in patterns))
        first = "".join({pattern[0] for pattern in self._all})
        self._first = None if set(first) & set("*?") else first
        """The letters that a path begins with which may be one. Most paths do not, of which there may be many thousands."""

    async def of(self, worktree: Worktree, *groups: Iterable[str]) -> OwnFiles:
        """What is an agent's own there. The table is asked only if one of the paths in `groups`, or what lies below it, may be one."""
        made = {path: self._labels.get(name, name) for path, name in worktree.own_files.items()}
        if not any(self._may_hold(path) for group in groups for path in group):
            return OwnFiles(made=made) if made else NOBODYS
        entries: dict[str, list[str]] = {}
        here = await self._store.read(sessions.of_worktree, worktree.id)
        for name in dict.fromkeys(session.agent for session in here if session.turn_count):
            if patterns := self._entries.get(name):
                entries.setdefault(self._labels[name], []).extend(patterns)
        return OwnFiles(entries=entries, made=made)

    def _may_hold(self, path: str) -> bool:
        """`path` is a file, or a folder that ends with `/`, whose files were not listed."""
        if self._first is not None and path[:1] not in self._first:
            return False
        if fits(path, self._all):
            return True
        return path.endswith("/") and any(_begins_alike(path, pattern) for pattern in self._all)


def _begins_alike(folder: str, pattern: str) -> bool:
    depth = folder.count("/")
    parts = pattern.split("/")
    return len(parts) > depth and fits(folder.removesuffix("/"), ["/".join(parts[:depth])])


class Making:
    """What one process of an agent makes for itself during its first turn. `agent` is the agent's name."""

    def __init__(self, agent: str, there: Collection[str], since: datetime) -> None:
        self.agent, self.since = agent, since
        self._beginning = Beginning(there=frozenset(there))

    def prompted(self, untracked: Collection[str]) -> frozenset[str]:
        """It is prompted now. Returns what it has made until then."""
        self._beginning.at_prompt = frozenset(untracked)
        return self._beginning.made

    def hear(self, call: ToolCall) -> None:
        self._beginning.hear(time.time_ns(), has_ended=call.status in {"completed", "failed"})

    async def made(self, folder: Path, untracked: Collection[str], spoken: Spoken) -> frozenset[str]:
        """At the turn's end: what it made before its first tool ran, and that no tool named."""
        at_prompt = self._beginning.at_prompt or frozenset()
        changed = await asyncio.to_thread(_changed, folder, [path for path in untracked if path not in at_prompt])
        found = self._beginning.made | self._beginning.made_until_tool(changed)
        return frozenset(path for path in found if not spoken.names(path))


def said(call: ToolCall) -> Iterable[str]:
    """What of a call may name a file that it writes."""
    yield call.title or ""
    yield from texts_of(call.input or {})
    yield from call.locations or ()
    yield from (change.path for change in call.changes or ())


def _changed(folder: Path, paths: Iterable[str]) -> dict[str, int]:
    found = {}
    for path in paths:
        try:
            found[path] = os.lstat(f"{folder}/{path}").st_ctime_ns
        except OSError:
            continue
    return found
