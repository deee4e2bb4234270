"""“Submodules: commits lost, clean removal refused”: a linked worktree keeps its submodules' objects, and they go with it."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import Work, WorkKind
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key

ALLOW = ("-c", "protocol.file.allow=always")


@pytest.fixture
def library(checkout: Path, tmp_path: Path) -> Path:
    """Is a submodule of the checkout."""
    path = tmp_path / "root" / "library"
    path.mkdir()
    git("init", "-q", cwd=path)
    (path / "lib.py").write_text("print(1)\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "library", cwd=path)
    git(*ALLOW, "submodule", "--quiet", "add", str(path), "vendor/lib", cwd=checkout)
    git("commit", "-qm", "with a submodule", cwd=checkout)
    return path


async def filled(bench: Bench, checkout: Path):
    worktree = await bench.make(await bench.repo(checkout))
    git(*ALLOW, "submodule", "--quiet", "update", "--init", cwd=worktree.path)
    return worktree, Path(worktree.path) / "vendor" / "lib"


async def submodules(bench: Bench, worktree) -> list[Work]:
    return [one for one in await bench.worktrees.losses(worktree.id) if one.kind is WorkKind.SUBMODULE]


@pytest.mark.usefixtures("library")
async def test_a_clean_one_is_removed_without_force(bench: Bench, checkout: Path) -> None:
    worktree, _ = await filled(bench, checkout)

    [status] = await bench.worktrees.status([worktree.id], 0)
    removal = await bench.worktrees.remove(OWNER, worktree.id, key())

    assert (status.dirty, status.work) == (False, [])
    assert removal.backup_ref is None
    assert not Path(worktree.path).exists()
    assert worktree.path not in git("worktree", "list", cwd=checkout)


@pytest.mark.usefixtures("library")
async def test_an_empty_one_is_no_work(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    await bench.worktrees.remove(OWNER, worktree.id, key())

    assert not Path(worktree.path).exists()


@pytest.mark.usefixtures("library")
async def test_its_commits_and_files_are_counted_and_a_removal_is_refused(bench: Bench, checkout: Path) -> None:
    worktree, lib = await filled(bench, checkout)
    (lib / "lib.py").write_text("print(2)\n")
    git("commit", "-qam", "mine", cwd=lib)
    (lib / "notes.txt").write_text("notes\n")

    [status] = await bench.worktrees.status([worktree.id], 0)
    with pytest.raises(errors.WouldLoseWork, match="submodule vendor/lib: 1 commit on no remote, 1 file not committed"):
        await bench.worktrees.remove(OWNER, worktree.id, key())

    assert status.dirty
    assert [(one.kind, one.path, one.commits, one.files) for one in status.work] == [(WorkKind.SUBMODULE, "vendor/lib", 1, 1)]
    assert "at another commit than the one recorded" in status.work[0].text


async def test_a_commit_that_its_remote_has_is_only_another_commit(bench: Bench, checkout: Path, library: Path) -> None:
    worktree, lib = await filled(bench, checkout)
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=library)
    git("fetch", "-q", cwd=lib)
    git("checkout", "-q", "origin/main", cwd=lib)

    [moved] = await submodules(bench, worktree)
    git("add", "vendor/lib", cwd=worktree.path)
    [staged] = await submodules(bench, worktree)

    assert (moved.commits, moved.files) == (0, 0)
    assert "at another commit than the one recorded" in moved.text
    assert "a new commit of it is staged" in staged.text


@pytest.mark.usefixtures("library")
async def test_one_whose_folder_is_gone_still_counts(bench: Bench, checkout: Path) -> None:
    worktree, lib = await filled(bench, checkout)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=lib)
    git("switch", "-q", "-c", "kept", cwd=lib)
    git("submodule", "--quiet", "deinit", "-f", "--all", cwd=worktree.path)

    [left] = await submodules(bench, worktree)

    assert left.commits == 1
    assert left.text.startswith("submodule vendor/lib, no longer in the folder: 1 commit on no remote (")


async def test_one_in_one_is_looked_into(bench: Bench, checkout: Path, library: Path, tmp_path: Path) -> None:
    deep = tmp_path / "root" / "deep"
    git("clone", "-q", str(library), str(deep), cwd=tmp_path)
    git(*ALLOW, "submodule", "--quiet", "add", str(deep), "deep", cwd=library)
    git("commit", "-qm", "deep", cwd=library)
    git(*ALLOW, "submodule", "--quiet", "update", "--remote", cwd=checkout)
    git("commit", "-qam", "deep", cwd=checkout)
    worktree, lib = await filled(bench, checkout)
    git(*ALLOW, "submodule", "--quiet", "update", "--init", "--recursive", cwd=worktree.path)
    (lib / "deep" / "lib.py").write_text("print(3)\n")

    found = {one.path: one.files for one in await bench.worktrees.losses(worktree.id)}

    assert found == {"vendor/lib/deep": 1}


async def test_it_comes_back_whole_when_git_gave_its_name_to_another(bench: Bench, checkout: Path, library: Path, tmp_path: Path) -> None:
    inner = tmp_path / "root" / "inner"
    inner.mkdir()
    git("init", "-q", cwd=inner)
    git("commit", "-q", "--allow-empty", "-m", "inner", cwd=inner)
    git(*ALLOW, "submodule", "--quiet", "add", str(inner), "deep/inner", cwd=library)
    git("commit", "-qm", "one in one", cwd=library)
    git(*ALLOW, "submodule", "--quiet", "update", "--remote", "vendor/lib", cwd=checkout)
    git("commit", "-qam", "newer", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git(*ALLOW, "submodule", "--quiet", "update", "--init", "--recursive", cwd=path)
    (path / "vendor" / "lib" / "lib.py").write_text("print(2)\n")
    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("worktree", "add", "-q", "-b", "theirs", str(tmp_path / "elsewhere" / path.name), cwd=checkout)

    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert (restored.state.value, restored.reason, restored.entry) == ("ready", None, f"{path.name}1")
    assert git("status", "--porcelain", cwd=path) == "M vendor/lib"
    assert git("status", "--porcelain", cwd=path / "vendor" / "lib") == "M lib.py"
    assert git("log", "-1", "--format=%s", cwd=path / "vendor" / "lib" / "deep" / "inner") == "inner"
    assert git("branch", "--show-current", cwd=tmp_path / "elsewhere" / path.name) == "theirs"
    assert git("fsck", cwd=checkout) == ""
    [lost] = await submodules(bench, restored)
    assert "vendor/lib" in lost.text
    await bench.worktrees.archive(OWNER, worktree.id, key())
    assert (await bench.worktrees.restore(OWNER, worktree.id, key())).entry == f"{path.name}1"
