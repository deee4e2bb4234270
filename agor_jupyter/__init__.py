"""Agor for Jupyter: a multiplayer canvas for AI coding agents.

`import agor_jupyter as agor` in a notebook. Importing starts nothing and loads little: the names of the API load what they need
when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from agor_jupyter._version import __version__ as __version__  # an export

if TYPE_CHECKING:  # a checker sees the names that are loaded late
    from agor_jupyter.domain import errors
    from agor_jupyter.notebook.api import Hub, connect
    from agor_jupyter.notebook.boards import Board
    from agor_jupyter.notebook.permissions import Permission
    from agor_jupyter.notebook.repos import Repo
    from agor_jupyter.notebook.sample import sample
    from agor_jupyter.notebook.sessions import Session
    from agor_jupyter.notebook.turns import Diff, Turn
    from agor_jupyter.notebook.worktrees import Worktree

_HOMES = {
    "connect": "notebook.api",
    "sample": "notebook.sample",
    "Hub": "notebook.api",
    "Repo": "notebook.repos",
    "Board": "notebook.boards",
    "Worktree": "notebook.worktrees",
    "Session": "notebook.sessions",
    "Turn": "notebook.turns",
    "Diff": "notebook.turns",
    "Permission": "notebook.permissions",
    "errors": "domain",
}

__all__ = ["Board", "Diff", "Hub", "Permission", "Repo", "Session", "Turn", "Worktree", "connect", "errors", "sample"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}. There are: {', '.join(__all__)}.")
    if name == "errors":
        return import_module("agor_jupyter.domain.errors")
    return getattr(import_module(f"agor_jupyter.{home}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "agor-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from agor_jupyter.server.extension import AgorApp

    return [{"module": "agor_jupyter", "app": AgorApp}]
