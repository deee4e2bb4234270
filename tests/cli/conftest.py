"""A private server with a folder `bin` on its `PATH`, and a function that runs a command against it in this process."""

import json
import os
import sys
from pathlib import Path

import pytest

import agor_jupyter as agor
from agor_jupyter.cli.app import run

KEEPER = {
    "name": "keeper", "label": "Keeper", "icon": "ag-agent", "files": {"own": [".keeper/"]},
    "command": [sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "lingering_agent.py"), "--keeps=.keeper/permissions.json"],
}  # fmt: skip
"""An agent of the configuration that keeps a file for itself."""


@pytest.fixture(scope="package")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    before, known = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    os.environ["AGOR_DATA_DIR"] = str(folder / "data")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    os.environ["AGOR_KEY_FILE"] = str(folder / "keys" / "key")
    os.environ["JUPYTER_CONFIG_DIR"] = str(folder / "config")
    os.environ.pop("JUPYTER_NO_CONFIG", None)
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": {"agents": [KEEPER]}}))
    (folder / "bin").mkdir()
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    hub = agor.connect()
    os.environ["AGOR_URL"], os.environ["AGOR_TOKEN"] = hub.url, hub._link._client.token
    agor.sample(folder / "warehouse")
    yield folder
    hub.stop()
    os.chdir(before)
    os.environ.clear()
    os.environ.update(known)


@pytest.fixture
def agor_command(here, capsys):
    """Exit code, stdout, stderr."""

    def command(*words):
        code = run(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def agor_json(agor_command):
    def command(*words):
        code, out, err = agor_command(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    return command


@pytest.fixture
def warehouse(agor_json):
    if not any(repo["slug"] == "warehouse" for repo in agor_json("repo", "list")):
        agor_json("repo", "add", "warehouse")
    return "warehouse"
