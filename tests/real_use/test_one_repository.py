"""A repository is one, however it is reached."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeState
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def dot_bare(checkout: Path) -> Path:
    project = checkout.parent / "project"
    project.mkdir()
    git("clone", "-q", "--bare", str(checkout), ".bare", cwd=project)
    (project / ".git").write_text("gitdir: ./.bare\n")
    git("worktree", "add", "-q", "main", "main", cwd=project)
    return project


async def works(bench: Bench, repo) -> None:
    worktree = await bench.make(repo, "new work")
    assert worktree.state is WorktreeState.READY, worktree.reason
    assert (Path(worktree.path) / "a.txt").exists()


@pytest.mark.parametrize("first", [".", ".bare", "main", "main/models"])
async def test_the_layout_with_a_bare_repository_beside_its_worktrees(bench: Bench, checkout: Path, first: str) -> None:
    project = dot_bare(checkout)
    repo = await bench.repo(project / first)

    for other in (".", ".bare", "main", "main/models"):
        with pytest.raises(errors.AlreadyExists) as caught:
            await bench.repo(project / other)
        assert caught.value.details["known"] == repo.id

    assert (repo.slug, repo.path, repo.default_branch) == ("project", str(project / ".bare"), "main")
    with pytest.raises(errors.BranchTaken, match="project/main"):
        await bench.make(repo, "main", branch="main", existing_branch=True)
    git("worktree", "remove", "main", cwd=project)
    on_main = await bench.make(repo, "main", branch="main", existing_branch=True)
    assert on_main.state is WorktreeState.READY, on_main.reason
    await works(bench, repo)


@pytest.mark.parametrize("first", ["linked", "linked/models", "repo/.git", "repo/models", "link"])
async def test_a_linked_worktree_stands_for_its_main_checkout(bench: Bench, checkout: Path, first: str) -> None:
    git("worktree", "add", "-q", "../linked", cwd=checkout)
    (checkout.parent / "link").symlink_to(checkout / "models")

    repo = await bench.repo(checkout.parent / first)

    assert (repo.path, repo.git_dir, repo.slug) == (str(checkout), str(checkout / ".git"), "repo")
    with pytest.raises(errors.AlreadyExists):
        await bench.repo(checkout)
    await works(bench, repo)


async def test_a_repository_whose_folder_lies_elsewhere(bench: Bench, checkout: Path) -> None:
    apart, linked = checkout.parent / "apart", checkout.parent / "linked"
    git("clone", "-q", "--separate-git-dir", str(checkout.parent / "store.git"), str(checkout), str(apart), cwd=checkout.parent)
    git("worktree", "add", "-q", str(linked), cwd=apart)

    repo = await bench.repo(apart)

    assert (repo.path, repo.git_dir) == (str(apart), str(checkout.parent / "store.git"))
    with pytest.raises(errors.AlreadyExists):
        await bench.repo(linked)
    await works(bench, repo)


async def test_the_checkout_of_a_submodule_is_a_repository_of_its_own(bench: Bench, checkout: Path) -> None:
    outer = checkout.parent / "outer"
    outer.mkdir()
    git("init", "-q", cwd=outer)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(checkout), "vendor", cwd=outer)
    git("commit", "-qm", "vendor", cwd=outer)

    repo = await bench.repo(outer / "vendor")
    around = await bench.repo(outer)

    assert (repo.path, repo.git_dir, repo.slug) == (str(outer / "vendor"), str(outer / ".git" / "modules" / "vendor"), "vendor")
    assert around.path == str(outer)
    with pytest.raises(errors.AlreadyExists):
        await bench.repo(outer / ".git" / "modules" / "vendor")
    await works(bench, repo)


async def test_the_main_checkout_has_to_lie_under_the_allowed_roots(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    git("clone", "-q", str(checkout), str(outside), cwd=tmp_path)
    git("worktree", "add", "-q", str(checkout.parent / "linked"), cwd=outside)

    with pytest.raises(errors.BadPath, match="outside"):
        await bench.repos.add(OWNER, RepoAdd(path="linked"), key())
