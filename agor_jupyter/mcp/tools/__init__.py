"""The tools: one file for each noun, found by `discover`."""

from agor_jupyter.mcp.tool import Tool
from agor_jupyter.mcp.tools import (
    agents,
    boards,
    costs,
    data,
    environments,
    kernels,
    notebooks,
    people,
    schedules,
    search,
    sessions,
    turns,
    worktrees,
    zones,
)

NOUNS = (people, worktrees, kernels, notebooks, sessions, turns, search, boards, zones, schedules, environments, data, agents, costs)


def discover() -> dict[str, Tool]:
    return {tool.name: tool for noun in NOUNS for tool in noun.TOOLS}
