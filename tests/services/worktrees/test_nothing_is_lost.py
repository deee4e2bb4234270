"""The commands of docs/guide/nothing-is-lost.md do what the page says, without the server."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.domain.worktrees import Worktree
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key
from tests.whole import differences, whole

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "nothing-is-lost.md"
LOOK, BRANCH, FILES, WHOLE, FREE = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def run(script: str, archived: Worktree, checkout: Path, place: Path) -> str:
    archive = Path(archived.archive_path or "")
    names = {"ARCHIVE": archive, "ID": archive.name, "REPO": checkout, "PLACE": place, "NAME": Path(archived.path).name}
    env = {"PATH": os.environ["PATH"], "HOME": str(checkout)} | {name: str(value) for name, value in names.items()}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
async def put_away(bench: Bench, checkout: Path) -> tuple[Worktree, dict[str, object]]:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=path)
    (path / "a.txt").write_text("changed\n")
    (path / "staged.txt").write_text("staged\n")
    git("add", "staged.txt", cwd=path)
    (path / "secret.env").write_text("KEY=1\n")
    before = whole(path, checkout / ".git")
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.archives._shelf.settled()
    return archived, before


def test_what_was_committed_is_seen_and_gets_a_branch(put_away, checkout: Path, tmp_path: Path) -> None:
    archived, _ = put_away

    seen = run(LOOK, archived, checkout, tmp_path / "place")
    run(BRANCH, archived, checkout, tmp_path / "place")

    assert f"refs/agor/archive/{archived.id}/index" in seen
    assert "mine" in seen
    assert git("log", "-1", "--format=%s", "rescued", cwd=checkout) == "mine"


def test_all_files_come_into_a_new_worktree(put_away, checkout: Path, tmp_path: Path) -> None:
    archived, _ = put_away

    status = run(FILES, archived, checkout, tmp_path / "place")

    assert "modified:   a.txt" in status
    assert (tmp_path / "place" / "secret.env").read_text() == "KEY=1\n"
    assert (tmp_path / "place" / "models" / "orders.sql").read_text() == "select 1\n"


def test_all_comes_back_exactly_by_moving_two_folders(put_away, checkout: Path) -> None:
    archived, before = put_away

    run(WHOLE, archived, checkout, Path(archived.path))

    after = whole(Path(archived.path), checkout / ".git")
    for one in (before, after):  # but for the times of the files that git wrote again
        one["files"] = {name: (*entry[:2], *entry[3:]) for name, entry in one["files"].items()}
    assert differences(before, after) == []


def test_the_room_is_free_at_once(put_away, checkout: Path, tmp_path: Path) -> None:
    archived, _ = put_away

    run(FREE, archived, checkout, tmp_path / "place")

    assert not Path(archived.archive_path or "").exists()
    assert git("for-each-ref", "refs/agor", cwd=checkout) == ""
