"""What an agent did not finish in its sandbox, and what is kept beside the branch, is said where a person looks."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import WorkKind
from agor_jupyter.domain.worktrees import KeptKind, TakeRequest
from tests.sandbox.conftest import git, play
from tests.sandbox.test_keeping import _meanwhile, commit, committed

CLASH = (
    "git switch -q -c side; for f in load.py model.sql; do echo a > $f; done; git commit -qam a",
    "git switch -q -; for f in load.py model.sql; do echo b > $f; done; git commit -qam b",
)


async def _status(scene):
    [found] = await scene.agor.worktrees.status([scene.worktree.id], 0)
    return found


@pytest.mark.parametrize(("command", "word"), [("merge", "merge"), ("rebase", "rebase"), ("cherry-pick", "cherry-pick")])
async def test_an_operation_under_way_inside_is_in_the_status(scene, command, word):
    session = await scene.session()
    assert (await _status(scene)).inside is None

    await play(scene, session, *CLASH, f"git {command} side > /dev/null 2>&1 || true")

    status = await _status(scene)
    assert (status.inside.operation, status.inside.conflicted, status.inside.names) == (word, 2, ["load.py", "model.sql"])
    [work] = [one for one in status.work if one.kind is WorkKind.SANDBOX]
    assert work.text == f"{word} under way in the sandbox: 2 files in conflict (load.py, model.sql)"
    assert work in await scene.agor.worktrees.losses(scene.worktree.id)
    assert status.operation is None  # the person's own git has none

    await play(scene, session, f"git {command} --abort")

    assert (await _status(scene)).inside is None


async def test_a_merge_under_way_inside_goes_on_after_an_archive(scene):
    session = await scene.session()
    await play(scene, session, *CLASH, "git merge side > /dev/null 2>&1 || true", "echo both > load.py; git add load.py")
    before = await _status(scene)

    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())
    await scene.agor.worktrees.restore(scene.caller, scene.worktree.id, scene.key())
    await scene.agor.worktrees.wait_ready(scene.worktree.id)

    assert (await _status(scene)).inside == before.inside
    session = await scene.session()
    _, said = await play(
        scene,
        session,
        "git status --porcelain; cat load.py",
        "git checkout -q --ours model.sql; git commit -qam merged; git log --merges --format=%s",
    )
    assert "UU model.sql" in said
    assert "both" in said
    assert said.strip().endswith("merged")
    assert (await _status(scene)).inside is None


async def test_conflicts_of_a_stash_are_told_without_an_operation(scene):
    session = await scene.session()

    await play(
        scene, session, "echo a > load.py; git stash -q; echo b > load.py; git commit -qam b; git stash pop > /dev/null 2>&1 || true"
    )

    status = await _status(scene)
    assert (status.inside.operation, status.inside.names) == (None, ["load.py"])
    assert [one.text for one in status.work if one.kind is WorkKind.SANDBOX] == ["1 file in conflict in the sandbox (load.py)"]


@pytest.mark.parametrize(
    "wreck", ["printf DIRC > {0}", "rm {0}; ln -s /etc/passwd {0}", "rm {0}; mkdir {0}", "head -c 3000 /dev/urandom > {0}"]
)
async def test_an_index_that_an_agent_ruined_does_not_hide_the_status(scene, wreck):
    session = await scene.session()

    await play(scene, session, wreck.format('"$(git rev-parse --git-dir)/index"'))

    assert (await _status(scene)).inside is None


async def test_what_is_kept_is_listed_with_what_the_branch_has_not(scene, repository):
    session = await scene.session()
    _, said = await play(
        scene,
        session,
        *("git switch -q -c side", commit("one"), commit("two"), "git tag -a -m release v1; git switch -q -"),
        "echo 1 > README.md; git stash -q; git notes add -m remark HEAD; git tag here",
        *("git switch -q --detach", commit("three"), "git switch -q -"),
    )
    made = committed(said)

    kept = await scene.agor.sandboxes.kept_commits.list(scene.worktree.id)
    found = {one.kind: one for one in kept}

    branch = scene.worktree.branch
    assert found[KeptKind.BRANCH].commit == made["two"]
    assert (found[KeptKind.BRANCH].commits, found[KeptKind.BRANCH].can_take) == (2, True)
    assert found[KeptKind.BRANCH].text == f"The agent's branch side: 2 commits that branch {branch} has not, the last “two”"
    assert found[KeptKind.BRANCH].line == f"git branch side {found[KeptKind.BRANCH].ref}"
    tags = {one.text.partition(":")[0].partition(";")[0]: one.commits for one in kept if one.kind is KeptKind.TAG}
    assert tags == {"The agent's tag v1": 2, "The agent's tag here": 0}
    assert not found[KeptKind.STASH].can_take
    assert found[KeptKind.STASH].line.startswith("git stash apply refs/agor/sandbox/")
    assert not found[KeptKind.NOTES].can_take
    for one in found.values():  # the advice works when typed
        if one.kind is not KeptKind.NOTES:
            git(*one.line.split()[1:], cwd=Path(scene.worktree.path))


async def test_taking_says_first_what_it_does_and_does_just_that(scene, repository):
    session = await scene.session()
    path = Path(scene.worktree.path)

    def person(path):
        (path / "mine").write_text("mine\n")
        git("add", "mine", cwd=path)
        git("commit", "-qm", "by a person", cwd=path)

    await _meanwhile(
        scene,
        session,
        "true",
        person,
        f"{commit('one')}; echo more >> one; git switch -q -c side; echo 2 > two; git add two; git commit -qm two; rm two",
    )
    objects = sum(1 for _ in (repository / ".git" / "objects").rglob("*"))
    [side] = [one for one in await scene.agor.sandboxes.kept_commits.list(scene.worktree.id) if one.ref.endswith("/heads/side")]

    would = await scene.agor.sandboxes.kept_commits.would_take(scene.worktree.id, side.ref)

    assert (would.branch, would.commits, would.subjects, would.is_merge) == (scene.worktree.branch, 2, ["two", "one"], True)
    assert (would.written, would.left, would.refusal) == (["two"], ["one"], None)
    assert sum(1 for _ in (repository / ".git" / "objects").rglob("*")) == objects  # looking leaves nothing behind

    taken = await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(ref=would.ref), scene.key())

    assert taken.left == would.left
    assert (path / "two").read_text() == "2\n"
    [after] = [one for one in await scene.agor.sandboxes.kept_commits.list(scene.worktree.id) if one.ref == would.ref]
    assert (after.commits, after.can_take) == (0, False)


async def test_what_cannot_be_taken_says_why_and_what_would_work(scene):
    session = await scene.session()
    path = Path(scene.worktree.path)

    def person(path):
        (path / "load.py").write_text("by a person\n")
        git("commit", "-qam", "by a person", cwd=path)

    await _meanwhile(
        scene, session, "true", person, "git switch -q -c side; echo agent > load.py; git commit -qam agent; git stash -q || true"
    )
    await play(scene, session, "git switch -q side; echo x >> README.md; git stash -q")
    found = await scene.agor.sandboxes.kept_commits.list(scene.worktree.id)
    kept = {one.kind: one for one in found if one.kind is not KeptKind.BRANCH or one.ref.endswith("/heads/side")}

    would = await scene.agor.sandboxes.kept_commits.would_take(scene.worktree.id, kept[KeptKind.BRANCH].ref)
    with pytest.raises(errors.BadRequest) as stash:
        await scene.agor.sandboxes.kept_commits.would_take(scene.worktree.id, kept[KeptKind.STASH].ref)

    assert would.refusal is not None
    assert would.refusal.startswith("Both sides changed the same lines of load.py.")
    assert f"`git merge {would.ref}`" in would.refusal
    assert f"`git stash apply {kept[KeptKind.STASH].ref}`" in stash.value.message
    assert path.is_dir()
