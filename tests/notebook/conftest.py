"""A private server with a sample repository and a folder `bin` on its `PATH`, once for all tests here: real git, the real `script` agent."""

import os

import pytest

import agor_jupyter as agor


@pytest.fixture(scope="package")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    before, known = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    for name in ("AGOR_SERVER_FILE", "JPY_PARENT_PID"):
        os.environ.pop(name, None)
    os.environ["AGOR_DATA_DIR"] = str(folder / "data")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    os.environ["AGOR_KEY_FILE"] = str(folder / "keys" / "key")
    (folder / "bin").mkdir()
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    yield folder
    os.chdir(before)
    os.environ.clear()
    os.environ.update(known)


@pytest.fixture(scope="package")
def hub(here):
    hub = agor.connect()
    yield hub
    hub.stop()


@pytest.fixture(scope="package")
def repo(hub, here):
    return hub.repo(agor.sample(here / "warehouse"))
