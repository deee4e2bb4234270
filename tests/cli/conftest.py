"""A private server with a folder `bin` on its `PATH`, and a function that runs a command against it in this process."""

import json
import os

import pytest

import agor_jupyter as agor
from agor_jupyter.cli.app import run


@pytest.fixture(scope="package")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    before, known = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    os.environ["AGOR_DATA_DIR"] = str(folder / "data")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    os.environ["AGOR_KEY_FILE"] = str(folder / "keys" / "key")
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
