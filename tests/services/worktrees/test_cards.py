"""A card that came from another machine becomes a worktree of this one, where it lies."""

import json
import os

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Person, Role
from tests.repositories import git

ELSEWHERE = "wt_elsewherexxxxxxxxxx"


def lay(scene, **fields):
    card = {"kind": "card", "x": 40, "y": 60, "worktree": ELSEWHERE, "repo": scene.worktree.repo, "branch": "late-orders", **fields}
    note = {"kind": "note", "x": 0, "y": 400, "width": 100, "height": 100, "text": "no card"}
    board = scene.agor.config.root_dir / "pulled.agor"
    board.write_text(json.dumps({"agor": 1, "meta": {}, "objects": {"ob_1": card, "ob_2": note}}))
    os.utime(board, (1, 1))  # as a pull leaves it: not just now


async def make(scene, object_id="ob_1", caller=None):
    made = await scene.agor.card_worktrees.create(caller or scene.caller, "pulled.agor", object_id, scene.key())
    return await scene.agor.worktrees.wait_ready(made.id)


async def shown(scene):
    board = await scene.agor.boards.get(scene.caller, "pulled.agor")
    return {key: (one.x, one.y, one.worktree) for key, one in board.objects.items() if one.kind == "card"}


async def test_it_is_made_where_its_card_lies_and_once(scene):
    lay(scene, title="Late order repair")

    made = await make(scene)
    again = await make(scene)

    assert (made.name, made.branch, made.has_own_branch, made.board) == ("Late order repair", "late-orders", True, "pulled.agor")
    assert again.id == made.id
    assert await shown(scene) == {"ob_1": (40, 60, made.id)}


async def test_a_branch_that_is_there_is_checked_out(scene, repository):
    git("branch", "late-orders", cwd=repository)
    lay(scene)

    made = await make(scene)

    assert (made.name, made.branch, made.has_own_branch) == ("late-orders", "late-orders", False)


async def test_what_is_no_card_and_who_only_views_is_refused(scene):
    lay(scene)
    viewer = Caller(person=Person(username="vi", name="Vi"), role=Role.VIEWER)

    with pytest.raises(errors.ObjectNotFound):
        await make(scene, "ob_2")
    with pytest.raises(errors.NotAllowed, match="create a worktree"):
        await make(scene, caller=viewer)
    lay(scene, repo="another")
    with pytest.raises(errors.RepoNotFound):
        await make(scene)
    assert await shown(scene) == {"ob_1": (40, 60, ELSEWHERE)}
