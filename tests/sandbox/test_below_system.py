"""Where homes, the data and checkouts lie below a folder of the system, as in images whose home is `/opt/app-root/src`."""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import SandboxHome
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.executors import sandbox
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from tests.sandbox.conftest import git, play
from tests.sandbox.test_life import open_scene


@pytest.fixture
def system(monkeypatch):
    """A folder of the system, like `/opt`. It is not below `/tmp`, of which agents have their own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # noqa: S108
        monkeypatch.setattr(sandbox, "_SYSTEM", (*sandbox._SYSTEM, folder))
        sandbox._system.cache_clear()
        yield Path(folder)
    sandbox._system.cache_clear()


@pytest.fixture
def home(system, monkeypatch) -> Path:
    """In it there is a key, and a virtual environment is around it."""
    home = system / "app-root" / "src"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home.parent], check=True)
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text("a secret\n")
    (home / "bin").mkdir()
    (home / "bin" / "own-tool").write_text("#!/bin/sh\necho own tool\n")
    (home / "bin" / "own-tool").chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", os.pathsep.join([str(home / "bin"), str(home.parent / "bin"), os.environ["PATH"]]))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(system / "runtime"))
    return home


@pytest.fixture
def repository(repository, home) -> Path:
    """In the home, where a notebook server shows it."""
    return Path(shutil.move(repository, home / "repo"))


@pytest.fixture
def config(config: Config, system, home) -> Config:
    for name in ("runtime", "keys"):
        (system / name).mkdir()
        (system / name / "file").write_text(f"the {name}\n")
    return dataclasses.replace(
        config,
        sandbox="required",
        data_dir=system / "data",
        root_dir=home,
        allowed_roots=(system,),
        key_file=system / "keys" / "file",
    )


async def add(scene, repository: Path):
    repo = await scene.agor.repos.add(scene.caller, RepoAdd(path=str(repository)), scene.key())
    made = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=repo.id, name="other"), scene.key())
    return await scene.agor.worktrees.wait_ready(made.id)


async def test_homes_data_and_checkouts_are_hidden_and_what_an_agent_needs_is_not(scene, repository, system, home, config, monkeypatch):
    beside, elsewhere = system / "home-of-ben", system / "checkout"
    beside.mkdir()
    (beside / "notes").write_text("a secret\n")
    monkeypatch.setattr(sandbox, "homes", lambda: (beside,))
    subprocess.run(["git", "clone", "-q", repository, elsewhere], check=True)
    other = await add(scene, elsewhere)
    (system / "tool").write_text("a tool\n")

    _, said = await play(
        scene,
        await scene.session(),
        f"cat {home}/.ssh/id {beside}/notes {system}/runtime/file {system}/keys/file || true",
        f"for f in {config.data_dir}/agor.db {config.data_dir}/sandboxes {other.path}/README.md {elsewhere}/README.md {elsewhere}/.git; do",
        "test ! -e $f || echo seen $f; done",
        f"test ! -e {repository}/README.md || echo seen",
        f"cat {system}/tool; own-tool; cat README.md; {home.parent}/bin/python -c 'import sys; print(sys.prefix)'",
        f"touch {home}/left {config.data_dir}/left {elsewhere}/left 2>/dev/null; echo 1 > a; git add a; git commit -qm inside",
    )

    shown = [line for line in said.splitlines() if "No such file" not in line and "Permission denied" not in line]
    assert shown == ["a tool", "own tool", "# Repo", str(home.parent)]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "inside"
    assert not [path for path in (home, config.data_dir, elsewhere) if (path / "left").exists()]


async def test_a_trap_that_runs_where_the_server_looks_into_a_repository_sees_no_home_either(scene, repository, home, config):
    """What the server asks git inside, a setting of the agent's may answer."""
    place = await scene.agor.sandboxes._place(scene.worktree)
    await play(scene, await scene.session(), "true")

    inside = scene.agor.sandboxes._layouts.inside(place, [repository])
    for how in (inside.looking, inside.serving, inside.changing):
        found = subprocess.run([*how, "ls", "-A", home, config.data_dir, repository], capture_output=True, text=True, check=False)
        assert {".ssh", "agor.db", "README.md"}.isdisjoint(found.stdout.split()), found


async def test_an_agents_state_and_what_the_configuration_names_are_there(config, repository, owner, key, home, system):
    (home / ".x").mkdir()
    (home / ".x" / "signed-in").write_text("yes\n")
    (home / "data").mkdir()
    (home / "data" / "a.csv").write_text("a\n")
    (system / "other" / "repo").mkdir(parents=True)
    (system / "other" / "repo" / "b.csv").write_text("b\n")
    agent = catalogue.discover()["script"].replace(name="x", label="X", sandbox=SandboxHome(state=[".x/"]))
    config = dataclasses.replace(config, agents=(agent,), sandbox_read=(home / "data", system / "other"))
    git("init", "-q", "-b", "main", cwd=system / "other" / "repo")
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=system / "other" / "repo")
    async with Agor(config) as app:
        scene = await open_scene(app, repository, owner, key)
        await add(scene, system / "other" / "repo")

        _, said = await play(
            scene,
            await scene.session(agent="x"),
            f"cat ~/.x/signed-in {home}/.x/signed-in ~/data/a.csv {system}/other/repo/b.csv; echo no > ~/.x/signed-in",
            f"test ! -e {home}/.ssh || echo seen",
        )

    assert said.split() == ["yes", "yes", "a", "b"]
    assert (home / ".x" / "signed-in").read_text() == "no\n"


@pytest.mark.parametrize("is_seen", [True, False], ids=["below the system", "elsewhere"])
@pytest.mark.parametrize("at", ["around the home", "in the home", "the home"])
def test_an_environment_works_wherever_it_lies(at, is_seen, system, monkeypatch):
    if not is_seen:
        monkeypatch.undo()
        sandbox._system.cache_clear()
    home = system / "app" / "src"
    prefix = {"around the home": home.parent, "in the home": home / "venv", "the home": home}[at]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    home.mkdir(parents=True, exist_ok=True)
    (home / "secret").touch()
    found = sandbox.programs(["python"], f"{prefix / 'bin'}:{os.environ['PATH']}", home, [home])
    layout = sandbox.Layout(cwd=Path("/"), mounts=[sandbox.Mount(source=one, target=one) for one in found], hidden=[home])
    code = f"import os, sys; print(sys.prefix, os.path.exists('{home}/secret'))"

    ran = subprocess.run([*sandbox.arguments(layout), prefix / "bin" / "python", "-c", code], capture_output=True, text=True, check=False)

    assert ran.stdout.split() == [str(prefix), "False"], ran


def test_what_nothing_runs_without_is_never_hidden(system):
    layout = sandbox.Layout(cwd=Path("/"), mounts=[], hidden=[Path(one) for one in ("/", "/usr", "/bin", "/usr/bin", "/etc", "/dev")])

    subprocess.run([*sandbox.arguments(layout), "ls", "/usr/bin", "/etc"], check=True, capture_output=True)
