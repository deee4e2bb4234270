"""“I reset the branch and my commits were gone”: what a person moves by hand is told, and the commits that only a log has are offered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git.inspection import reflogs
from tests.git.conftest import git
from tests.real_use.test_stuck import looked_at
from tests.scene import Scene
from tests.services.conftest import OWNER, Bench, key

_THREE = [WayKind.BRANCH_COMMITS, WayKind.KEEP_COMMITS, WayKind.LET_GO]


async def with_commits(bench: Bench, checkout: Path, number: int = 3) -> tuple[Worktree, str]:
    """A worktree whose branch has so many commits of its own, and the last of them."""
    worktree = await bench.make(await bench.repo(checkout))
    for one in range(1, number + 1):
        git("commit", "-q", "--allow-empty", "-m", f"step {one}", cwd=worktree.path)
    return worktree, git("rev-parse", "HEAD", cwd=worktree.path)


def _reset(worktree: Worktree, checkout: Path) -> None:
    git("reset", "-q", "--hard", worktree.base_sha, cwd=worktree.path)


def _by_its_ref(worktree: Worktree, checkout: Path) -> None:
    git("update-ref", "refs/heads/fix", worktree.base_sha, cwd=checkout)


def _by_a_push(worktree: Worktree, checkout: Path) -> None:
    git("config", "receive.denyCurrentBranch", "ignore", cwd=checkout)
    git("push", "-q", "--force", str(checkout), f"{worktree.base_sha}:refs/heads/fix", cwd=checkout)


def _and_committed_on(worktree: Worktree, checkout: Path) -> None:
    _reset(worktree, checkout)
    git("commit", "-q", "--allow-empty", "-m", "another way", cwd=worktree.path)


@pytest.mark.parametrize("move", [_reset, _by_its_ref, _by_a_push, _and_committed_on])
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen before", "never seen"])
async def test_a_branch_that_was_moved_by_hand_is_told_with_what_is_left_behind(bench: Bench, checkout: Path, move, is_seen: bool) -> None:
    worktree, tip = await with_commits(bench, checkout)
    if is_seen:
        await looked_at(bench, worktree)
    move(worktree, checkout)

    told = await looked_at(bench, worktree)
    again = await looked_at(bench, worktree)

    assert [way.kind for way in told.ways] == _THREE
    assert told.ways[0].why == (
        f"Branch “fix” was moved from {tip[:7]} to {worktree.base_sha[:7]} outside of Agor (3 commits are on no branch)."
    )
    assert "“step 3”" in told.ways[0].what
    assert not any(way.is_blocking for way in told.ways)
    assert again.ways == told.ways


async def test_a_branch_is_made_of_them(bench: Bench, checkout: Path) -> None:
    worktree, tip = await with_commits(bench, checkout)
    _reset(worktree, checkout)
    await looked_at(bench, worktree)

    after = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.BRANCH_COMMITS, key())

    assert git("rev-parse", f"fix-at-{tip[:7]}", cwd=checkout) == tip
    assert git("rev-parse", "fix", cwd=checkout) == worktree.base_sha
    assert after.ways == (await looked_at(bench, worktree)).ways == []


async def test_they_are_kept_aside_where_no_garbage_collection_takes_them(bench: Bench, checkout: Path) -> None:
    worktree, tip = await with_commits(bench, checkout)
    _reset(worktree, checkout)
    told = await looked_at(bench, worktree)

    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.KEEP_COMMITS, key())
    git("reflog", "expire", "--expire=now", "--all", cwd=checkout)
    git("gc", "-q", "--prune=now", cwd=checkout)

    ref = f"refs/agor/kept/{worktree.id}/{tip[:12]}"
    assert git("rev-parse", ref, cwd=checkout) == tip
    assert ref in told.ways[1].what
    assert (await looked_at(bench, worktree)).ways == []
    assert await bench.worktrees.losses(worktree.id) == []


async def test_what_was_let_go_is_told_no_more_and_is_no_loss(bench: Bench, checkout: Path) -> None:
    worktree, _ = await with_commits(bench, checkout)
    _reset(worktree, checkout)
    await looked_at(bench, worktree)

    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.LET_GO, key())

    assert (await looked_at(bench, worktree)).ways == []
    assert await bench.worktrees.losses(worktree.id) == []
    await bench.worktrees.remove(OWNER, worktree.id, key())


async def test_a_removal_lists_what_only_the_log_has(bench: Bench, checkout: Path) -> None:
    worktree, tip = await with_commits(bench, checkout)
    _reset(worktree, checkout)

    with pytest.raises(errors.WouldLoseWork, match=f"3 commits that branch fix was moved away from at {tip[:10]}, on no branch"):
        await bench.worktrees.remove(OWNER, worktree.id, key())
    await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)
    git("reflog", "expire", "--expire=now", "--all", cwd=checkout)
    git("gc", "-q", "--prune=now", cwd=checkout)

    assert git("log", "-1", "--format=%s", tip, cwd=checkout) == "step 3"  # the backup holds them


async def test_commits_on_no_branch_that_were_left_are_offered(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    git("checkout", "-q", "--detach", cwd=worktree.path)
    git("commit", "-q", "--allow-empty", "-m", "found by bisecting", cwd=worktree.path)
    tip = git("rev-parse", "HEAD", cwd=worktree.path)
    git("switch", "-q", "fix", cwd=worktree.path)

    told = await looked_at(bench, worktree)

    assert told.ways[0].why == f"HEAD left {tip[:7]} outside of Agor (1 commit is on no branch)."


def _amend(path: str) -> None:
    git("commit", "-q", "--amend", "--allow-empty", "-m", "better words", cwd=path)


def _rebase(path: str) -> None:
    git("rebase", "-q", "--force-rebase", "--no-keep-empty", "HEAD~2", cwd=path)


def _reset_and_back(path: str) -> None:
    git("reset", "-q", "--hard", "HEAD~2", cwd=path)
    git("reset", "-q", "--hard", "ORIG_HEAD", cwd=path)


def _reset_what_a_tag_has(path: str) -> None:
    git("tag", "before", cwd=path)
    git("reset", "-q", "--hard", "HEAD~3", cwd=path)


def _renamed(path: str) -> None:
    git("branch", "-m", "fix", "better", cwd=path)


def _switched(path: str) -> None:
    git("switch", "-q", "-c", "other", "HEAD~3", cwd=path)


@pytest.mark.parametrize("act", [_amend, _rebase, _reset_and_back, _reset_what_a_tag_has, _renamed, _switched])
async def test_what_leaves_nothing_behind_or_rewrites_on_purpose_is_not_told(bench: Bench, checkout: Path, act) -> None:
    worktree, _ = await with_commits(bench, checkout)
    await looked_at(bench, worktree)
    act(worktree.path)

    told = await looked_at(bench, worktree)

    assert told.ways == []


async def test_what_was_before_the_worktree_is_nobodys_news(bench: Bench, checkout: Path) -> None:
    git("switch", "-q", "-c", "old", cwd=checkout)
    git("commit", "-q", "--allow-empty", "-m", "given up long ago", cwd=checkout)
    git("reset", "-q", "--hard", "main", cwd=checkout)
    git("switch", "-q", "main", cwd=checkout)
    log = checkout / ".git" / "logs" / "refs" / "heads" / "old"
    log.write_text(log.read_text().replace("> 1", "> 0"))  # as if decades ago

    worktree = await bench.make(await bench.repo(checkout), branch="old", existing_branch=True)

    assert (await looked_at(bench, worktree)).ways == []


async def test_what_happened_while_a_turn_ran_is_not_called_outside(scene: Scene, repository: Path) -> None:
    session = await scene.session(agent="script", allow=True)
    turn = await scene.prompt(session, "git commit -q --allow-empty -m mine", "git reset -q --hard HEAD~1")
    await scene.ended(turn)

    await scene.agor.worktrees.status([scene.worktree.id], 0)
    told = await scene.agor.worktrees.get(scene.worktree.id)

    assert [way.kind for way in told.ways] == _THREE
    assert "while a turn ran (1 commit is on no branch)" in told.ways[0].why


def test_logs_are_read_as_data_within_a_bound(tmp_path: Path) -> None:
    admin, sha, other = tmp_path / "worktrees" / "fix", "a" * 40, "b" * 40
    (admin / "logs").mkdir(parents=True)
    log = tmp_path / "logs" / "refs" / "heads" / "fix"
    log.parent.mkdir(parents=True)
    now = int(datetime.now(UTC).timestamp())
    line = f"{sha} {other} t <t@t> {now} +0000\treset: moving to \x1b[31mx\n"
    log.write_text("garbage\n\0\n" + f"{sha} {other} t <t@t> 99999999999999999 +0000\treset:\n" + line * 100_000)
    (admin / "logs" / "HEAD").symlink_to(log)

    found = reflogs.moves(tmp_path, admin, "fix", datetime.now(UTC) - timedelta(seconds=5))

    assert [(one.old, one.new, one.is_detached) for one in found] == [(sha, other, False)]
    assert reflogs.moves(tmp_path, admin, "../../../worktrees/fix/logs/HEAD", datetime.now(UTC)) == []
