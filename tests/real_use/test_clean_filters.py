"""Filters that clean files when they are committed: nbstripout, Git LFS and others, for agents in their sandbox."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import WorkKind
from agor_jupyter.domain.worktrees import TakeRequest
from agor_jupyter.git.inspection import cleaned
from tests.sandbox.conftest import config, git, notices, play  # noqa: F401  # config: a fixture

COMMIT = "printf 'code\\noutput: a row of data\\n' > n.ipynb; git add n.ipynb; git commit -qm run"


def _strip(repository: Path, command: str) -> None:
    (repository / ".gitattributes").write_text("*.ipynb filter=strip\n")
    git("config", "filter.strip.clean", command, cwd=repository)
    git("add", ".gitattributes", cwd=repository)
    git("commit", "-qm", "attributes", cwd=repository)


@pytest.fixture
def stripped(repository):
    """Before the worktree is made. The command is on PATH inside as outside."""
    _strip(repository, "sed -e /^output/d")


@pytest.fixture
def stripped_at_home(repository, tmp_path):
    """Before the worktree is made. Its program lies in the person's home, which no agent sees."""
    program = tmp_path / "root" / "person" / "tools" / "strip"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nsed -e /^output/d\n")
    program.chmod(0o755)
    _strip(repository, str(program))


@pytest.fixture
def large(repository, monkeypatch):
    """Before the worktree is made: a repository with a large file in Git LFS."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("lfs", "install", "--local", cwd=repository)
    (repository / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (repository / "a.bin").write_bytes(b"a" * 50_000)
    git("add", "-A", cwd=repository)
    git("commit", "-qm", "large", cwd=repository)


async def test_a_filter_whose_program_is_there_runs_inside(stripped, scene, repository):
    session = await scene.session()

    await play(scene, session, COMMIT)

    assert git("show", f"{scene.worktree.branch}:n.ipynb", cwd=repository) == "code"
    assert await notices(scene, session) == []


async def test_what_is_committed_past_a_filter_does_not_come_out_before_a_person_says_so(stripped, scene, repository):
    session = await scene.session()

    await play(scene, session, f"git config filter.strip.clean cat; {COMMIT}; git rm -q n.ipynb; git commit -qm gone; echo 1 > n.ipynb")

    branch, kept = scene.worktree.branch, f"refs/agor/sandbox/{scene.worktree.id}/heads/{scene.worktree.branch}"
    [text] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert text.startswith(f"On branch '{branch}', 1 file was committed as they are and not through the filter 'strip': n.ipynb.")
    assert f"jupyter agor worktree take {scene.worktree.id} {kept}" in text
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "attributes"
    assert git("log", "-1", "--format=%s", kept, cwd=repository) == "gone"

    await play(scene, session, "git status --porcelain")
    assert await notices(scene, session) == ["unfiltered"]

    await scene.agor.sandboxes.kept_commits.take(scene.caller, scene.worktree.id, TakeRequest(ref=kept), scene.key())
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "gone"


async def test_an_agent_that_commits_again_through_the_filter_is_followed(stripped, scene, repository):
    session = await scene.session()
    await play(scene, session, f"git config filter.strip.clean cat; {COMMIT}")
    assert "unfiltered" in await notices(scene, session)

    await play(
        scene, session, "git config filter.strip.clean 'sed -e /^output/d'; git reset -q HEAD~1; git add n.ipynb; git commit -qm clean"
    )

    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "clean"


async def test_a_filter_that_cannot_run_there_is_not_skipped_in_silence(stripped_at_home, scene, repository):
    session = await scene.session()

    await play(scene, session, COMMIT)

    assert await notices(scene, session) == ["unfiltered"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "attributes"
    [text] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert "could not be tried in the sandbox" in text
    assert "AgorApp.sandbox_read" in text


async def test_files_of_lfs_are_read_and_committed_inside(large, scene, repository):
    path = Path(scene.worktree.path)
    git("lfs", "pull", cwd=path)
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        "wc -c < a.bin; git status --porcelain; rm a.bin; git checkout -q a.bin; wc -c < a.bin",
        "head -c 60000 /dev/zero > b.bin; git add b.bin; git commit -qm b; git status --porcelain",
    )

    assert said.split() == ["50000", "50000"]
    assert await notices(scene, session) == []
    assert git("show", f"{scene.worktree.branch}:b.bin", cwd=repository).startswith("version https://git-lfs")
    oid = hashlib.sha256(b"\0" * 60_000).hexdigest()
    assert (repository / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid).stat().st_size == 60_000
    assert git("lfs", "fsck", cwd=path)
    assert git("status", "--porcelain", cwd=path) == ""


async def test_a_large_file_past_lfs_does_not_come_out(large, scene, repository):
    session = await scene.session()

    await play(
        scene,
        session,
        "head -c 60000 /dev/zero > b.bin; o=$(git hash-object -w --no-filters b.bin); git update-index --add --cacheinfo 100644,$o,b.bin; git commit -qm b",
    )

    assert "unfiltered" in await notices(scene, session)
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "large"


# Status and diff


async def _status(scene):
    [found] = await scene.agor.worktrees.status([scene.worktree.id], 0)
    return found


def _counted_by_git(path: Path, base: str) -> tuple[int, int, int]:
    """What a person's own git says, which runs their filters."""
    lines = [line.split("\t") for line in git("diff", "--numstat", base, cwd=path).splitlines()]
    return len(lines), sum(int(line[0]) for line in lines if line[0] != "-"), sum(int(line[1]) for line in lines if line[1] != "-")


async def test_a_notebook_that_was_only_executed_is_no_change_and_its_outputs_are_not_lost_in_silence(stripped, scene, repository):
    session, path = await scene.session(), Path(scene.worktree.path)
    await play(scene, session, "printf 'code\\n' > n.ipynb; git add n.ipynb; git commit -qm code")

    turn, _ = await play(scene, session, "printf 'code\\noutput: 1\\noutput: 2\\n' > n.ipynb")

    status = await _status(scene)
    patch = await scene.agor.worktrees.diff(scene.worktree.id)
    assert (status.dirty, status.unstaged, status.files, status.added) == (False, 0, 1, 1)
    assert "output" not in patch.text
    assert (await scene.agor.turns.patch(turn.id)).files == []
    [kept] = [one for one in status.work if one.kind is WorkKind.FILTERED]
    assert kept.text == "1 file with parts that the filter strip keeps out of git: n.ipynb (25 bytes)"
    with pytest.raises(errors.WouldLoseWork) as caught:
        await scene.agor.worktrees.remove(scene.caller, scene.worktree.id, scene.key())
    assert kept.text in caught.value.details["losses"]
    assert git("diff", "--stat", cwd=path) == ""


async def test_what_was_committed_inside_through_a_filter_is_clean_outside_at_once(stripped, scene, repository):
    session, path = await scene.session(), Path(scene.worktree.path)

    await play(scene, session, COMMIT)

    status = await _status(scene)
    assert (path / "n.ipynb").read_text() == "code\noutput: a row of data\n"
    assert (status.dirty, status.unstaged, status.files, status.added) == (False, 0, 1, 1)
    assert "output" not in (await scene.agor.worktrees.diff(scene.worktree.id)).text
    assert git("status", "--porcelain", cwd=path) == ""


CHANGES = {
    "changed": "printf 'more\\noutput: 1\\n' >> n.ipynb",
    "staged": "printf 'more\\noutput: 1\\n' >> n.ipynb; git add n.ipynb",
    "staged and executed": "printf 'more\\n' >> n.ipynb; git add n.ipynb; printf 'output: 1\\n' >> n.ipynb",
    "changed and committed": "printf 'more\\noutput: 1\\n' >> n.ipynb; git commit -qam more; printf 'output: 2\\n' >> n.ipynb",
    "changed again": "printf 'more\\noutput: 1\\n' >> n.ipynb; git commit -qam more; printf 'again\\noutput: 2\\n' >> n.ipynb",
    "mode": "chmod +x n.ipynb; printf 'output: 1\\n' >> n.ipynb",
    "removed": "rm n.ipynb",
    "beside another": "printf 'output: 1\\n' >> n.ipynb; echo 1 >> load.py",
    "windows": "printf 'more\\r\\noutput: 1\\r\\n' >> w.ipynb",
    "large": "seq 1000 | sed 's/$/ x/' > n.ipynb; printf 'output: 1\\n' >> n.ipynb",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_the_figures_are_those_of_a_persons_own_git(stripped, repository, scene, change):
    path = Path(scene.worktree.path)
    (path / ".gitattributes").write_text("*.ipynb filter=strip\nw.ipynb text eol=crlf\n")
    (path / "n.ipynb").write_text("".join(f"{number} x\n" for number in range(700)))
    (path / "w.ipynb").write_bytes(b"code\r\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "notebooks", cwd=path)
    for line in change.split("; "):
        os.system(f"cd '{path}' && {line.replace(chr(92) * 2, chr(92))}")  # noqa: S605  # as a person types it

    status = await _status(scene)  # before git refreshes the index

    assert (status.files, status.added, status.deleted) == _counted_by_git(path, scene.worktree.base_sha)
    staged, unstaged = (git("diff", *how, "--name-only", cwd=path).splitlines() for how in (["--cached"], []))
    assert (status.staged, status.unstaged) == (len(staged), len(unstaged))


async def test_a_new_notebook_is_shown_as_git_would_store_it(stripped, scene):
    session = await scene.session()

    turn, _ = await play(scene, session, "printf 'code\\noutput: a row\\n' > new.ipynb")

    status, patch = await _status(scene), await scene.agor.turns.patch(turn.id)
    assert (status.untracked, status.added) == (1, 1)
    assert "+code" in patch.text
    assert "a row" not in patch.text


async def test_a_filter_that_cannot_be_tried_leaves_the_file_as_it_is_and_says_so(stripped_at_home, scene):
    path = Path(scene.worktree.path)
    git("commit", "--allow-empty", "-qm", "empty", cwd=path)
    (path / "n.ipynb").write_text("code\noutput: a row\n")

    patch = await scene.agor.worktrees.diff(scene.worktree.id)

    assert "a row" in patch.text
    assert [text.partition(":")[0] for text in patch.not_shown] == [
        "1 file shows as it is, because the filter strip could not be tried in a sandbox"
    ]


async def test_a_filter_that_hangs_or_lies_spoils_nothing(stripped, repository, scene, monkeypatch):
    monkeypatch.setattr(cleaned, "_TRIAL_S", 1.0)
    path = Path(scene.worktree.path)
    (path / "n.ipynb").write_text("code\n")

    git("config", "filter.strip.clean", "sleep 60", cwd=repository)
    hanging = await _status(scene)
    git("config", "filter.strip.clean", "rm -rf ../git/objects; ln -s /etc ../git/objects; cat", cwd=repository)
    lying = await _status(scene)

    assert (hanging.untracked, hanging.added) == (1, 1)
    assert (lying.untracked, lying.added) == (1, 1)


async def test_each_state_of_a_file_is_filtered_once(stripped, repository, scene, tmp_path):
    path, log = Path(scene.worktree.path), tmp_path / "root" / "log"
    log.write_text("")
    tried = []
    repo = (await scene.agor.repos.list())[0]
    known = scene.agor.repos.repository(repo)
    real = known.filtering

    async def counted(folder):
        tried.append(folder)
        return await real(folder)

    known.filtering = counted
    (path / "n.ipynb").write_text("code\noutput: 1\n")
    await asyncio.sleep(0.2)

    for _ in range(3):
        await _status(scene)
    assert len(tried) == 1
    (path / "n.ipynb").write_text("code\noutput: 22\n")
    await asyncio.sleep(0.2)
    await _status(scene)
    await scene.agor.worktrees.diff(scene.worktree.id)
    assert len(tried) == 2


async def test_a_changed_file_of_lfs_shows_its_pointer(large, scene, repository):
    session, path = await scene.session(), Path(scene.worktree.path)
    git("lfs", "pull", cwd=path)

    turn, _ = await play(scene, session, "head -c 70000 /dev/zero > a.bin")

    status = await _status(scene)
    patch = await scene.agor.turns.patch(turn.id)
    assert (status.files, status.added, status.deleted) == _counted_by_git(path, scene.worktree.base_sha)
    assert "+size 70000" in patch.text
    assert "-size 50000" in patch.text
