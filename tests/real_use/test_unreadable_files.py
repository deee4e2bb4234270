"""Files that the server may not read, or may not move: status, archive, restore and remove say so, and nothing is lost."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeState
from tests.services.conftest import OWNER, Bench, key

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture
def fix(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a file or folder so that not even root can move, change or remove it, until the test ends."""

    def make(path: Path) -> None:
        if subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode:
            pytest.skip("this file system has no immutable files, or this user may not make them")

    yield make
    subprocess.run(["chattr", "-R", "-f", "-i", tmp_path], check=False, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_one_that_may_not_be_read_is_told_and_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The test below runs as somebody for whom modes count."""
    home = tmp_path_factory.mktemp("nobody")
    for folder in (home, *home.parents):
        if folder != Path("/") and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(home, 65534, 65534)
    environment = {**os.environ, "HOME": str(home), "PYTEST_DEBUG_TEMPROOT": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    test = f"{__file__}::test_status_archive_restore_and_remove_of_files_without_rights"
    command = [*AS_NOBODY, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]

    ran = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    if "Permission denied" in ran.stderr and "pytest" not in ran.stdout:
        pytest.skip("the interpreter is where nobody else may read")
    assert " passed" in ran.stdout, ran.stdout + ran.stderr


async def test_status_archive_restore_and_remove_of_files_without_rights(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "secret.txt").write_text("mine\n")
    (path / "secret.txt").chmod(0)
    (path / "a.txt").write_text("changed\n")
    (path / "a.txt").chmod(0)
    (path / "closed").mkdir()
    (path / "closed" / "inner.txt").write_text("inner\n")
    (path / "closed").chmod(0)

    try:
        [status] = await bench.worktrees.status([worktree.id], 0)
        said = [one.text for one in await bench.worktrees.losses(worktree.id)]
        with pytest.raises(errors.AgorError) as refused:
            await bench.worktrees.remove(OWNER, worktree.id, key())
        await bench.worktrees.archive(OWNER, worktree.id, key())
        await bench.worktrees.restore(OWNER, worktree.id, key())
        back = await bench.worktrees.wait_ready(worktree.id)
        modes = {name: stat.S_IMODE((path / name).lstat().st_mode) for name in ("secret.txt", "a.txt", "closed")}
    finally:
        (path / "closed").chmod(0o700)

    assert status.dirty
    assert any("secret.txt" in text for text in said)
    assert "\n" not in refused.value.message
    assert "Traceback" not in refused.value.message
    assert back.state is WorktreeState.READY
    assert modes == {"secret.txt": 0, "a.txt": 0, "closed": 0}
    (path / "secret.txt").chmod(0o600)
    assert (path / "secret.txt").read_text() == "mine\n"
    assert (path / "closed" / "inner.txt").read_text() == "inner\n"


@pytest.mark.parametrize("name", ["fixed.txt", "a.txt", "inner/fixed.txt"])
async def test_one_that_nobody_can_change_goes_and_comes_back_with_its_folder(
    bench: Bench, checkout: Path, fix: Callable[[Path], None], name: str
) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "inner").mkdir()
    (path / name).write_text("fixed\n")
    fix(path / name)

    [status] = await bench.worktrees.status([worktree.id], 0)
    await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.get(worktree.id)
    there = (path / name).read_text()
    removal = await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)

    assert status.dirty
    assert (back.state, there) == (WorktreeState.READY, "fixed\n")
    assert [kept.read_text() for kept in Path(removal.folder or "").glob(f"*/{name}")] == ["fixed\n"]


async def test_a_folder_that_nobody_can_move_stays_whole_and_says_why(bench: Bench, checkout: Path, fix: Callable[[Path], None]) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("mine\n")
    fix(path)

    said = []
    for act in (bench.worktrees.archive(OWNER, worktree.id, key()), bench.worktrees.remove(OWNER, worktree.id, key(), force=True)):
        with pytest.raises(errors.AgorError) as refused:
            await act
        said.append(refused.value.message)
    after = await bench.worktrees.get(worktree.id)
    [status] = await bench.worktrees.status([worktree.id], 0)

    assert all(str(path) in text and "\n" not in text for text in said), said
    assert (after.state, status.unstaged) == (WorktreeState.READY, 1)
    assert (path / "a.txt").read_text() == "mine\n"
