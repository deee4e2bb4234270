"""An agent that was installed by pipx, uv or into a virtual environment did not start in the sandbox: its Python was not there."""

import dataclasses
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.services.app import Agor
from tests.real_use.test_pictures_and_long_texts import SEEING
from tests.sandbox.test_life import open_scene


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "person"
    home.mkdir()
    (home / "secret").write_text("not for agents")
    monkeypatch.setenv("HOME", str(home))
    return home


def environment(folder: Path) -> Path:
    """With an agent as a package and its script, as an installer writes them. Returns the script."""
    venv.create(folder, symlinks=True, with_pip=False)
    [packages] = folder.glob("lib/python*/site-packages")
    look = f'open({str(Path.home() / "secret")!r}).read() if __import__("os").path.exists({str(Path.home() / "secret")!r}) else "hidden"'
    told = SEEING.read_text().replace('or "nothing"', f"or ({look})")
    (packages / "seeing.py").write_text(told)
    script = folder / "bin" / "seeing-agent"
    script.write_text(f"#!{folder}/bin/python\nimport sys\nimport runpy\nrunpy.run_module('seeing', run_name='__main__')\n")
    script.chmod(0o755)
    return script


def link(script: Path, at: Path) -> Path:
    at.parent.mkdir(parents=True)
    at.symlink_to(script)
    return at


PLACES = {
    "a virtual environment": lambda home: environment(home / "agents" / ".venv"),
    "pipx": lambda home: link(environment(home / ".local/share/pipx/venvs/seeing"), home / ".local/bin/seeing-agent"),
    "uv tool": lambda home: link(environment(home / ".local/share/uv/tools/seeing"), home / ".local/bin/seeing-agent"),
    "a link from elsewhere": lambda home: link(environment(home / "code" / "seeing" / "env"), home / "links" / "seeing-agent"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_it_runs_in_the_sandbox_and_sees_no_more_of_the_home(place, home, config, repository, owner, key):
    script = PLACES[place](home)
    agent = AgentType(name="seeing", label="Seeing", icon="ag-agent", command=[str(script)])
    async with Agor(dataclasses.replace(config, agents=(agent,), sandbox="required")) as app:
        scene = await open_scene(app, repository, owner, key)
        session = await scene.session(agent="seeing")

        turn = await scene.ended(await app.sessions.prompt(owner, session.id, Prompt(text="Look."), key()), timeout=60)

        said = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "text"]
        assert turn.error is None
        assert said == ["hidden"]


def test_the_agent_of_this_test_runs_outside_of_it(home):
    script = environment(home / "env")

    done = subprocess.run([script], input="", env={"PATH": os.defpath, "HOME": str(home)}, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert sys.version_info >= (3, 11)
