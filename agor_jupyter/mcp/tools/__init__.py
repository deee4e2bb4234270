"""The tools: one file for each noun, found by `discover`."""

from agor_jupyter.mcp.tool import Tool
from agor_jupyter.mcp.tools import search, sessions, worktrees


def discover() -> dict[str, Tool]:
    return {tool.name: tool for tool in (*worktrees.TOOLS, *sessions.TOOLS, *search.TOOLS)}
