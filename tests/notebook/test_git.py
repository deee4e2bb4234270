"""GitPython on what agents made: it reads, and runs nothing that they wrote."""

import subprocess
import sys
from pathlib import Path

import pytest

import agor_jupyter as agor
from agor_jupyter.domain import errors
from agor_jupyter.git import places
from agor_jupyter.git.repository import Repository
from agor_jupyter.notebook.gitpython import open_repo
from tests.git.conftest import checkout, git, repository  # noqa: F401 fixtures
from tests.git.test_hostile import ATTACKS, Trap, trap, worktree  # noqa: F401 fixtures

LINES = "```sh\nprintf 'one\\ntwo\\n' > made.txt\ngit add made.txt\ngit commit -qm 'Made by an agent'\n```"


@pytest.mark.timeout(90)
def test_what_an_agent_committed_is_read_as_data_engineers_know_it(repo):
    work = repo.worktree("gitpython")
    turn = work.session("script", LINES, allow=True).wait()

    history = work.git

    commit = history.head.commit
    assert commit.hexsha == turn.commit
    assert (commit.message.strip(), commit.stats.total) == ("Made by an agent", {"insertions": 2, "deletions": 0, "lines": 2, "files": 1})
    assert [one.summary for one in history.iter_commits(turn.commit, max_count=1)] == ["Made by an agent"]
    assert commit.tree["made.txt"].data_stream.read() == b"one\ntwo\n"
    assert [(found.hexsha, lines) for found, lines in history.blame("HEAD", "made.txt")] == [(turn.commit, ["one", "two"])]
    assert history.active_branch.name == "gitpython"
    assert not history.is_dirty()
    (Path(work.path) / "new.txt").write_text("x")
    assert history.untracked_files == ["new.txt"]
    assert repo.git.commit(turn.commit).hexsha == turn.commit
    assert repo.git.working_dir == repo.path


def test_it_is_loaded_only_when_it_is_asked_for():
    code = (
        "import sys, agor_jupyter; import agor_jupyter.notebook.api; assert not {'git', 'gitdb'} & set(sys.modules), 'GitPython is loaded'"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def everything(found) -> None:
    """What people do with a `Repo`."""
    commit = found.head.commit
    assert commit.stats.total["files"] >= 0
    assert list(found.iter_commits("HEAD"))
    assert [entry.path for entry in commit.tree.traverse()]
    found.blame("HEAD", "a.txt")
    found.is_dirty(untracked_files=True)
    assert "new.txt" in found.untracked_files
    found.index.diff(None)
    found.index.diff(None, create_patch=True)
    commit.diff(None, create_patch=True)
    assert "changed" in found.git.diff("HEAD", "--", "a.txt")
    found.git.log("-p", "-2")
    found.git.show("HEAD")
    found.git.status()
    found.git.branch("--list")
    list(found.remotes)
    found.index.add(["a.txt"])
    found.index.commit("by hand", author=None)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_it_runs_nothing_that_an_agent_wrote(repository: Repository, worktree: Path, trap: Trap, attack: str, monkeypatch) -> None:  # noqa: F811
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@t")
    (worktree / "a.txt").write_text("changed\n")
    (worktree / "new.txt").write_text("new\n")
    ATTACKS[attack](repository.path, worktree, trap)
    trap.marker.unlink(missing_ok=True)

    if "replaced" in attack or "commondir" in attack:
        with pytest.raises(errors.GitFailed, match="another program|git worktree repair"):
            open_repo(await places.of(repository, worktree))
    else:
        everything(open_repo(await places.of(repository, worktree)))
        open_repo(await places.of(repository)).git.status()

    assert not trap.marker.exists()


async def test_a_place_that_changes_before_it_is_opened_is_refused(repository: Repository, worktree: Path, trap: Trap) -> None:  # noqa: F811
    place = await places.of(repository, worktree)
    ATTACKS["replaced .git file"](repository.path, worktree, trap)

    with pytest.raises(agor.errors.GitFailed, match="another program"):
        open_repo(place)


async def test_from_another_machine_it_says_so(repository: Repository, worktree: Path) -> None:  # noqa: F811
    place = (await places.of(repository, worktree)).replace(view="/nowhere/git/re_1")

    with pytest.raises(agor.errors.Unavailable, match="on the server's machine"):
        open_repo(place)


async def test_unsafe_options_are_still_refused(repository: Repository, worktree: Path, tmp_path: Path) -> None:  # noqa: F811
    from git.exc import UnsafeOptionError, UnsafeProtocolError

    found = open_repo(await places.of(repository, worktree))

    with pytest.raises(UnsafeProtocolError):
        found.clone_from(f"ext::touch {tmp_path}/MARKER", str(tmp_path / "x"))
    with pytest.raises(UnsafeOptionError):
        found.clone(str(tmp_path / "y"), multi_options=["--upload-pack=touch x"])
