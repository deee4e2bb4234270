"""Clones that have not all objects, not all history, or not all files."""

import dataclasses
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate, WorktreeState
from agor_jupyter.services.app import Agor
from tests.git.conftest import git
from tests.sandbox.conftest import notices, play
from tests.scene import Scene
from tests.services.conftest import OWNER, Bench, key

FILTERS = ["blob:none", "tree:0"]


@pytest.fixture
def upstream(checkout: Path, tmp_path: Path) -> Path:
    """`main` and `other`, which share few files; each file is in a folder."""
    path = tmp_path / "up"
    git("clone", "-q", str(checkout), str(path), cwd=tmp_path)
    git("config", "uploadpack.allowFilter", "true", cwd=path)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=path)
    for at in range(5):
        (path / f"folder{at}").mkdir()
        (path / f"folder{at}" / "x.txt").write_text(f"main {at}\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "second", cwd=path)
    git("switch", "-qc", "other", cwd=path)
    for at in range(5):
        (path / f"folder{at}" / "x.txt").write_text(f"other {at}\n")
    git("commit", "-qam", "third", cwd=path)
    git("switch", "-q", "main", cwd=path)
    return path


def clone(upstream: Path, checkout: Path, *options: str) -> Path:
    target = checkout.parent / "part"
    git("clone", "-q", *options, f"file://{upstream}", str(target), cwd=checkout.parent)
    return target


def packs(repository: Path) -> int:
    return len(list((repository / ".git" / "objects" / "pack").glob("*.pack")))


@pytest.fixture
def clone_protocols() -> tuple[str, ...]:
    return ("https", "ssh", "file")


@pytest.mark.parametrize("kind", FILTERS)
async def test_what_a_worktree_needs_is_fetched_in_one_batch(bench: Bench, checkout: Path, upstream: Path, kind: str) -> None:
    part = clone(upstream, checkout, f"--filter={kind}")
    repo = await bench.repo(part)
    before = packs(part)

    worktree = await bench.make(repo, base="other")

    assert worktree.state is WorktreeState.READY, worktree.reason
    path = Path(worktree.path)
    assert [(path / f"folder{at}" / "x.txt").read_text() for at in range(5)] == [f"other {at}\n" for at in range(5)]
    assert packs(part) <= before + (1 if kind == "blob:none" else 2)
    assert git("status", "--porcelain", cwd=path) == ""
    assert (await bench.make(repo, "again", base="other")).state is WorktreeState.READY
    assert packs(part) <= before + (1 if kind == "blob:none" else 2)


@pytest.mark.parametrize("kind", FILTERS)
async def test_status_diff_archive_and_restore_fetch_what_they_need(bench: Bench, checkout: Path, upstream: Path, kind: str) -> None:
    part = clone(upstream, checkout, f"--filter={kind}", "--branch", "other")
    git("branch", "main", "origin/main", cwd=part)
    git("branch", "work", "origin/other", cwd=part)
    git("switch", "-q", "main", cwd=part)
    repo = await bench.repo(part)
    worktree = await bench.make(repo, branch="work", base="origin/main", existing_branch=True)
    (Path(worktree.path) / "folder0" / "x.txt").write_text("mine\n")

    (status,) = await bench.worktrees.status([worktree.id], 0)
    patch = await bench.worktrees.diff(worktree.id)
    await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.wait_ready(worktree.id)

    assert (status.ahead, status.files, status.unstaged) == (1, 5, 1)
    assert {"-main 1", "+other 1", "+mine"} <= set(patch.text.split("\n"))
    assert back.state is WorktreeState.READY, back.reason
    assert (Path(back.path) / "folder0" / "x.txt").read_text() == "mine\n"


async def test_they_come_only_from_where_an_owner_registered_and_the_sentence_helps(
    bench: Bench, checkout: Path, upstream: Path, tmp_path: Path
) -> None:
    part = clone(upstream, checkout, "--filter=blob:none")
    repo = await bench.repo(part)
    git("config", "protocol.ext.allow", "always", cwd=part)
    git("config", "remote.origin.url", f"ext::touch {tmp_path}/MARKER", cwd=part)

    failed = await bench.make(repo, base="other")

    assert failed.state is WorktreeState.FAILED
    assert "5 objects needed to check the files out" in (failed.reason or "")
    assert not (tmp_path / "MARKER").exists()
    git("config", "remote.origin.url", f"file://{upstream}", cwd=part)
    advice = (failed.reason or "").rpartition("try again: git ")[2]
    git(*advice.split(" "), cwd=part)
    git("config", "remote.origin.url", "https://elsewhere.example/x", cwd=part)
    await bench.worktrees.retry(OWNER, failed.id, key())
    again = await bench.worktrees.wait_ready(failed.id)
    assert again.state is WorktreeState.READY, again.reason


@pytest.mark.parametrize("url", ["https://me:secret@example.org/x", "ext::sh", "http://example.org/x", "/tmp/x", None])
async def test_an_address_that_is_not_allowed_is_neither_kept_nor_asked(
    bench: Bench, checkout: Path, upstream: Path, url: str | None
) -> None:
    part = clone(upstream, checkout, "--filter=blob:none")
    git("config", *(["remote.origin.url", url] if url else ["--unset", "remote.origin.url"]), cwd=part)
    repo = await bench.repo(part)

    failed = await bench.make(repo, base="other")

    assert repo.promisor_url is None
    assert "partial clone" in (failed.reason or "")
    assert "secret" not in (failed.reason or "")


async def test_a_server_that_does_not_answer_is_told(bench: Bench, checkout: Path, upstream: Path) -> None:
    repo = await bench.repo(clone(upstream, checkout, "--filter=blob:none"))
    upstream.rename(upstream.with_name("gone"))

    failed = await bench.make(repo, base="other")

    assert failed.state is WorktreeState.FAILED
    assert "could not fetch missing objects" in (failed.reason or "")
    assert "--refetch" in (failed.reason or "")


async def scene_of(app: Agor, path: Path, owner, fresh, **fields) -> Scene:
    repo = await app.repos.add(owner, RepoAdd(path=str(path)), fresh())
    made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix", **fields), fresh())
    worktree: Worktree = await app.worktrees.wait_ready(made.id)
    assert worktree.state is WorktreeState.READY, worktree.reason
    return Scene(app, owner, fresh, worktree)


@pytest.fixture
def sandboxed(config, monkeypatch, tmp_path):
    (tmp_path / "person").mkdir()
    (tmp_path / "person" / ".gitconfig").write_text("[user]\n\tname = Me\n\temail = me@example.org\n")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    return dataclasses.replace(config, sandbox="required", clone_protocols=("file",))


async def test_an_agent_reads_and_commits_in_its_sandbox(sandboxed, owner, checkout: Path, upstream: Path) -> None:
    part = clone(upstream, checkout, "--filter=blob:none")
    async with Agor(sandboxed) as app:
        scene = await scene_of(app, part, owner, key, base="other")
        session = await scene.session()

        _, said = await play(
            scene,
            session,
            "git status --porcelain; git log -p --format=%s -1 -- folder1 | tail -1; echo new > folder1/x.txt; git commit -qam inside; git gc -q",
            "git log -p --format=%s -3 -- folder1 | grep -c . ",
        )

        assert said.split("\n")[0] == "+other 1"
        assert git("log", "-1", "--format=%s", "fix", cwd=part) == "inside"
        assert git("show", "fix:folder1/x.txt", cwd=part) == "new"
        assert await notices(scene, session) == ["partial_clone"]


async def test_what_is_not_there_in_the_sandbox_is_said_by_git_and_nothing_waits(sandboxed, owner, checkout: Path, upstream: Path) -> None:
    part = clone(upstream, checkout, "--filter=blob:none")
    async with Agor(sandboxed) as app:
        scene = await scene_of(app, part, owner, key)

        _, said = await play(
            scene, await scene.session(), "git log -p -1 origin/other 2>&1 | tail -1; echo new > new; git add new; git commit -qm inside"
        )

        assert "from promisor remote" in said
        assert git("log", "-1", "--format=%s", "fix", cwd=part) == "inside"


async def test_a_shallow_clone(sandboxed, owner, checkout: Path, upstream: Path) -> None:
    shallow = clone(upstream, checkout, "--depth=1", "--no-single-branch")
    git("branch", "work", "origin/other", cwd=shallow)
    async with Agor(sandboxed) as app:
        scene = await scene_of(app, shallow, owner, key)
        other = await app.worktrees.create(
            owner, WorktreeCreate(repo=scene.worktree.repo_id, name="other", branch="work", existing_branch=True), key()
        )
        other = await app.worktrees.wait_ready(other.id)

        _, said = await play(scene, await scene.session(), "git log --format=%s | cat; echo 1 > new; git add new; git commit -qm inside")

        assert other.state is WorktreeState.READY, other.reason
        assert said.split("\n") == ["second", ""]
        assert git("log", "--format=%s", "fix", cwd=shallow).split("\n") == ["inside", "second"]
        (status, others) = await app.worktrees.status([scene.worktree.id, other.id], 0)
        assert (status.ahead, status.behind, status.files) == (1, 0, 1)
        assert others.files == 5
        with pytest.raises(errors.WouldLoseWork, match="1 commit of branch fix, on no"):
            await app.worktrees.remove(owner, scene.worktree.id, key())
        git("fetch", "-q", "--unshallow", cwd=shallow)
        assert (await app.worktrees.status([scene.worktree.id], 0))[0].ahead == 1


@pytest.mark.parametrize("options", [["--cone", "folder1"], ["--no-cone", "/a.txt", "folder1/"], ["--cone", "--sparse-index", "folder1"]])
@pytest.mark.parametrize("is_partial", [False, True])
async def test_a_worktree_of_a_sparse_checkout_is_sparse_and_nothing_in_it_is_deleted(
    bench: Bench, checkout: Path, upstream: Path, options: list[str], is_partial: bool
) -> None:
    part = clone(upstream, checkout, *(["--filter=blob:none", "--sparse"] if is_partial else []))
    git("sparse-checkout", "set", *options, cwd=part)
    repo = await bench.repo(part)

    worktree = await bench.make(repo, base="other")
    path = Path(worktree.path)

    assert worktree.state is WorktreeState.READY, worktree.reason
    assert {one.name for one in path.iterdir() if one.name.startswith("folder")} == {"folder1"}
    assert git("status", "--porcelain", cwd=path) == ""
    assert git("sparse-checkout", "list", cwd=path) == git("sparse-checkout", "list", cwd=part)
    (status,) = await bench.worktrees.status([worktree.id], 0)
    assert (status.dirty, status.files) == (False, 0)
    (path / "folder1" / "x.txt").write_text("mine\n")
    patch = await bench.worktrees.diff(worktree.id)
    assert [(file.path, file.status) for file in patch.files] == [("folder1/x.txt", "modified")]
    await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.wait_ready(worktree.id)
    assert back.state is WorktreeState.READY, back.reason
    assert git("status", "--porcelain", cwd=path) == "M folder1/x.txt"
    assert {one.name for one in path.iterdir() if one.name.startswith("folder")} == {"folder1"}


async def test_an_agent_in_a_sparse_worktree(sandboxed, owner, checkout: Path, upstream: Path) -> None:
    part = clone(upstream, checkout)
    git("sparse-checkout", "set", "folder1", cwd=part)
    async with Agor(sandboxed) as app:
        scene = await scene_of(app, part, owner, key)
        path = Path(scene.worktree.path)

        turn, said = await play(
            scene,
            await scene.session(),
            "git status --porcelain; ls; echo new > folder1/x.txt; git commit -qam inside; git reset -q --hard; ls",
        )

        assert said.split("\n") == [*(["a.txt", "folder1"] * 2), ""]
        assert (turn.files, turn.added) == (1, 1)
        assert git("status", "--porcelain", cwd=path) == ""
        assert git("diff", "--name-only", "main", "fix", cwd=part) == "folder1/x.txt"
