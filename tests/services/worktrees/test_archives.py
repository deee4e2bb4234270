"""Archive, restore, remove: on real git, with nothing lost."""

import os
import shutil
import socket
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.git.archives import archives as git_archives
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.worktrees.worktrees import Worktrees
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key
from tests.whole import differences, tree, whole


async def there_and_back(bench: Bench, checkout: Path, worktree: Worktree, *, tidy: bool = True) -> tuple[list[str], Worktree]:
    """Archive, let git tidy up as hard as it can, restore. What differs, and the record."""
    path = Path(worktree.path)
    before = whole(path, checkout / ".git")
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    assert archived.state is WorktreeState.ARCHIVED
    assert not path.exists()
    assert not (checkout / ".git" / "worktrees" / path.name).exists()
    await bench.worktrees.archives._shelf.settled()
    if tidy:
        git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all", cwd=checkout)
        git("gc", "-q", "--prune=now", cwd=checkout)
    restored = await bench.worktrees.restore(OWNER, worktree.id, key())
    return differences(before, whole(path, checkout / ".git")), restored


def refs(checkout: Path) -> list[str]:
    return git("for-each-ref", "--format=%(refname)", "refs/agor", cwd=checkout).split()


async def test_everything_comes_back(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("changed\n")
    (path / "staged.txt").write_text("only in the index\n")
    git("add", "staged.txt", cwd=path)
    (path / "staged.txt").write_text("and something else on the disk\n")
    (path / "intended.txt").write_text("later\n")
    git("add", "-N", "intended.txt", cwd=path)
    (path / "secret.env").write_text("KEY=1\n")
    (path / "secret.env").chmod(0o600)
    (path / "empty" / "folder").mkdir(parents=True)
    (path / "link").symlink_to("/nowhere")
    os.link(path / "secret.env", path / "twin.env")
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o751)
    (path / "models" / "orders.sql").unlink()
    (path / "pipe").mkdir()
    os.mkfifo(path / "pipe" / "fifo")

    different, restored = await there_and_back(bench, checkout, worktree)

    assert different == []
    assert (restored.state, restored.reason, restored.archive_path, restored.backup_ref) == (WorktreeState.READY, None, None, None)
    assert refs(checkout) == []
    assert list((bench.config.data_dir / "archives").iterdir()) == []


async def test_tracked_files_leave_the_archive_and_come_back_with_mode_and_time(bench: Bench, checkout: Path) -> None:
    for number in range(30):
        (checkout / f"f{number}.txt").write_text(f"{number}\n" * 200)
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "more", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    os.utime(path / "f1.txt", ns=(10**18, 10**18))
    (path / "f2.txt").chmod(0o600)
    (path / "f3.txt").write_text("mine\n")
    (path / "__pycache__").mkdir()
    (path / "__pycache__" / "x.pyc").write_bytes(b"x")
    (checkout / ".git" / "info" / "exclude").write_text("__pycache__\n")
    (path / "cache").mkdir()
    (path / "cache" / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    before = whole(path, checkout / ".git", frozenset({"__pycache__", "cache"}))

    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.archives._shelf.settled()
    left = {name for name in tree(Path(archived.archive_path or "") / "files") if "/" not in name}
    await bench.worktrees.restore(OWNER, worktree.id, key())

    assert left == {".git", "f3.txt", "models"}
    assert differences(before, whole(path, checkout / ".git", frozenset({"__pycache__", "cache"}))) == []
    assert not (path / "__pycache__").exists()


async def test_a_conflict_comes_back_with_all_its_sides(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git("switch", "-qc", "other", cwd=path)
    (path / "a.txt").write_text("theirs\n")
    git("commit", "-qam", "theirs", cwd=path)
    git("switch", "-q", "fix", cwd=path)
    (path / "a.txt").write_text("ours\n")
    git("commit", "-qam", "ours", cwd=path)
    merge = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "merge", "-q", "other"], cwd=path, check=False, capture_output=True, text=True
    )
    assert git("ls-files", "-u", cwd=path).count("a.txt") == 3, merge
    git("branch", "-D", "other", cwd=checkout)

    different, _ = await there_and_back(bench, checkout, worktree)

    assert different == []
    assert git("ls-files", "-u", cwd=path).count("a.txt") == 3
    assert "theirs" in git("show", "MERGE_HEAD:a.txt", cwd=path)


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
async def test_a_rebase_goes_on_after_it_was_put_away(bench: Bench, checkout: Path, backend: str) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    for number in range(2):
        (path / "a.txt").write_text(f"mine {number}\n")
        git("commit", "-qam", f"mine {number}", cwd=path)
    (checkout / "a.txt").write_text("main\n")
    git("commit", "-qam", "main", cwd=checkout)
    (path / "models" / "orders.sql").write_text("select 2\n")
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "rebase", "-q", backend, "--autostash", "main"],
        cwd=path,
        check=False,
        capture_output=True,
    )
    assert "rebas" in git("status", cwd=path)

    different, _ = await there_and_back(bench, checkout, worktree)

    assert different == []
    git("rebase", "--abort", cwd=path)
    assert (path / "a.txt").read_text() == "mine 1\n"
    assert (path / "models" / "orders.sql").read_text() == "select 2\n"  # the autostash was kept, too


async def test_commits_that_only_the_reflog_names_survive_gc(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git("switch", "-q", "--detach", cwd=path)
    (path / "a.txt").write_text("an experiment\n")
    git("commit", "-qam", "experiment", cwd=path)
    lost = git("rev-parse", "HEAD", cwd=path)
    git("switch", "-q", "fix", cwd=path)
    path_to_log = checkout / ".git" / "worktrees" / path.name / "logs" / "HEAD"
    assert lost in path_to_log.read_text()

    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("gc", "-q", "--prune=now", cwd=checkout)
    await bench.worktrees.restore(OWNER, worktree.id, key())

    assert git("show", f"{lost}:a.txt", cwd=path) == "an experiment"


async def test_a_data_file_adds_nothing_to_the_repository(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "data.parquet").write_bytes(os.urandom(5_000_000))

    def size() -> int:
        return sum(path.lstat().st_size for path in (checkout / ".git" / "objects").rglob("*"))

    before = size()
    await bench.worktrees.archive(OWNER, worktree.id, key())

    assert size() - before < 100_000


async def test_bytes_that_no_filter_would_write_come_back(bench: Bench, checkout: Path) -> None:
    (checkout / ".gitattributes").write_text("*.txt text eol=crlf\n*.id ident\n")
    (checkout / "b.txt").write_bytes(b"lf\nonly\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "attributes", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "b.txt").write_bytes(b"lf\nonly\n")
    (path / "x.id").write_text("$Id$\n")
    git("add", "-A", cwd=path)

    different, _ = await there_and_back(bench, checkout, worktree)

    assert different == []


async def test_two_repositories_inside_come_back(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    inner = Path(worktree.path) / "frontend"
    inner.mkdir()
    git("init", "-q", cwd=inner)
    (inner / "app.js").write_text("work\n")
    git("add", "-A", cwd=inner)
    git("commit", "-qm", "inner", cwd=inner)
    (inner / "more.js").write_text("more\n")
    git("worktree", "add", "-q", "-b", "side", str(Path(worktree.path) / "side"), cwd=inner)

    different, _ = await there_and_back(bench, checkout, worktree)

    assert different == []
    assert git("log", "--format=%s", cwd=inner) == "inner"
    assert git("status", "--porcelain", cwd=Path(worktree.path) / "side") == ""


# Branches


async def test_a_branch_that_moved_is_left_alone_and_said(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("mine\n")
    git("commit", "-qam", "mine", cwd=path)
    mine = git("rev-parse", "HEAD", cwd=path)
    (path / "a.txt").write_text("and more\n")
    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("branch", "-f", "fix", "main", cwd=checkout)

    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert git("rev-parse", "fix", cwd=checkout) == git("rev-parse", "main", cwd=checkout)
    assert git("rev-parse", "HEAD", cwd=path) == mine
    assert git("status", "--porcelain", cwd=path) == "M a.txt"
    assert restored.reason is not None
    assert "'fix' was moved" in restored.reason
    assert "`git switch fix`" in restored.reason
    assert mine[:12] in restored.reason


async def test_a_branch_that_is_gone_is_made_again_where_it_was(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("mine\n")
    git("commit", "-qam", "mine", cwd=path)
    mine = git("rev-parse", "HEAD", cwd=path)
    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("branch", "-D", "fix", cwd=checkout)
    git("gc", "-q", "--prune=now", cwd=checkout)

    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert (git("rev-parse", "fix", cwd=checkout), git("branch", "--show-current", cwd=path)) == (mine, "fix")
    assert "was gone, and was made again" in (restored.reason or "")


async def test_where_its_branch_cannot_be_made_again_the_worktree_is_on_none(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    head = git("rev-parse", "HEAD", cwd=path)
    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("branch", "-D", "fix", cwd=checkout)
    git("branch", "fix/deeper", cwd=checkout)

    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert (git("rev-parse", "HEAD", cwd=path), git("branch", "--show-current", cwd=path)) == (head, "")
    assert "git switch -c" in (restored.reason or "")


async def test_a_worktree_whose_branch_was_deleted_is_kept_like_any_other(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "staged.txt").write_text("staged\n")
    git("add", "staged.txt", cwd=Path(worktree.path))
    git("update-ref", "-d", "refs/heads/fix", cwd=checkout)

    different, restored = await there_and_back(bench, checkout, worktree)

    assert different == []
    assert restored.reason is None


async def test_restoring_says_where_its_branch_is_checked_out(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    git("worktree", "add", "-q", str(tmp_path / "mine"), "fix", cwd=checkout)

    with pytest.raises(errors.BranchTaken, match=str(tmp_path / "mine")):
        await bench.worktrees.restore(OWNER, worktree.id, key())

    found = await bench.worktrees.get(worktree.id)
    assert (found.state, found.archive_path, found.step) == (WorktreeState.ARCHIVED, archived.archive_path, None)
    git("worktree", "remove", str(tmp_path / "mine"), cwd=checkout)
    assert (await bench.worktrees.restore(OWNER, worktree.id, key())).state is WorktreeState.READY


async def test_lost_objects_are_said_and_the_rest_stays(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "new.txt").write_text("new\n")
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.archives._shelf.settled()
    blob = git("rev-parse", "main:a.txt", cwd=checkout)
    (checkout / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    with pytest.raises(errors.Conflict, match=r"'a\.txt'.*no longer in the repository"):
        await bench.worktrees.restore(OWNER, worktree.id, key())

    found = await bench.worktrees.get(worktree.id)
    assert found.state is WorktreeState.ARCHIVED
    assert str(archived.archive_path) in (found.reason or "")
    assert (Path(archived.archive_path or "") / "files" / "new.txt").read_text() == "new\n"


async def test_something_at_its_place_is_not_overwritten(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    await bench.worktrees.archive(OWNER, worktree.id, key())
    Path(worktree.path).mkdir()

    with pytest.raises(errors.Conflict, match="Move it elsewhere"):
        await bench.worktrees.restore(OWNER, worktree.id, key())


# What cannot be moved


async def test_a_worktree_of_another_repository_inside_is_named(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "-q", cwd=other)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=other)
    worktree = await bench.make(await bench.repo(checkout))
    git("worktree", "add", "-q", "-b", "side", str(Path(worktree.path) / "side"), cwd=other)

    with pytest.raises(errors.Conflict, match=r"'side' is a worktree of .*other.*worktree move"):
        await bench.worktrees.archive(OWNER, worktree.id, key())

    found = await bench.worktrees.get(worktree.id)
    assert (found.state, found.step, found.archive_path) == (WorktreeState.READY, None, None)


async def test_a_worktree_elsewhere_of_a_repository_inside_is_named(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    inner = Path(worktree.path) / "inner"
    inner.mkdir()
    git("init", "-q", cwd=inner)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=inner)
    git("worktree", "add", "-q", "-b", "out", str(tmp_path / "out"), cwd=inner)

    with pytest.raises(errors.Conflict, match="'inner' has a worktree at"):
        await bench.worktrees.archive(OWNER, worktree.id, key())


@pytest.fixture
def other_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def on(bench: Bench, disk: Path, repo: Repo) -> Worktree:
    bench.worktrees._folder = disk
    return await bench.make(repo)


async def test_a_worktree_on_another_disk_is_copied_whole(bench: Bench, checkout: Path, other_disk: Path) -> None:
    worktree = await on(bench, other_disk, await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "secret.env").write_text("KEY=1\n")
    os.link(path / "secret.env", path / "twin.env")
    (path / "link").symlink_to("a.txt")
    (path / "empty").mkdir(mode=0o700)

    different, _ = await there_and_back(bench, checkout, worktree)

    assert different == []


async def test_what_cannot_be_copied_is_named(bench: Bench, checkout: Path, other_disk: Path) -> None:
    worktree = await on(bench, other_disk, await bench.repo(checkout))
    here = Path.cwd()
    os.chdir(worktree.path)  # the name of a socket has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("agent.sock")
    os.chdir(here)

    with pytest.raises(errors.Conflict, match=r"'agent\.sock' is a socket"):
        await bench.worktrees.archive(OWNER, worktree.id, key())


async def test_a_mounted_folder_inside_is_named(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    folder = Path(worktree.path) / "mounted"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        with pytest.raises(errors.Conflict, match="'mounted' is a mounted file system"):
            await bench.worktrees.archive(OWNER, worktree.id, key())
    finally:
        subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_in_the_middle_leaves_all_as_it_was(bench: Bench, checkout: Path, other_disk: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "data.bin").write_bytes(os.urandom(6_000_000))
    before = whole(path, checkout / ".git")
    (bench.config.data_dir / "archives").rmdir() if (bench.config.data_dir / "archives").exists() else None
    (bench.config.data_dir / "archives").symlink_to(other_disk)

    with pytest.raises(errors.StorageFull, match="disk is full"):
        await bench.worktrees.archive(OWNER, worktree.id, key())

    assert differences(before, whole(path, checkout / ".git")) == []
    assert list(other_disk.iterdir()) == []
    assert refs(checkout) == []
    found = await bench.worktrees.get(worktree.id)
    assert (found.state, found.step, found.archive_path) == (WorktreeState.READY, None, None)


async def test_when_gits_part_cannot_be_moved_the_folder_comes_back(bench: Bench, checkout: Path, monkeypatch) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    before = whole(Path(worktree.path), checkout / ".git")

    def refuse(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted", "worktrees")

    monkeypatch.setattr(git_archives, "put_admin_away", refuse)
    with pytest.raises(errors.Conflict, match="does not let this server change"):
        await bench.worktrees.archive(OWNER, worktree.id, key())

    assert differences(before, whole(Path(worktree.path), checkout / ".git")) == []


# Removal


async def test_a_forced_removal_keeps_all_for_a_while(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("changed\n")
    (path / "new.txt").write_text("new\n")
    before = whole(path, checkout / ".git")

    removal = await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)

    assert removal.folder is not None
    assert removal.until is not None
    assert timedelta(days=29) < removal.until - Clock().now() < timedelta(days=31)
    assert (Path(removal.folder) / "files" / "new.txt").read_text() == "new\n"
    assert git("rev-parse", removal.backup_ref or "", cwd=checkout) == worktree.base_sha
    assert not path.exists()
    [backup] = await bench.worktrees.archives.backups.list()
    assert (backup.worktree_id, backup.name, backup.folder, backup.until) == (worktree.id, "fix", removal.folder, removal.until)
    assert any("1 untracked file" in held for held in backup.held)

    restored = await bench.worktrees.restore(OWNER, "fix", key())

    assert (restored.id, restored.state) == (worktree.id, WorktreeState.READY)
    assert differences(before, whole(path, checkout / ".git")) == []
    assert await bench.worktrees.archives.backups.list() == []


async def test_a_backup_goes_when_it_is_due(bench: Bench, checkout: Path) -> None:
    class Later(Clock):
        def now(self):
            return super().now() + timedelta(days=31)

    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "new.txt").write_text("new\n")
    removal = await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)
    await bench.worktrees.archives.backups.tidy()
    assert Path(removal.folder or "").is_dir()

    later = Worktrees(bench.store, bench.config, Later(), bench.repos)
    await later.start()
    await later.archives._shelf.settled()

    assert not Path(removal.folder or "").exists()
    assert refs(checkout) == []
    await later.close()


async def test_removing_an_archived_worktree_asks_for_what_it_held(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "new.txt").write_text("new\n")
    await bench.worktrees.archive(OWNER, worktree.id, key())

    with pytest.raises(errors.WouldLoseWork, match="untracked file"):
        await bench.worktrees.remove(OWNER, worktree.id, key())
    removal = await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)

    assert (Path(removal.folder or "") / "files" / "new.txt").read_text() == "new\n"


async def test_a_clean_worktree_leaves_nothing(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    removal = await bench.worktrees.remove(OWNER, worktree.id, key())
    await bench.worktrees.archives._shelf.settled()

    assert (removal.backup_ref, removal.folder) == (None, None)
    assert refs(checkout) == []
    assert list((bench.config.data_dir / "archives").iterdir()) == []
    assert git("branch", "--format=%(refname:short)", cwd=checkout) == "main"


async def test_what_git_keeps_of_a_lost_folder_is_set_aside(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "staged.txt").write_text("only in the index\n")
    git("add", "staged.txt", cwd=path)
    shutil.rmtree(path)
    with pytest.raises(errors.WorktreeNotReady):
        await bench.worktrees.status([worktree.id], 0)

    await bench.worktrees.retry(OWNER, worktree.id, key())
    again = await bench.worktrees.wait_ready(worktree.id)
    git("gc", "-q", "--prune=now", cwd=checkout)

    assert again.state is WorktreeState.READY
    [backup] = await bench.worktrees.archives.backups.list()
    assert git("show", f"refs/agor/archive/{worktree.id}/index:staged.txt", cwd=checkout) == "only in the index"
    assert (Path(backup.folder) / "admin" / "index").is_file()
