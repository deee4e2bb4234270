"""What a real agent keeps for itself in a worktree makes no card “changed” and is no turn's doing: looked for on the disk, not in its papers."""

import dataclasses
import subprocess

import pytest

from agor_jupyter.domain.work import WorkKind

FOLDERS = (".claude", ".codex", ".gemini", ".opencode")


@pytest.fixture
def config(config):
    return dataclasses.replace(config, trust_project_files=True)


async def _status(stage):
    [found] = await stage.agor.worktrees.status([stage.worktree.id], 0)
    return found


async def test_a_turn_of_words_alone_changes_nothing_and_leaves_a_clean_card(stage):
    session = await stage.begin()

    turn = await stage.play(session, {"text": "I only talk."})
    found = await _status(stage)

    assert (turn.state.value, turn.files, turn.dirty_after) == ("done", 0, False)
    assert (found.dirty, found.untracked, found.files) == (False, 0, 0)
    assert {one.kind for one in found.work} <= {WorkKind.OWN}


async def test_a_turn_that_writes_a_file_changed_that_file_and_no_other(stage):
    """Also where the folder that the agent keeps things in is there already, as people commit it."""
    for name in FOLDERS:
        (stage.folder / name).mkdir()
        (stage.folder / name / "kept.md").write_text("a person's\n")
    subprocess.run(["git", "add", "-A"], cwd=stage.folder, check=True)
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "kept"], cwd=stage.folder, check=True)
    session = await stage.begin()

    turn = await stage.play(
        session, stage.write("made.txt", "made\n"), {"do": "shell", "cmd": "git status --short", "asks": True}, {"text": "Done."}
    )
    left = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "--ignored"], cwd=stage.folder, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    found = await _status(stage)

    assert [file.path for file in (await stage.agor.turns.patch(turn.id)).files] == ["made.txt"], left
    assert (found.untracked, found.files) == (1, 1 + len(FOLDERS)), left
    own = [name for one in await stage.agor.worktrees.losses(stage.worktree.id) if one.kind is WorkKind.OWN for name in one.names]
    assert [line for line in left if line[3:] not in {"made.txt", *own} and "/node_modules/" not in line] == [], (left, own)
