"""Where there is a sandbox, where there is none, and what the configuration adds to it."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from agor_jupyter.domain.agents import AgentType, SandboxHome
from agor_jupyter.executors import sandbox
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.homes import Home
from agor_jupyter.services.app import Agor
from tests.sandbox.conftest import git, play
from tests.sandbox.test_life import open_scene


@pytest.fixture
def without_bubblewrap(monkeypatch, tmp_path):
    """A machine whose PATH has everything but that."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for tool in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if tool.name != sandbox.PROGRAM and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    monkeypatch.setenv("PATH", str(tools))
    sandbox.reason.cache_clear()
    yield
    sandbox.reason.cache_clear()


@pytest.fixture
def with_a_broken_one(monkeypatch, tmp_path):
    """A machine that does not let it make namespaces."""
    tools = tmp_path / "broken"
    tools.mkdir()
    (tools / sandbox.PROGRAM).write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tools / sandbox.PROGRAM).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for cached in (sandbox.reason, sandbox._system):
        cached.cache_clear()
    yield
    for cached in (sandbox.reason, sandbox._system):
        cached.cache_clear()


async def test_without_bubblewrap_agents_work_and_their_sessions_say_so(without_bubblewrap, config, repository, owner, key):
    async with Agor(dataclasses.replace(config, sandbox="auto")) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()

        await play(scene, session, "echo 1 > a; git add a; git commit -qm outside")

        session = await app.sessions.get(session.id)
        assert (session.sandbox, "not installed" in session.sandbox_reason) == ("off", True)
        assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "outside"
        assert not (config.data_dir / "sandboxes").exists()


async def test_where_it_is_required_and_does_not_work_no_agent_starts(with_a_broken_one, config, repository, owner, key):
    async with Agor(config) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()

        turn = await scene.ended(await scene.prompt(session, "touch ran"))

        assert (turn.state.value, turn.error_code) == ("failed", "sandbox_failed")
        assert "No permissions to create new namespace" in turn.error
        assert not Path(scene.worktree.path, "ran").exists()


async def test_a_trait_switches_it_off(config, repository, owner, key):
    async with Agor(dataclasses.replace(config, sandbox="off")) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session()

        _, said = await play(scene, session, "cat ~/.ssh/id")

        session = await app.sessions.get(session.id)
        assert said == "a secret\n"
        assert session.sandbox_reason == "it is switched off (AgorApp.sandbox)"


async def test_the_configuration_adds_paths_to_read_and_to_write(config, repository, owner, key, tmp_path):
    home, outside, scratch = Path(os.environ["HOME"]), tmp_path / "outside", tmp_path / "scratch"
    for folder in (home / ".dbt", outside, scratch):
        folder.mkdir()
    (home / ".dbt" / "profiles.yml").write_text("here: 1\n")
    (outside / "data.csv").write_text("a\n")
    config = dataclasses.replace(config, sandbox_read=(home / ".dbt", outside, tmp_path / "missing"), sandbox_write=(scratch,))
    async with Agor(config) as app:
        scene = await open_scene(app, repository, owner, key)

        _, said = await play(
            scene,
            await scene.session(),
            f"cat ~/.dbt/profiles.yml {home}/.dbt/profiles.yml {outside}/data.csv; echo x > {scratch}/made",
            f"touch {outside}/x ~/.dbt/x 2>/dev/null || echo refused; echo kept > ~/.own; cat ~/.own",
        )

    assert said.split() == ["here:", "1", "here:", "1", "a", "refused", "kept"]
    assert (scratch / "made").read_text() == "x\n"
    assert [path.name for path in home.iterdir()] != []
    assert not (home / ".own").exists()


async def test_what_data_engineers_need_is_there(scene):
    _, said = await play(
        scene,
        await scene.session(),
        "python -c 'import duckdb, pytest, sys; print(duckdb.sql(\"select 42\").fetchall()[0][0]); print(sys.prefix)'",
        "python -m venv --without-pip /tmp/v; /tmp/v/bin/python -c 'print(6 * 7)'; basename $(command -v git); getent passwd $(id -u) | cut -d: -f1",
        "python -c 'import multiprocessing, tempfile; multiprocessing.Lock(); print(tempfile.gettempdir())'",
    )

    assert said.split() == ["42", sys.prefix, "42", "git", "agor", "/tmp"]


def test_no_program_brings_the_home_folder_with_it(tmp_path):
    home = tmp_path / "home"
    (home / ".local" / "bin").mkdir(parents=True)
    (home / "agent.py").touch()
    (home / "project").mkdir()
    (home / "project" / "package.json").touch()
    (home / "project" / "cli.js").touch()
    (home / "project" / "cli.js").chmod(0o755)
    path = f"{home}:{home / '.local' / 'bin'}:/usr/bin:relative::/nonexistent"

    found = sandbox.programs([str(home / "project" / "cli.js"), str(home / "agent.py"), str(home)], path, home)

    below = {one.relative_to(home) for one in found if one.is_relative_to(home)}
    assert below == {Path("agent.py"), Path("project"), Path(".local/bin")}
    assert not [one for one in found if home.is_relative_to(one)]


def test_state_is_found_where_variables_move_it(tmp_path):
    theirs, moved = tmp_path / "home", tmp_path / "elsewhere"
    agent = AgentType(
        name="x", label="x", icon="x", command=["x"], sandbox=SandboxHome(state=[".local/share/x/", ".x/", ".x.json"], state_env=["X_HOME"])
    )
    env = {"XDG_DATA_HOME": str(moved), "X_HOME": str(tmp_path / "x")}
    for folder in (theirs, tmp_path / "x"):
        folder.mkdir()

    mounts = Home(theirs, tmp_path / "own", env).mounts(agent, read=(), write=())

    assert {mount.target for mount in mounts if mount.is_writable} == {moved / "x", theirs / ".x", tmp_path / "x", sandbox.HOME}
    assert (tmp_path / "own" / ".x").readlink() == theirs / ".x"
    assert not (tmp_path / "own" / ".x.json").is_symlink()


def test_a_home_begins_with_what_spares_an_installation_unless_the_person_has_it(tmp_path):
    theirs, own = tmp_path / "home", tmp_path / "own"
    files = {".x/modules/": "", ".x/lock.json": "ours"}
    agent = AgentType(
        name="x", label="x", icon="x", command=["x"], sandbox=SandboxHome(settings=[".x/modules", ".x/lock.json"], files=files)
    )

    def make():
        Home(theirs, own, {}).mounts(agent, read=(), write=())

    theirs.mkdir()
    make()
    assert ((own / ".x/modules").is_dir(), (own / ".x/lock.json").read_text()) == (True, "ours")

    (own / ".x/lock.json").write_text("the agent's")
    (tmp_path / "secret").write_text("secret")
    (own / ".x/modules").rmdir()
    (own / ".x/modules").symlink_to(tmp_path / "secret")
    make()
    assert ((own / ".x/modules").is_dir(), (own / ".x/lock.json").read_text()) == (True, "the agent's")
    assert (tmp_path / "secret").read_text() == "secret"

    (theirs / ".x").mkdir()
    (theirs / ".x/lock.json").write_text("the person's")
    make()
    assert (own / ".x/lock.json").read_text() == "the person's"
    assert (own / ".x/lock.json").is_symlink()


async def started(config, sandbox) -> Agents:
    agents = Agents(dataclasses.replace(config, sandbox=sandbox))
    await agents.start()
    return agents


@pytest.mark.parametrize(("setting", "mode"), [("auto", "agent-full-access"), ("required", "agent-full-access"), ("off", "read-only")])
async def test_an_agent_says_in_which_mode_its_sessions_start(config, setting, mode):
    agents = await started(config, setting)

    assert agents.status("codex").starting_mode == mode
    assert agents.status("script").starting_mode == "ask"


async def test_where_the_sandbox_does_not_work_the_starting_mode_is_the_usual_one(with_a_broken_one, config):
    assert (await started(config, "auto")).status("codex").starting_mode == "read-only"
