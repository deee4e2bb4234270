"""A shallow clone whose history ends elsewhere than when the sandbox was made: its person deepened it, or fetched with another end."""

from pathlib import Path

import pytest

from tests.sandbox.conftest import config, git, notices, play  # noqa: F401  # config: a fixture

FILE = ("-c", "protocol.file.allow=always")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone of the last two of five commits, in which the worktree is made."""
    source = tmp_path / "root" / "source"
    source.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=source)
    for number in range(5):
        _commit(source, f"c{number}")
    clone = tmp_path / "root" / "repo"
    git(*FILE, "clone", "-q", "--depth=2", f"file://{source}", str(clone), cwd=source.parent)
    git("config", "user.name", "Ann", cwd=clone)
    git("config", "user.email", "ann@example.org", cwd=clone)
    return clone


def _commit(path: Path, name: str) -> None:
    (path / "load.py").write_text(f"{name}\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", name, cwd=path)


async def test_what_a_person_deepens_is_there_inside_at_the_next_turn(scene, repository):
    session = await scene.session()
    _, said = await play(scene, session, "git log --format=%s")
    assert said.split() == ["c4", "c3"]

    git(*FILE, "fetch", "-q", "--deepen=1", cwd=repository)
    _, deeper = await play(scene, session, "git log --format=%s")
    git(*FILE, "fetch", "-q", "--unshallow", cwd=repository)
    _, whole = await play(scene, session, "git log --format=%s; git rev-parse --is-shallow-repository; git fsck --connectivity-only")

    assert deeper.split() == ["c4", "c3", "c2"]
    assert whole.split()[:6] == ["c4", "c3", "c2", "c1", "c0", "false"]


async def test_a_fetch_that_ends_elsewhere_breaks_nothing_inside(scene, repository):
    session = await scene.session()
    await play(scene, session, "git log -1")
    source = repository.parent / "source"
    for number in range(5, 8):
        _commit(source, f"c{number}")

    git(*FILE, "fetch", "-q", "--depth=1", "origin", "main", cwd=repository)
    _, said = await play(
        scene,
        session,
        "git log --format=%s origin/main; git log --all --format=%s > /dev/null && echo whole; echo 1 > one; git add one; git commit -qm one",
    )

    assert said.split() == ["c7", "whole"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "one"
    assert await notices(scene, session) == []


async def test_what_an_agent_fetched_deeper_by_itself_stays_so(scene, repository):
    session = await scene.session()
    source = repository.parent / "source"
    git("clone", "-q", "--bare", str(source), str(Path(scene.worktree.path) / "copy"), cwd=source)
    await play(scene, session, "git -c protocol.file.allow=always fetch -q --unshallow file://$PWD/copy main")

    git(*FILE, "fetch", "-q", "--deepen=1", cwd=repository)
    _, said = await play(scene, session, "git log --format=%s; git rev-parse --is-shallow-repository")

    assert said.split() == ["c4", "c3", "c2", "c1", "c0", "false"]


async def test_an_end_that_is_locked_is_followed_later(scene, repository):
    session = await scene.session()
    await play(scene, session, 'touch "$(git rev-parse --git-common-dir)/shallow.lock"')
    git(*FILE, "fetch", "-q", "--unshallow", cwd=repository)

    _, locked = await play(scene, session, "git log --format=%s")
    _, free = await play(scene, session, 'rm "$(git rev-parse --git-common-dir)/shallow.lock"', "true")
    _, said = await play(scene, session, "git log --format=%s")

    assert locked.split() == ["c4", "c3"]
    assert said.split() == ["c4", "c3", "c2", "c1", "c0"]
