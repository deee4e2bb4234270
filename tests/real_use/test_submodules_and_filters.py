"""What the server's git leaves out of a new worktree is said, its setup fills it, and what is filled is clean."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.git.inspection import unfilled
from agor_jupyter.services.worktrees import notices
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key

needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose git may clone local submodules and, where it is installed, has LFS, with its objects in a folder beside it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    git("config", "--global", "protocol.file.allow", "always", cwd=home)
    if shutil.which("git-lfs"):
        subprocess.run(["git", "lfs", "install", "--skip-repo"], cwd=home, check=True, capture_output=True)
    return home


def commit(checkout: Path, text: str = "") -> None:
    if text:
        (checkout / ".agor.yml").write_text(text)
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "more", cwd=checkout)


def with_submodules(checkout: Path, *names: str) -> None:
    for name in names:
        source = checkout.parent.parent / "sources" / name.replace("/", "-")
        source.mkdir(parents=True)
        git("init", "-q", "-b", "main", cwd=source)
        (source / "lib.py").write_text("one = 1\n")
        git("add", "-A", cwd=source)
        git("commit", "-qm", "lib", cwd=source)
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), name, cwd=checkout)


def with_lfs(checkout: Path, *files: str) -> None:
    """Files of LFS whose content lies in the object folder of the checkout, as after a push and a fetch."""
    (checkout / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    for name in files:
        (checkout / name).write_bytes(name.encode() * 5000)
    commit(checkout)


async def test_empty_submodules_are_said(bench: Bench, checkout: Path, person: Path) -> None:
    with_submodules(checkout, "vendor/lib", "vendor/other")
    commit(checkout)

    worktree = await bench.make(await bench.repo(checkout))

    [notice] = worktree.notices
    assert notice.startswith("2 submodules are empty: vendor/lib, vendor/other. `git submodule update --init` fills them here;")
    assert "`setup: git submodule update --init`" in notice


async def test_a_setup_fills_submodules_and_nothing_is_left_to_say(bench: Bench, checkout: Path, person: Path) -> None:
    with_submodules(checkout, "vendor/lib")
    commit(checkout, "setup: git submodule update --init\n")

    worktree = await bench.make(await bench.repo(checkout))
    [status] = await bench.worktrees.status([worktree.id], 0)

    assert (worktree.state, worktree.reason, worktree.notices) == (WorktreeState.READY, None, [])
    assert (Path(worktree.path) / "vendor" / "lib" / "lib.py").read_text() == "one = 1\n"
    assert not status.dirty


@needs_lfs
async def test_pointers_of_lfs_are_said(bench: Bench, checkout: Path, person: Path) -> None:
    with_lfs(checkout, "one.bin", "two.bin")

    worktree = await bench.make(await bench.repo(checkout))
    [status] = await bench.worktrees.status([worktree.id], 0)

    [notice] = worktree.notices
    assert notice.startswith("2 files are only pointers of Git LFS: one.bin, two.bin. `git lfs pull` fills them here;")
    assert not status.dirty


@needs_lfs
async def test_a_setup_that_pulls_lfs_leaves_files_that_are_clean(bench: Bench, checkout: Path, person: Path) -> None:
    with_lfs(checkout, "one.bin", "two.bin")
    commit(checkout, "setup: git lfs pull\n")

    worktree = await bench.make(await bench.repo(checkout))
    [status] = await bench.worktrees.status([worktree.id], 0)
    patch = await bench.worktrees.diff(worktree.id)

    assert (worktree.state, worktree.reason, worktree.notices) == (WorktreeState.READY, None, [])
    assert (Path(worktree.path) / "one.bin").read_bytes() == b"one.bin" * 5000
    assert (status.dirty, status.files) == (False, 0)
    assert patch.files == []


@needs_lfs
async def test_files_that_a_person_pulls_later_are_clean_too_and_a_real_change_shows(bench: Bench, checkout: Path, person: Path) -> None:
    with_lfs(checkout, "one.bin", "two.bin")
    worktree = await bench.make(await bench.repo(checkout))
    time.sleep(1 - time.time() % 1)  # the pull begins with a second: its files are as young as the index that it writes
    git("lfs", "pull", cwd=worktree.path)

    [pulled] = await bench.worktrees.status([worktree.id], 0)
    (Path(worktree.path) / "two.bin").write_bytes(b"changed" * 5000)
    [changed] = await bench.worktrees.status([worktree.id], 0)

    assert (Path(worktree.path) / "one.bin").read_bytes() == b"one.bin" * 5000
    assert not pulled.dirty
    assert (changed.dirty, changed.unstaged) == (True, 1)


@needs_lfs
async def test_filled_files_stay_filled_through_the_archive(bench: Bench, checkout: Path, person: Path) -> None:
    with_lfs(checkout, "one.bin")
    commit(checkout, "setup: git lfs pull\n")
    worktree = await bench.make(await bench.repo(checkout))

    await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.wait_ready(worktree.id)
    [status] = await bench.worktrees.status([worktree.id], 0)

    assert back.state is WorktreeState.READY
    assert (Path(worktree.path) / "one.bin").read_bytes() == b"one.bin" * 5000
    assert not status.dirty


async def test_another_filter_is_said_and_a_setup_command_writes_through_it(bench: Bench, checkout: Path, person: Path) -> None:
    git("config", "--global", "filter.shout.clean", "tr A-Z a-z", cwd=person)
    git("config", "--global", "filter.shout.smudge", "tr a-z A-Z", cwd=person)
    (checkout / ".gitattributes").write_text("*.shout filter=shout\n")
    (checkout / "one.shout").write_text("HELLO\n")
    commit(checkout)
    repo = await bench.repo(checkout)
    plain = await bench.make(repo, "plain")
    commit(checkout, "setup: git read-tree --empty && git reset -q --hard\n")

    filtered = await bench.make(repo, "filtered")
    [status] = await bench.worktrees.status([filtered.id], 0)

    [notice] = plain.notices
    assert "`setup: git read-tree --empty && git reset -q --hard`" in notice
    assert notice.startswith("The filter “shout” did not run for 1 file: it is as the repository holds it.")
    assert (Path(plain.path) / "one.shout").read_text() == "hello\n"
    assert (Path(filtered.path) / "one.shout").read_text() == "HELLO\n"
    assert filtered.notices == []
    assert not status.dirty


async def test_a_repository_without_either_has_nothing_to_say(bench: Bench, checkout: Path) -> None:
    (checkout / ".gitattributes").write_text("*.txt text eol=lf\n")
    commit(checkout)

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.notices == []


async def test_the_notice_goes_when_a_person_fills_them_and_comes_when_one_is_emptied(bench: Bench, checkout: Path, person: Path) -> None:
    with_submodules(checkout, "vendor/lib", "vendor/other")
    commit(checkout)
    worktree = await bench.make(await bench.repo(checkout))

    async def said() -> list[str]:
        await bench.worktrees.status([worktree.id], 0)
        return (await bench.worktrees.get(worktree.id)).notices

    async def said_so(is_so: Callable[[list[str]], bool]) -> list[str]:
        """A costly look is not taken again at once."""
        async with asyncio.timeout(50):
            while not is_so(notices := await said()):
                await asyncio.sleep(0.05)
            return notices

    [first] = await said()
    git("submodule", "--quiet", "update", "--init", cwd=worktree.path)
    after = await said_so(lambda notices: not notices)
    git("submodule", "--quiet", "deinit", "vendor/other", cwd=worktree.path)
    [again] = await said_so(bool)

    assert first.startswith("2 submodules are empty: vendor/lib, vendor/other.")
    assert after == []
    assert again.startswith("1 submodule is empty: vendor/other.")


async def test_a_look_that_takes_too_long_leaves_what_is_on_record(
    bench: Bench, checkout: Path, person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mock, because no real repository is slow for certain."""
    with_submodules(checkout, "vendor/lib")
    commit(checkout)
    worktree = await bench.make(await bench.repo(checkout))

    async def slow(*_: object) -> unfilled.Unfilled:
        await asyncio.sleep(60)
        return unfilled.Unfilled()

    monkeypatch.setattr(unfilled, "find", slow)
    monkeypatch.setattr(notices, "_PATIENCE_S", 0.05)
    await bench.worktrees.status([worktree.id], 0)

    assert len((await bench.worktrees.get(worktree.id)).notices) == 1
