import asyncio
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import WorktreeChange, WorktreeCreate, WorktreeState
from agor_jupyter.git import worktrees as git_worktrees
from agor_jupyter.git.inspection import unfilled
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.tenants import NoTenants
from agor_jupyter.services.worktrees.worktrees import Worktrees
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def listed(checkout: Path) -> set[str]:
    lines = git("worktree", "list", "--porcelain", cwd=checkout).splitlines()
    return {line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")} - {str(checkout)}


def on_disk(bench: Bench) -> set[str]:
    folder = bench.config.data_dir / "worktrees"
    return {str(path) for path in folder.iterdir()} if folder.exists() else set()


def branches(checkout: Path) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname:short)", "refs/heads", cwd=checkout).split())


async def test_a_worktree_is_made_on_a_new_branch_from_a_recorded_commit(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    worktree = await bench.make(repo, "Fix null keys", issue_url="https://example.org/1", context={"a": [1]})

    assert (worktree.state, worktree.reason, worktree.step) == (WorktreeState.READY, None, None)
    assert worktree.branch == "fix-null-keys"
    assert worktree.base_ref == "main"
    assert worktree.base_sha == git("rev-parse", "main", cwd=checkout)
    assert (Path(worktree.path) / "models" / "orders.sql").read_text() == "select 1\n"
    assert git("status", "--porcelain", "--branch", cwd=worktree.path) == "## fix-null-keys"
    assert listed(checkout) == on_disk(bench) == {worktree.path}
    assert worktree.status is not None
    assert not worktree.status.dirty


async def test_the_agents_git_uses_the_real_repository(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    (Path(worktree.path) / "a.txt").write_text("new\n")
    git("commit", "-qam", "second", cwd=worktree.path)

    assert git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=worktree.path) == str(checkout / ".git")
    assert git("log", "-1", "--format=%s", worktree.branch, cwd=checkout) == "second"


async def test_the_same_key_makes_one_worktree(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    once, request = key(), WorktreeCreate(repo=repo.id, name="fix")

    made = await asyncio.gather(*(bench.worktrees.create(OWNER, request, once) for _ in range(5)), return_exceptions=True)
    await bench.worktrees.wait_ready("fix")
    again = await bench.worktrees.create(OWNER, request, once)

    assert {one.id for one in made} == {again.id}
    with pytest.raises(errors.KeyReused):
        await bench.worktrees.create(OWNER, request.replace(name="other"), once)


async def test_a_misspelt_base_names_what_is_near(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.RefNotFound, match="Did you mean main") as caught:
        await bench.make(repo, base="mian")

    assert caught.value.details["near"] == ["main"]
    assert on_disk(bench) == set()
    assert await bench.worktrees.list() == []


async def test_a_branch_that_exists_is_not_moved(bench: Bench, checkout: Path) -> None:
    git("branch", "fix", cwd=checkout)
    repo = await bench.repo(checkout)

    with pytest.raises(errors.AlreadyExists):
        await bench.make(repo, "fix")


async def test_an_existing_branch_is_taken_as_it_is(bench: Bench, checkout: Path) -> None:
    git("checkout", "-q", "-b", "work", cwd=checkout)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=checkout)
    git("checkout", "-q", "main", cwd=checkout)
    repo = await bench.repo(checkout)

    worktree = await bench.make(repo, "work", existing_branch=True)
    [status] = await bench.worktrees.status([worktree.id])

    assert worktree.state is WorktreeState.READY
    assert git("rev-parse", "HEAD", cwd=worktree.path) == git("rev-parse", "work", cwd=checkout)
    assert status.ahead == 1


async def test_a_branch_checked_out_elsewhere_says_where(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.BranchTaken) as caught:
        await bench.make(repo, "again", branch="main", existing_branch=True)

    assert caught.value.details["where"] == str(checkout)


async def test_a_repo_without_a_commit_says_so(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "root" / "empty"
    path.mkdir()
    git("init", "-q", "-b", "main", cwd=path)
    repo = await bench.repo(path)

    with pytest.raises(errors.GitFailed, match="no commit yet"):
        await bench.make(repo)


@pytest.mark.parametrize(
    "branch", ["-x", "--force", "a..b", "a;b", "$(id)", "a\nb", "a.lock", "HEAD", "@{-1}", "a\0b", "a\u202eb", "mаin", "x" * 300, "CON"]
)
async def test_a_hostile_branch_or_base_is_refused(bench: Bench, checkout: Path, branch: str) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.BadName):
        await bench.make(repo, branch=branch)
    with pytest.raises((errors.BadName, errors.RefNotFound)):  # one that git takes could be there
        await bench.make(repo, base=branch)
    with pytest.raises((errors.BadName, errors.RefNotFound)):
        await bench.make(repo, branch=branch, existing_branch=True)

    assert branches(checkout) == {"main"}


async def test_twenty_at_once_on_one_repository_all_succeed(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    made = await asyncio.gather(*(bench.make(repo, f"work-{number}") for number in range(20)))

    assert {worktree.reason for worktree in made} == {None}
    assert listed(checkout) == on_disk(bench) == {worktree.path for worktree in made}


async def test_names_that_differ_in_case_only_are_one_name(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    await bench.make(repo, "Fix")

    with pytest.raises(errors.AlreadyExists):
        await bench.make(repo, "fIX", branch="other")


async def test_status_counts_commits_lines_and_untracked_files(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("one\n2\nthree\n")
    git("commit", "-qam", "x", cwd=path)
    (path / "models" / "orders.sql").write_text("select 2\n")
    (path / "new file.txt").write_text("1\n2\n3")
    git("commit", "-q", "--allow-empty", "-m", "later", cwd=checkout)

    [status] = await bench.worktrees.status([worktree.id], 0)

    assert (status.ahead, status.behind, status.dirty, status.untracked, status.unstaged) == (1, 1, True, 1, 1)
    assert (status.files, status.added, status.deleted) == (3, 6, 2)
    assert (await bench.worktrees.get(worktree.id)).status == status
    patch = await bench.worktrees.diff(worktree.id)
    assert [(file.path, file.added, file.deleted) for file in patch.files] == [
        ("a.txt", 2, 1),
        ("models/orders.sql", 1, 1),
        ("new file.txt", 3, 0),
    ]


async def test_status_is_shared_by_those_who_ask_together(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    answers = await asyncio.gather(*(bench.worktrees.status([worktree.id]) for _ in range(10)))

    assert len({id(answer[0]) for answer in answers}) == 1


async def test_checkpoints_see_uncommitted_and_untracked_work_and_touch_nothing(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    before = await bench.worktrees.checkpoint(worktree.id)
    (path / "a.txt").write_text("one\nTWO\n")
    (path / "new.bin").write_bytes(b"\0\1")
    (path / "secret.env").write_text("ignored")
    shown = git("status", "--porcelain", cwd=path)

    after = await bench.worktrees.checkpoint(worktree.id)
    patch = await bench.worktrees.patch(worktree.id, before, after)

    assert (before.dirty, after.dirty, before.commit) == (False, True, after.commit)
    assert [(file.path, file.status, file.added, file.deleted) for file in patch.files] == [
        ("a.txt", "modified", 1, 1),
        ("new.bin", "added", None, None),
    ]
    assert "+TWO" in patch.text
    assert git("status", "--porcelain", cwd=path) == shown


async def test_a_large_patch_is_cut(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    before = await bench.worktrees.checkpoint(worktree.id)
    (Path(worktree.path) / "big.txt").write_text("a line of text\n" * 300_000)

    patch = await bench.worktrees.patch(worktree.id, before, await bench.worktrees.checkpoint(worktree.id))

    assert patch.is_cut
    assert len(patch.text) <= 2_000_000
    assert patch.files[0].added == 300_000


# Local files and setup


async def test_files_of_worktreeinclude_are_copied_if_absent(bench: Bench, checkout: Path) -> None:
    (checkout / ".worktreeinclude").write_text("# local\n*.env\n!no.env\ncache/\na.txt\n")
    (checkout / "local.env").write_text("A=1\n")
    (checkout / "no.env").write_text("x")
    (checkout / "cache").mkdir()
    (checkout / "cache" / "x.bin").write_bytes(b"\0")
    (checkout / "cache" / "run.sh").write_text("#!/bin/sh\n")
    (checkout / "cache" / "run.sh").chmod(0o755)
    (checkout / "link.env").symlink_to("/etc/hostname")
    (checkout / "a.txt").write_text("changed here\n")
    repo = await bench.repo(checkout)

    worktree = await bench.make(repo)

    path = Path(worktree.path)
    assert worktree.reason is None
    assert (path / "local.env").read_text() == "A=1\n"
    assert (path / "cache" / "x.bin").read_bytes() == b"\0"
    assert os.access(path / "cache" / "run.sh", os.X_OK)
    assert (path / "a.txt").read_text() == "one\ntwo\n"
    assert not (path / "no.env").exists()
    assert not os.path.lexists(path / "link.env")


async def test_a_link_to_a_folder_is_not_followed(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.env").write_text("SECRET")
    (checkout / "sub").symlink_to(outside)
    (checkout / ".worktreeinclude").write_text("*.env\nsub/\nsub/secret.env\n../outside/secret.env\n")

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.READY
    assert not list(Path(worktree.path).rglob("secret.env"))


async def test_too_much_to_copy_fails_and_leaves_nothing(bench: Bench, checkout: Path, monkeypatch) -> None:
    monkeypatch.setattr("agor_jupyter.git.include.MAX_BYTES", 1024 * 1024)
    (checkout / ".worktreeinclude").write_text("*.env\n")
    (checkout / "big.env").write_bytes(b"x" * 2_000_000)

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.FAILED
    assert "larger than 1 MiB" in (worktree.reason or "")
    assert listed(checkout) == on_disk(bench) == set()
    assert branches(checkout) == {"main"}


def commit_settings(checkout: Path, text: str) -> None:
    (checkout / ".agor.yml").write_text(text)
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "settings", cwd=checkout)


async def test_setup_runs_in_the_worktree(bench: Bench, checkout: Path) -> None:
    commit_settings(checkout, 'setup:\n  - echo "$AGOR_BRANCH" > made.env\n  - echo second >> made.env\n')

    worktree = await bench.make(await bench.repo(checkout))

    assert (worktree.state, worktree.reason) == (WorktreeState.READY, None)
    assert (Path(worktree.path) / "made.env").read_text() == "fix\nsecond\n"


async def test_a_setup_that_is_not_committed_does_not_run(bench: Bench, checkout: Path) -> None:
    (checkout / ".agor.yml").write_text("setup: touch made.env\n")

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.READY
    assert not (Path(worktree.path) / "made.env").exists()


async def test_a_failed_setup_is_told_as_that_and_runs_again_in_the_files_that_are_there(
    bench: Bench, checkout: Path, tmp_path: Path
) -> None:
    commit_settings(checkout, f"setup: test -e {tmp_path}/now || {{ echo no luck; exit 3; }}\n")
    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.FAILED
    assert worktree.failure == errors.SetupFailed.code
    assert (worktree.reason or "").startswith("The setup command “test -e")
    assert "failed with code 3. Its last output: no luck" in (worktree.reason or "")
    assert [way.kind for way in worktree.ways] == [WayKind.RETRY, WayKind.USE]
    assert listed(checkout) == on_disk(bench) == {worktree.path}

    (Path(worktree.path) / "mine.txt").write_text("written meanwhile\n")
    (tmp_path / "now").touch()
    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.RETRY, key())
    again = await bench.worktrees.wait_ready(worktree.id)

    assert (again.state, again.reason, again.failure, again.ways) == (WorktreeState.READY, None, None, [])
    assert (Path(worktree.path) / "mine.txt").read_text() == "written meanwhile\n"


async def test_what_git_could_not_do_after_a_failed_setup_is_not_told_as_the_setups(bench: Bench, checkout: Path, monkeypatch) -> None:
    commit_settings(checkout, "setup: test -e now.env\n")
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "now.env").touch()

    async def fail(*_arguments) -> None:
        raise errors.GitFailed("compare the files", "no")

    monkeypatch.setattr(unfilled, "find", fail)
    await bench.worktrees.retry(OWNER, worktree.id, key())
    again = await bench.worktrees.wait_ready(worktree.id)

    assert worktree.failure == errors.SetupFailed.code
    assert (again.state, again.failure, again.is_filled) == (WorktreeState.FAILED, errors.GitFailed.code, True)
    assert (Path(worktree.path) / "now.env").exists()


async def test_what_a_setup_made_stays_when_git_fails_after_it(bench: Bench, checkout: Path, monkeypatch) -> None:
    commit_settings(checkout, "setup: touch made.env\n")

    async def fail(*_arguments) -> None:
        raise errors.GitFailed("compare the files", "no")

    monkeypatch.setattr(unfilled, "find", fail)
    worktree = await bench.make(await bench.repo(checkout))

    assert (worktree.state, worktree.failure, worktree.is_filled) == (WorktreeState.FAILED, errors.GitFailed.code, True)
    assert (Path(worktree.path) / "made.env").exists()


async def test_a_worktree_whose_setup_failed_is_used_as_it_is_or_removed_like_any_other(bench: Bench, checkout: Path) -> None:
    commit_settings(checkout, "setup: exit 3\n")
    repo = await bench.repo(checkout)
    one, two = await bench.make(repo, "one"), await bench.make(repo, "two")
    (Path(two.path) / "mine.txt").write_text("mine\n")

    used = await bench.worktrees.ways.take(OWNER, one.id, WayKind.USE, key())
    with pytest.raises(errors.WouldLoseWork, match="1 untracked file"):
        await bench.worktrees.remove(OWNER, two.id, key())
    (Path(two.path) / "mine.txt").unlink()
    await bench.worktrees.remove(OWNER, two.id, key())

    assert (used.state, used.ways) == (WorktreeState.READY, [])
    assert listed(checkout) == on_disk(bench) == {one.path}
    assert branches(checkout) == {"main", "one"}


async def test_a_setup_that_takes_too_long_is_stopped_with_all_its_processes(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    commit_settings(checkout, f"setup: (setsid sh -c 'echo $$ > {tmp_path}/pid; sleep 60' &) ; sleep 60\n")
    slow = Worktrees(bench.store, replace(bench.config, setup_timeout=timedelta(seconds=0.5)), Clock(), bench.repos)
    repo = await bench.repo(checkout)

    made = await slow.create(OWNER, WorktreeCreate(repo=repo.id, name="slow"), key())
    worktree = await slow.wait_ready(made.id)

    assert worktree.state is WorktreeState.FAILED
    assert "longer than 0.5 s" in (worktree.reason or "")
    stat = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    assert not stat.exists() or stat.read_text().rpartition(") ")[2].startswith("Z")
    await slow.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("setpu: x\n", "'setpu' is not known .line 1.; did you mean 'setup'"),
        ("setup: {a: 1}\n", "setup"),
        ("- a\n", "names at the top level"),
        ("a: [\n", "not YAML"),
        ("setup: !!python/object/apply:os.system ['touch pwned']\n", "tags"),
        ("a: &a [x]\nb: [*a, *a]\n", "anchors"),
        ("setup: " + "x" * 70_000, "KiB"),
    ],
)
async def test_wrong_settings_say_what_is_wrong(bench: Bench, checkout: Path, text: str, says: str) -> None:
    commit_settings(checkout, text)

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.FAILED
    assert re.search(says, worktree.reason or ""), worktree.reason
    assert on_disk(bench) == set()


# Put away


async def test_a_clean_worktree_is_removed_with_its_empty_branch(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    once = key()
    removal = await bench.worktrees.remove(OWNER, worktree.id, once)

    assert removal.backup_ref is None
    assert listed(checkout) == on_disk(bench) == set()
    assert branches(checkout) == {"main"}
    assert await bench.worktrees.remove(OWNER, worktree.id, once) == removal
    with pytest.raises(errors.WorktreeNotFound):
        await bench.worktrees.get(worktree.id)


async def test_a_worktree_with_work_is_not_removed(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "b.txt").write_text("b")
    git("add", "b.txt", cwd=path)
    git("commit", "-qm", "mine", cwd=path)
    (path / "a.txt").write_text("changed")
    (path / "new.txt").write_text("new")

    with pytest.raises(errors.WouldLoseWork) as caught:
        await bench.worktrees.remove(OWNER, worktree.id, key())

    losses = caught.value.details["losses"]
    assert losses == [
        "1 changed file, not committed: a.txt (7 bytes)",
        "1 untracked file: new.txt (3 bytes)",
        "1 commit of branch fix, on no other branch and on no remote",
    ]
    assert path.is_dir()


async def test_a_live_worktree_is_neither_removed_nor_archived(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    class Busy(NoTenants):
        async def are_busy(self, worktree_id: str) -> bool:
            return worktree_id == worktree.id

    worktrees = Worktrees(bench.store, bench.config, Clock(), bench.repos, tenants=Busy())

    with pytest.raises(errors.WouldLoseWork, match="session"):
        await worktrees.remove(OWNER, worktree.id, key(), force=True)
    with pytest.raises(errors.Conflict):
        await worktrees.archive(OWNER, worktree.id, key())
    assert Path(worktree.path).is_dir()


async def test_an_archived_worktree_comes_back_with_its_uncommitted_files(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("changed\n")
    (path / "new.txt").write_text("new\n")
    (path / "models" / "orders.sql").unlink()
    shown = git("status", "--porcelain", cwd=path)

    archived = await bench.worktrees.archive(OWNER, worktree.id, key())

    assert archived.state is WorktreeState.ARCHIVED
    assert archived.status is not None
    assert listed(checkout) == on_disk(bench) == set()
    assert "fix" in branches(checkout)
    assert await bench.worktrees.list() == []

    await bench.worktrees.restore(OWNER, worktree.id, key())
    restored = await bench.worktrees.wait_ready(worktree.id)

    assert (restored.state, restored.archived_at) == (WorktreeState.READY, None)
    assert git("status", "--porcelain", cwd=path) == shown.replace("D  ", " D ")
    assert (path / "new.txt").read_text() == "new\n"


async def test_restoring_says_where_the_branch_is(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    await bench.worktrees.archive(OWNER, worktree.id, key())
    git("worktree", "add", "-q", str(tmp_path / "mine"), "fix", cwd=checkout)

    with pytest.raises(errors.BranchTaken):
        await bench.worktrees.restore(OWNER, worktree.id, key())


async def test_a_removal_that_git_refuses_leaves_the_folder(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (checkout / ".git" / "worktrees" / Path(worktree.path).name / "locked").write_text("a person's reason")

    with pytest.raises(errors.GitFailed, match="another tool locked it"):
        await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)

    found = await bench.worktrees.get(worktree.id)
    assert (found.state, found.step) == (WorktreeState.READY, None)
    assert Path(worktree.path).is_dir()


async def test_only_named_fields_change(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout), notes="n")

    changed = await bench.worktrees.change(OWNER, worktree.id, WorktreeChange(issue_url="https://example.org/2"))

    assert (changed.issue_url, changed.notes, changed.name) == ("https://example.org/2", "n", "fix")
    with pytest.raises(errors.BadRequest):
        await bench.worktrees.change(OWNER, worktree.id, WorktreeChange(issue_url="javascript:alert(1)"))


# Faults


async def test_a_missing_folder_is_told_and_made_again(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("mine\n")
    git("commit", "-qam", "mine", cwd=path)
    shutil.rmtree(path)

    with pytest.raises(errors.WorktreeNotReady, match="missing"):
        await bench.worktrees.status([worktree.id], 0)
    await bench.worktrees.retry(OWNER, worktree.id, key())
    again = await bench.worktrees.wait_ready(worktree.id)

    assert (again.state, again.reason) == (WorktreeState.READY, None)
    assert (path / "a.txt").read_text() == "mine\n"


async def test_an_index_lock_does_not_stop_status_or_a_checkpoint(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (checkout / ".git" / "worktrees" / Path(worktree.path).name / "index.lock").touch()
    (Path(worktree.path) / "a.txt").write_text("x")

    [status] = await bench.worktrees.status([worktree.id], 0)

    assert status.dirty
    assert (await bench.worktrees.checkpoint(worktree.id)).dirty


async def reopened(bench: Bench) -> Worktrees:
    repos = Repos(bench.store, bench.config, Clock())
    worktrees = Worktrees(bench.store, bench.config, Clock(), repos)
    await worktrees.start()
    return worktrees


async def test_what_was_half_made_when_the_server_died_is_undone(bench: Bench, checkout: Path, monkeypatch) -> None:
    repo = await bench.repo(checkout)

    async def die(*_arguments, **_options) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(git_worktrees, "populate", die)
    made = await bench.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="fix"), key())
    await bench.worktrees.wait_ready(made.id)
    assert (await bench.worktrees.get(made.id)).state is WorktreeState.CREATING
    assert listed(checkout) == {made.path}
    monkeypatch.undo()

    again = await reopened(bench)

    failed = await again.get(made.id)
    assert (failed.state, failed.reason) == (WorktreeState.FAILED, "the server stopped while it was being created")
    assert listed(checkout) == on_disk(bench) == set()
    assert branches(checkout) == {"main"}
    await again.retry(OWNER, made.id, key())
    assert (await again.wait_ready(made.id)).state is WorktreeState.READY
    await again.close()


async def test_an_existing_branch_survives_a_half_made_worktree(bench: Bench, checkout: Path, monkeypatch) -> None:
    git("branch", "kept", cwd=checkout)
    repo = await bench.repo(checkout)

    async def fail(*_arguments, **_options) -> None:
        raise errors.GitFailed("check the files out", "no")

    monkeypatch.setattr(git_worktrees, "populate", fail)
    worktree = await bench.make(repo, "kept", existing_branch=True)

    assert (worktree.state, worktree.failure) == (WorktreeState.FAILED, errors.GitFailed.code)
    assert branches(checkout) == {"main", "kept"}


async def test_other_worktrees_of_the_repository_are_left_alone(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    git("worktree", "add", "-q", "-b", "mine", str(tmp_path / "mine"), cwd=checkout)
    gone = tmp_path / "gone"
    git("worktree", "add", "-q", "-b", "gone", str(gone), cwd=checkout)
    shutil.rmtree(gone)
    worktree = await bench.make(await bench.repo(checkout))

    await bench.worktrees.remove(OWNER, worktree.id, key())
    await (await reopened(bench)).close()

    assert listed(checkout) == {str(tmp_path / "mine"), str(gone)}


_OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.git.archives import archives, pins
from agor_jupyter.git import worktrees
from agor_jupyter.git.archives.archives import Box
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository

async def main(data, checkout, name, sha, mark):
    repository = Repository(path=Path(checkout), common_dir=Path(checkout) / ".git", view=Path(data) / "git" / mark)
    locks = Locks(Path(data) / "locks")
    async def one(number):
        path = Path(data) / "worktrees" / f"{mark}-{number}"
        async with locks.held(name):
            await worktrees.add(repository, path, f"{mark}-{number}", sha)
        await worktrees.populate(repository, path, 1)
        box = Box(Path(data) / "archives" / path.name)
        async with locks.held(name):
            await pins.pin(repository, path, path.name)
            archives.put_away(box, path)
            archives.put_admin_away(box, repository.worktree_dir(path))
        await pins.unpin(repository, path.name)
        box.remove()
    await asyncio.gather(*(one(number) for number in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_on_one_repository_do_not_disturb_each_other(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    sha = git("rev-parse", "main", cwd=checkout)
    data = str(bench.config.data_dir)
    others = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _OTHER_PROCESS, data, str(checkout), repo.id, sha, mark, stderr=subprocess.PIPE
        )
        for mark in ("left", "right")
    ]

    made = await asyncio.gather(*(bench.make(repo, f"work-{number}") for number in range(8)))
    said = [(await other.communicate())[1] for other in others]

    assert [other.returncode for other in others] == [0, 0], said
    assert {worktree.reason for worktree in made} == {None}
    assert listed(checkout) == {worktree.path for worktree in made}


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk_leaves_nothing_half_made(bench: Bench, checkout: Path, small_disk: Path) -> None:
    (checkout / "big.bin").write_bytes(os.urandom(8_000_000))
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "big", cwd=checkout)
    (bench.config.data_dir / "worktrees").symlink_to(small_disk)
    worktrees = Worktrees(bench.store, bench.config, Clock(), bench.repos)
    worktrees._folder = small_disk
    repo = await bench.repo(checkout)

    made = await worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="fix"), key())
    failed = await worktrees.wait_ready(made.id)

    assert failed.state is WorktreeState.FAILED
    assert "disk is full" in (failed.reason or "")
    assert list(small_disk.iterdir()) == []
    assert listed(checkout) == set()
    assert branches(checkout) == {"main"}
    await worktrees.close()


async def test_a_garbage_collection_that_drops_an_empty_folder_in_between_is_no_failure(bench, checkout, monkeypatch):
    """git removes `.git/worktrees` when it is empty, also in the moment before ours would use it."""
    repo = await bench.repo(checkout)
    real, dropped = Repository.git, []

    async def git_after_gc(self, action, *arguments, **options):
        if arguments[:2] == ("worktree", "add") and not dropped:
            dropped.append(True)
            (self.common_dir / "worktrees").rmdir()
        return await real(self, action, *arguments, **options)

    monkeypatch.setattr(Repository, "git", git_after_gc)

    made = await bench.make(repo, "fix")

    assert dropped
    assert (made.state, made.reason) == (WorktreeState.READY, None)
