"""Branches that exist have the names that their makers gave them: of bots, issue trackers and people who do not write ASCII."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate, WorktreeState
from tests.git.conftest import git
from tests.sandbox.conftest import play
from tests.scene import Scene
from tests.services.conftest import OWNER, Bench
from tests.services.conftest import key as fresh

NAMES = [
    "dependabot/npm_and_yarn/@types/node-20",
    "feature/#12-login",
    "größe",
    "release/1.0+build",
    "fix(parser)/x",
    "user@host",
    "日本語",
    "it's;$(touch${IFS}x)",
    "a\u2028b",
    "con",
    "x" * 240,
    "v1.0-3-gdeadbeef",
]


@pytest.fixture
def config(config):
    return dataclasses.replace(config, sandbox="required")


def branch(checkout: Path, name: str) -> str:
    """With a commit of its own."""
    tree = git("rev-parse", "main^{tree}", cwd=checkout)
    sha = git("commit-tree", tree, "-p", "main", "-m", name, cwd=checkout)
    git("update-ref", f"refs/heads/{name}", sha, cwd=checkout)
    return sha


@pytest.mark.parametrize("name", NAMES)
async def test_a_branch_with_any_name_of_git_is_a_base_and_is_worked_on(bench: Bench, checkout: Path, name: str) -> None:
    sha = branch(checkout, name)
    repo = await bench.repo(checkout)
    assert name in {one.name for one in await bench.repos.branches(repo.id)}

    below = await bench.make(repo, "below", base=name)
    on_it = await bench.make(repo, "on it", branch=name, existing_branch=True)

    assert (below.state, below.base_sha, below.branch) == (WorktreeState.READY, sha, "below")
    assert (on_it.state, on_it.branch, on_it.has_own_branch) == (WorktreeState.READY, name, False)
    assert git("symbolic-ref", "HEAD", cwd=Path(on_it.path)) == f"refs/heads/{name}"
    (status,) = await bench.worktrees.status([on_it.id], 0)
    assert (status.branch, status.head, status.dirty) == (name, sha, False)
    with pytest.raises(errors.BranchTaken):
        await bench.make(repo, "again", branch=name, existing_branch=True)


async def test_it_is_archived_and_restored_on_its_branch(bench: Bench, checkout: Path) -> None:
    name = "feature/#12-größe"
    branch(checkout, name)
    worktree = await bench.make(await bench.repo(checkout), branch=name, existing_branch=True)
    (Path(worktree.path) / "new.txt").write_text("kept\n")
    await bench.worktrees.archive(OWNER, worktree.id, fresh())

    await bench.worktrees.restore(OWNER, worktree.id, fresh())
    back = await bench.worktrees.wait_ready(worktree.id)

    assert back.state is WorktreeState.READY, back.reason
    assert git("symbolic-ref", "HEAD", cwd=Path(back.path)) == f"refs/heads/{name}"
    assert (Path(back.path) / "new.txt").read_text() == "kept\n"


async def test_names_that_differ_in_case_are_two_branches_here(bench: Bench, checkout: Path) -> None:
    branch(checkout, "feature2")
    branch(checkout, "FEATURE2")
    repo = await bench.repo(checkout)
    await bench.make(repo, "upper", branch="FEATURE2", existing_branch=True)

    lower = await bench.make(repo, "lower", branch="feature2", existing_branch=True)
    new = await bench.make(repo, "new", branch="Feature2")

    assert (lower.state, new.state) == (WorktreeState.READY, WorktreeState.READY)


async def test_they_are_one_where_the_repository_says_so(bench: Bench, checkout: Path) -> None:
    git("config", "core.ignoreCase", "true", cwd=checkout)
    branch(checkout, "feature2")
    repo = await bench.repo(checkout)

    with pytest.raises(errors.AlreadyExists, match="same name"):
        await bench.make(repo, branch="FEATURE2")
    with pytest.raises(errors.BranchInTheWay):
        await bench.make(repo, branch="Feature2/x")
    await bench.make(repo, "first", branch="feature2", existing_branch=True)
    with pytest.raises(errors.AlreadyExists):
        await bench.make(repo, "second", branch="FEATURE2", existing_branch=True)


@pytest.mark.parametrize(("there", "wanted"), [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c"), ("a/b/c", "a/b")])
async def test_a_branch_in_the_way_is_named_before_anything_is_made(bench: Bench, checkout: Path, there: str, wanted: str) -> None:
    branch(checkout, there)
    repo = await bench.repo(checkout)

    with pytest.raises(errors.BranchInTheWay) as caught:
        await bench.make(repo, "fix", branch=wanted)

    assert repr(there) in str(caught.value)
    assert await bench.worktrees.list() == []
    suggestion = caught.value.details["suggestion"]
    assert suggestion is None or (await bench.make(repo, "fix", branch=suggestion)).state is WorktreeState.READY


async def test_one_that_is_being_made_is_in_the_way_too(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    first = await bench.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="a"), fresh())

    with pytest.raises(errors.BranchInTheWay):
        await bench.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="b", branch="a/b"), fresh())

    assert (await bench.worktrees.wait_ready(first.id)).state is WorktreeState.READY


async def test_an_archived_one_whose_place_was_taken_comes_back_on_no_branch(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    worktree = await bench.make(repo, "a", branch="a")
    await bench.worktrees.archive(OWNER, worktree.id, fresh())
    git("branch", "-m", "a", "a/old", cwd=checkout)

    restored = await bench.worktrees.restore(OWNER, worktree.id, fresh())

    assert restored.state is WorktreeState.READY
    assert "does not let it be made again" in (restored.reason or "")
    assert git("rev-parse", "HEAD", cwd=restored.path) == git("rev-parse", "a/old", cwd=checkout)


async def test_a_branch_that_was_checked_out_elsewhere_meanwhile_is_not_checked_out_twice(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    worktree = await bench.make(repo)
    shutil.rmtree(worktree.path)
    with pytest.raises(errors.WorktreeNotReady):
        await bench.worktrees.status([worktree.id], 0)
    git("worktree", "unlock", worktree.path, cwd=checkout)
    git("worktree", "prune", cwd=checkout)
    git("worktree", "add", "-q", "../elsewhere", "fix", cwd=checkout)

    try:
        await bench.worktrees.retry(OWNER, worktree.id, fresh())
        reason = (await bench.worktrees.wait_ready(worktree.id)).reason or ""
    except errors.BranchTaken as error:
        reason = str(error)

    assert "checked out in" in reason
    assert "elsewhere" in reason
    assert git("worktree", "list", cwd=checkout).count("[fix]") == 1


async def test_a_name_that_is_not_utf_8_is_listed_and_does_not_break_the_list(bench: Bench, checkout: Path) -> None:
    raw = os.fsencode(str(checkout / ".git/refs/heads")) + b"/gr\xf6\xdfe"
    Path(os.fsdecode(raw)).write_text(git("rev-parse", "main", cwd=checkout) + "\n")
    repo = await bench.repo(checkout)

    found = [one.encode() for one in await bench.repos.branches(repo.id)]

    assert any(b"gr\\\\xf6" in one for one in found)


async def test_an_agent_commits_to_it_in_its_sandbox(agor, owner, key, repository):
    name = "feature/#12-größe(x)@y"
    git("branch", name, cwd=repository)
    repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
    asked = WorktreeCreate(repo=repo.id, name="odd", branch=name, existing_branch=True)
    worktree = await agor.worktrees.wait_ready((await agor.worktrees.create(owner, asked, key())).id)
    scene = Scene(agor, owner, key, worktree)

    _, said = await play(scene, await scene.session(), "git symbolic-ref --short HEAD; echo 1 > new; git add new; git commit -qm inside")

    assert said.strip() == name
    assert git("log", "-1", "--format=%s", f"refs/heads/{name}", cwd=repository) == "inside"


@pytest.mark.parametrize("name", [*NAMES, "{{7-7}}", "{{worktree.path}}", "{%raw%}x", "{#-x-#}", "a`$(id)`b", "'\"</system>&amp;"])
async def test_any_name_stands_in_a_template_as_it_is(agor, owner, repository: Path, name: str) -> None:
    branch(repository, name)
    repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), fresh())
    request = WorktreeCreate(repo=repo.id, name="odd", branch=name, existing_branch=True, base=name)
    worktree = await agor.worktrees.create(owner, request, fresh())
    await agor.worktrees.wait_ready(worktree.id)
    session = await agor.sessions.create(owner, SessionCreate(worktree_id=worktree.id, agent="script"), fresh())
    source = "{{ worktree.branch }}|{{ worktree.base_ref }}|{% if worktree.branch == worktree.base_ref %}same{% endif %}"

    rendered = await agor.templates.render(owner, session.id, source)

    assert rendered.text == f"{name}|{name}|same"
