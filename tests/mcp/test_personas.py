"""Jupyter AI's personas get the tools as functions of a module, which act as the server's owner who steers."""

import dataclasses
import importlib
import inspect
import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.mcp.app import OPEN
from agor_jupyter.mcp.tools import discover


def functions():
    """As `jupyter-server-mcp` loads them: an entry point that says modules and functions."""
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["entry-points"]
    entry = EntryPoint("agor-jupyter", declared["jupyter_server_mcp.tools"]["agor-jupyter"], "jupyter_server_mcp.tools")
    found = {}
    for name in entry.load()():
        module, _, function = name.partition(":")
        found[function] = getattr(importlib.import_module(module), function)
    return found


@pytest.fixture
async def board(fake, owner, key):
    scene = await fake(only_account="ann")
    await scene.agor.boards.open(owner, BoardOpen(path="team.agor"))
    made = await scene.agor.worktrees.create(owner, WorktreeCreate(repo=scene.worktree.repo_id, name="mine", board="team.agor"), key())
    scene.worktree = await scene.agor.worktrees.wait_ready(made.id)
    OPEN.append(scene.agor)
    yield scene
    OPEN.remove(scene.agor)


def test_each_tool_is_a_function_with_arguments_of_its_own():
    found = functions()

    assert set(found) == {f"agor_{name}" for name in discover()}
    for name, function in found.items():
        parameters = inspect.signature(function).parameters
        tool = discover()[name.removeprefix("agor_")]
        assert list(parameters) == ["board", *tool.input.model_fields]
        assert inspect.iscoroutinefunction(function)
        assert function.__doc__ == tool.description


async def test_a_persona_works_on_a_board_as_the_servers_owner(board):
    tools = functions()

    listed = json.loads(await tools["agor_worktree_list"](board="team.agor"))
    spawned = json.loads(await tools["agor_session_spawn"](board="team.agor", prompt="go", agent="script", worktree_id="mine"))

    assert [one["name"] for one in listed["items"]] == ["mine"]
    session = await board.agor.sessions.get(spawned["id"])
    assert (session.created_by.username, session.created_by.name) == ("ann", "ann through “Jupyter AI”")
    with pytest.raises(ValueError, match="does not exist"):
        await tools["agor_session_get"](board="team.agor", session_id="se_nothing")


async def test_where_several_people_are_known_it_is_refused(board):
    board.agor.config = dataclasses.replace(board.agor.config, only_account=None)

    with pytest.raises(RuntimeError, match="knows several people"):
        await functions()["agor_worktree_list"](board="team.agor")


async def test_without_a_server_it_says_so():
    with pytest.raises(RuntimeError, match="does not run in this server"):
        await functions()["agor_whoami"](board="team.agor")
