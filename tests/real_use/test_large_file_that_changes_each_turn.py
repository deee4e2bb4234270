"""A large file that nobody commits changes in each turn: the repository stays as large as it was."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.services.app import Agor
from agor_jupyter.storage import turns
from tests.scene import Scene, sh

MIB = 1024 * 1024


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _stores(config) -> list[str]:
    folder = config.data_dir / "checkpoints"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def _turn(scene, session, line: str):
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, sh(line), scene.key())
    await scene.allow(turn)
    return await scene.ended(turn)


@pytest.fixture
def written():
    return lambda mib: f"head -c {mib * MIB} /dev/urandom > data.parquet"


async def test_ten_turns_over_it_leave_the_repository_as_large_as_before(scene, repository, config, written):
    session, objects = await scene.session(), repository / ".git" / "objects"
    before = _size(objects)

    for _ in range(10):
        turn = await _turn(scene, session, written(3))
        assert turn.files == 1
    await scene.agor.worktrees.diff(scene.worktree.id)

    assert _size(objects) == before
    assert _stores(config) == []
    patch = await scene.agor.turns.patch(turn.id)
    assert [(file.path, file.status) for file in patch.files] == [("data.parquet", "modified")]


async def test_what_is_too_large_is_left_out_with_a_notice(config, repository, owner, key, written):
    from agor_jupyter.domain.repos import RepoAdd
    from agor_jupyter.domain.worktrees import WorktreeCreate

    async with Agor(dataclasses.replace(config, snapshot_bytes=4 * MIB)) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        scene = Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
        session = await scene.session()
        small = await _turn(scene, session, f"{written(1)}; echo 1 > small.txt")
        grown = await _turn(scene, session, f"{written(5)}; echo 2 > small.txt")
        same = await _turn(scene, session, "echo 3 > small.txt")

        patch, diff = await app.turns.patch(grown.id), await app.worktrees.diff(made.id)
        codes = [event["body"]["code"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]

    assert (small.files, grown.files, same.files) == (2, 1, 1)
    assert patch.not_shown == ["1 file of 5 MiB left out, too large to compare: data.parquet."]
    assert [file.path for file in diff.files] == ["small.txt"]
    assert diff.not_shown == patch.not_shown
    assert codes == ["left_out"]  # it did not change in the third turn


async def test_what_a_server_that_was_killed_left_is_dropped(config):
    leftover = config.data_dir / "checkpoints" / "tu_x"
    (leftover / "ab").mkdir(parents=True)

    async with Agor(config) as app:
        assert await app.store.read(turns.all_parked) == []

    assert _stores(config) == []


async def test_objects_of_a_checkpoint_are_whole(scene, repository, config):
    """What was changed and not committed before a turn is compared with what is there after it."""
    path = Path(scene.worktree.path)
    (path / "load.py").write_text("by a person\n")
    session = await scene.session()

    turn = await _turn(scene, session, "echo 'by the agent' > load.py")

    patch = await scene.agor.turns.patch(turn.id)
    assert "-by a person\n+by the agent\n" in patch.text
    assert subprocess.run(["git", "cat-file", "-e", turn.tree_before or ""], cwd=repository, check=False, capture_output=True).returncode
