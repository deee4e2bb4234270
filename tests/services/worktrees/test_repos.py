import asyncio
import os
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import Repo, RepoAdd, RepoState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.worktrees.repos import Repos
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key

from_a_folder = pytest.mark.parametrize("clone_protocols", [("https", "ssh", "file")], ids=["file"])


async def cloned(bench: Bench, url: str) -> Repo:
    """Clone and wait until it is over."""
    repo = await bench.repos.add(OWNER, RepoAdd(url=url), key())
    while (repo := await bench.repos.get(repo.id)).state is RepoState.CLONING:
        await asyncio.sleep(0.01)
    return repo


async def test_a_checkout_is_registered_where_it_really_is(bench: Bench, checkout: Path) -> None:
    (checkout.parent / "link").symlink_to(checkout)

    repo = await bench.repos.add(OWNER, RepoAdd(path="link"), key())

    assert (repo.path, repo.git_dir, repo.slug) == (str(checkout), str(checkout / ".git"), "repo")
    assert (repo.state, repo.default_branch) == (RepoState.READY, "main")
    assert await bench.repos.get("repo") == await bench.repos.get(repo.id) == repo


async def test_slugs_are_made_unique(bench: Bench, checkout: Path) -> None:
    first = await bench.repo(checkout)
    other = checkout.parent / "x" / "Repo"
    other.mkdir(parents=True)
    git("init", "-q", cwd=other)

    second = await bench.repo(other)

    assert (first.slug, second.slug) == ("repo", "repo-2")


async def test_the_same_checkout_is_registered_once(bench: Bench, checkout: Path) -> None:
    once = key()
    repo = await bench.repos.add(OWNER, RepoAdd(path=str(checkout)), once)

    assert await bench.repos.add(OWNER, RepoAdd(path=str(checkout)), once) == repo
    with pytest.raises(errors.AlreadyExists):
        await bench.repo(checkout)


@pytest.mark.parametrize("path", ["/etc", "../outside", "escape", "/", "escape/../../outside", "a\0b"])
async def test_a_path_outside_the_allowed_roots_is_refused(bench: Bench, checkout: Path, path: str) -> None:
    outside = checkout.parent.parent / "outside"
    outside.mkdir()
    git("init", "-q", cwd=outside)
    (checkout.parent / "escape").symlink_to(outside)

    with pytest.raises(errors.BadPath):
        await bench.repos.add(OWNER, RepoAdd(path=path), key())

    assert await bench.repos.list() == []


async def test_a_checkout_whose_repository_lies_outside_is_refused(bench: Bench, checkout: Path) -> None:
    outside = checkout.parent.parent / "outside"
    outside.mkdir()
    git("init", "-q", cwd=outside)
    inside = checkout.parent / "inside"
    inside.mkdir()
    (inside / ".git").write_text(f"gitdir: {outside}/.git\n")

    with pytest.raises(errors.BadPath, match="outside"):
        await bench.repos.add(OWNER, RepoAdd(path=str(inside)), key())


async def test_a_folder_that_is_no_repository_says_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "root" / "plain").mkdir()

    with pytest.raises(errors.NotARepository, match="git init"):
        await bench.repos.add(OWNER, RepoAdd(path="plain"), key())
    with pytest.raises(errors.BadPath, match="no such folder"):
        await bench.repos.add(OWNER, RepoAdd(path="nothing"), key())


async def test_a_bare_repository_works(bench: Bench, checkout: Path) -> None:
    git("clone", "-q", "--bare", str(checkout), "bare.git", cwd=checkout.parent)

    repo = await bench.repo(checkout.parent / "bare.git")
    worktree = await bench.make(repo)

    assert (repo.path, repo.slug) == (str(checkout.parent / "bare.git"), "bare")
    assert worktree.reason is None
    assert (Path(worktree.path) / "a.txt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_repository_of_another_user_is_refused_with_what_to_do(bench: Bench, checkout: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (checkout, checkout / ".git"):
        os.chown(path, 12345, 12345)

    with pytest.raises(errors.BadPath, match="safe.directory"):
        await bench.repo(checkout)
    git("config", "--file", str(tmp_path / ".gitconfig"), "safe.directory", str(checkout), cwd=tmp_path)

    assert (await bench.repo(checkout)).state is RepoState.READY


@pytest.mark.parametrize(
    "url",
    [
        *("ext::sh -c touch% /tmp/x", "fd::17", "file:///etc", "/etc/repo", "../repo", "-u", "--upload-pack=x", "ssh://-oProxyCommand=x/y"),
        *(
            "git://example.org/x",
            "http://example.org/x",
            "https://ann:secret@example.org/x.git",
            "https://token@example.org/x",
            "ssh://h/ x",
        ),
        *(
            "-oProxyCommand=x:y",
            "ann@-h:x",
            "https://",
            "https://-x/y",
            "ssh://ann:pw@h/x",
            "https://example.org/a\nb",
            "a:/b",
            "C:\\x",
            "",
        ),
        *("https://exаmple.org/x", "HTTPS://example.org/x", "ssh+git://h/x", "https://h:22x/y", "file://h/x", "host::ext"),
    ],
)
async def test_a_url_that_is_not_allowed_is_refused_before_git_starts(bench: Bench, url: str, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(errors.BadUrl) as caught:
        await bench.repos.add(OWNER, RepoAdd(url=url), key())

    assert "secret" not in str(caught.value)
    assert await bench.repos.list() == []


@pytest.mark.parametrize(
    "url", ["https://example.org/a/b.git", "ssh://git@example.org:22/a", "git@example.org:a/b.git", "example.org:a", "git@h:/abs"]
)
def test_usual_urls_are_taken(url: str) -> None:
    from agor_jupyter.git.names import check_url

    assert check_url(url, ("https", "ssh")) == url


@from_a_folder
async def test_a_clone_tells_its_progress_and_is_ready(bench: Bench, checkout: Path) -> None:
    seen = []
    bench.store.listen(lambda events: seen.extend(encoded for _, encoded in events))

    repo = await cloned(bench, f"file://{checkout}")

    assert (repo.state, repo.reason, repo.progress, repo.default_branch) == (RepoState.READY, None, None, "main")
    assert repo.url == f"file://{checkout}"
    assert (Path(repo.path) / "a.txt").exists()
    assert Path(repo.path).parent == bench.config.data_dir / "repos"
    assert seen
    worktree = await bench.make(repo)
    assert worktree.reason is None
    assert [branch.name for branch in await bench.repos.branches(repo.id)] == ["fix", "main", "origin/main"]


@from_a_folder
async def test_a_clone_that_fails_leaves_nothing_but_its_reason(bench: Bench, tmp_path: Path) -> None:
    repo = await cloned(bench, f"file://{tmp_path}/nothing")

    assert repo.state is RepoState.FAILED
    assert "could not clone" in (repo.reason or "")
    assert list((bench.config.data_dir / "repos").iterdir()) == []


@from_a_folder
async def test_a_clone_with_hostile_hooks_and_submodules_runs_nothing(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    (template / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/MARKER\n")
    (template / "post-checkout").chmod(0o755)
    os.environ["GIT_TEMPLATE_DIR"] = str(tmp_path / "template")
    os.environ["GIT_SSH_COMMAND"] = os.environ["GIT_EXTERNAL_DIFF"] = f"touch {tmp_path}/MARKER"
    (checkout / ".gitmodules").write_text('[submodule "s"]\n\tpath = s\n\turl = ext::touch MARKER\n')
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "sub", cwd=checkout)
    try:
        repo = await cloned(bench, f"file://{checkout}")
    finally:
        for name in ("GIT_TEMPLATE_DIR", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF"):
            del os.environ[name]

    assert repo.state is RepoState.READY
    assert not (tmp_path / "MARKER").exists()
    assert not (Path(repo.path) / ".git" / "hooks").exists()


@from_a_folder
async def test_a_cancelled_clone_is_cleaned_up_and_told_at_the_next_start(
    bench: Bench, checkout: Path, tmp_path: Path, monkeypatch
) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text(f'#!/bin/sh\nfor last; do :; done\nmkdir -p "$last/objects"\necho $$ > {tmp_path}/pid\nexec sleep 60\n')
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    repo = await bench.repos.add(OWNER, RepoAdd(url=f"file://{checkout}"), key())
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        await asyncio.sleep(0.01)

    await bench.repos.close()
    monkeypatch.undo()
    again = Repos(bench.store, bench.config, Clock())
    await again.start()

    failed = await again.get(repo.id)
    assert (failed.state, failed.reason) == (RepoState.FAILED, "the server stopped while it was being cloned")
    assert not (Path("/proc") / (tmp_path / "pid").read_text().strip()).exists()
    assert list((bench.config.data_dir / "repos").iterdir()) == []


async def test_a_repo_with_worktrees_is_not_forgotten(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    worktree = await bench.make(repo)

    with pytest.raises(errors.Conflict, match="has worktrees"):
        await bench.repos.remove(OWNER, repo.id, key())
    await bench.worktrees.remove(OWNER, worktree.id, key())
    await bench.repos.remove(OWNER, repo.id, key())

    assert await bench.repos.list() == []
    assert (checkout / "a.txt").exists()
    with pytest.raises(errors.RepoNotFound):
        await bench.repos.get(repo.slug)


async def test_only_an_owner_registers(bench: Bench, checkout: Path) -> None:
    steerer = Caller(person=Person(username="ben", name="Ben"), role=Role.STEERER)

    with pytest.raises(errors.NotAllowed):
        await bench.repos.add(steerer, RepoAdd(path=str(checkout)), key())
