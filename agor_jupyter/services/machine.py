"""Looks at the server's machine: what it has of what agents need, and what a person has to do about the rest. Nothing is changed."""

import asyncio
import shutil
from collections.abc import Iterable

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.repos import Check
from agor_jupyter.domain.text import quoted
from agor_jupyter.domain.work import size
from agor_jupyter.executors import sandbox
from agor_jupyter.git import formats
from agor_jupyter.services.config import Config

_LEAST_GIT = (2, 36)
_LOW = 1024**3
"""Bytes of room below which worktrees soon find none."""


async def check(config: Config, agents: Iterable[AgentStatus]) -> list[Check]:
    return [await asyncio.to_thread(_git), await asyncio.to_thread(_data, config), await _sandbox(config), *map(_agent, agents)]


def _git() -> Check:
    version = formats.version()
    if not version:
        return Check(verdict="fail", what="git", text="not found. Install it, for example: apt install git")
    text = formats.text(version)
    if version < _LEAST_GIT:
        return Check(verdict="fail", what="git", text=f"{text}, and {formats.text(_LEAST_GIT)} or later is needed")
    return Check(verdict="ok", what="git", text=text)


def _data(config: Config) -> Check:
    try:
        free = shutil.disk_usage(config.data_dir).free
    except OSError as error:
        return Check(verdict="fail", what="data", text=f"{config.data_dir} cannot be read: the system says “{error.strerror}”")
    text = f"{config.data_dir}, {size(free)} free"
    if free < _LOW:
        return Check(verdict="warn", what="data", text=f"{text}. Free some space: worktrees, archives and backups are stored there")
    return Check(verdict="ok", what="data", text=text)


async def _sandbox(config: Config) -> Check:
    if config.sandbox == "off":
        text = "switched off (AgorApp.sandbox): agents can read and write what the server can"
        return Check(verdict="warn", what="sandbox", text=text)
    why = await sandbox.why_not()
    if why is None:
        return Check(verdict="ok", what="sandbox", text="agents see only their worktree")
    if config.sandbox == "required":
        return Check(verdict="fail", what="sandbox", text=f"{why}. It is required here, so agents do not start")
    return Check(verdict="warn", what="sandbox", text=f"{why}. Agents run without one, and can read and write what the server can")


def _agent(one: AgentStatus) -> Check:
    label = quoted(one.agent.label)
    if one.problem is not None:
        return Check(verdict="warn", what="agent", text=f"{label} did not run when it was last checked: {quoted(one.problem)}")
    if not one.is_installed:
        return Check(verdict="ok", what="agent", text=f"{label} is not installed")
    if one.is_signed_in is False:
        return Check(verdict="warn", what="agent", text=f"{label} is installed, but not signed in. “Agents” in the menu says how")
    return Check(verdict="ok", what="agent", text=f"{label} is installed{f', version {one.version}' if one.version else ''}")
