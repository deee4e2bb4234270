"""A process finds its own server, and no other."""

import json
import os
import subprocess
import sys

import pytest

from agor_jupyter.client import discovery


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    for name in ("AGOR_SERVER_FILE", "JPY_PARENT_PID", "JPY_SESSION_NAME", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("AGOR_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def write(path, pid, url="http://127.0.0.1:1/user/ann/", token="secret"):
    path.write_text(json.dumps({"pid": pid, "url": url, "token": token, "root_dir": "/home/ann"}))
    return path


@pytest.fixture
def stranger():
    """Another live process, which is no parent of this one."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.kill()
    process.wait()
    process.stdin.close()


def test_what_the_server_told_its_children_comes_first(runtime, monkeypatch, stranger):
    write(runtime / f"jpserver-{os.getppid()}.json", os.getppid(), "http://127.0.0.1:2/")
    monkeypatch.setenv("AGOR_SERVER_FILE", str(write(runtime / "own.json", stranger)))
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ann/quickstart.ipynb")

    found = discovery.find()

    assert (found.url, found.token, found.how) == ("http://127.0.0.1:1/user/ann/", "secret", "AGOR_SERVER_FILE")
    assert found.notebook.name == "quickstart.ipynb"


def test_the_parent_of_the_kernel_is_next_then_an_ancestor(runtime, monkeypatch, stranger):
    write(runtime / f"jpserver-{os.getppid()}.json", os.getppid(), "http://127.0.0.1:2/")
    write(runtime / f"jpserver-{stranger}.json", stranger, "http://127.0.0.1:3/")
    monkeypatch.setenv("JPY_PARENT_PID", str(stranger))
    by_kernel = discovery.find()
    monkeypatch.delenv("JPY_PARENT_PID")

    by_ancestor = discovery.find()

    assert by_kernel.url == "http://127.0.0.1:3/"
    assert by_ancestor.url == "http://127.0.0.1:2/"


def test_a_server_of_others_is_never_taken(runtime, stranger):
    write(runtime / f"jpserver-{stranger}.json", stranger)

    assert discovery.find() is None


def test_a_server_that_is_gone_is_not_taken(runtime, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    monkeypatch.setenv("AGOR_SERVER_FILE", str(write(runtime / "own.json", process.pid)))

    assert discovery.find() is None


def test_behind_a_hub_the_token_is_the_hubs(runtime, monkeypatch):
    monkeypatch.setenv("AGOR_SERVER_FILE", str(write(runtime / "own.json", os.getpid(), token="")))
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-the-hub")

    assert discovery.find().token == "of-the-hub"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x"}', '{"pid": 1}', "null"])
def test_a_broken_file_is_no_server(runtime, monkeypatch, text):
    (runtime / "own.json").write_text(text)
    (runtime / "data").mkdir()
    (runtime / "data" / "lock").write_text(text)
    monkeypatch.setenv("AGOR_SERVER_FILE", str(runtime / "own.json"))

    assert discovery.find() is None
