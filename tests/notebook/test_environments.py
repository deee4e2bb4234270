"""An environment from a cell and from a shell: started, awaited, looked at, read, stopped."""

import json
import subprocess
import sys

import pytest

from agor_jupyter.cli.app import run
from agor_jupyter.domain.errors import EnvironmentFailed, EnvironmentNotFound

WEB = (
    "import os, socket; s = socket.socket(); s.bind(('127.0.0.1', int(os.environ['PORT']))); s.listen(); print('listens', flush=True); "
    "s.accept(); s.accept()"
)


@pytest.fixture(scope="module")
def served(hub, here):
    path = here / "served"
    path.mkdir()
    section = {"services": {"web": {"command": [sys.executable, "-I", "-c", WEB], "ports": ["web"]}}, "links": {"site": {"port": "web"}}}
    broken = {"extends": "default", "setup": ["echo no such data; exit 2"]}
    (path / ".agor.yml").write_text(json.dumps({"environment": {**section, "variants": {"broken": broken}}}))
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=T", "-c", "user.email=t@e", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    return hub.repo(path)


def test_it_is_started_awaited_read_and_stopped_in_a_cell(served):
    environment = served.worktree("served").environment

    begun = environment.start()
    assert begun is environment
    environment.wait(50)

    assert environment.state == "healthy"
    assert environment.services["web"].memory_bytes > 1_000_000
    assert list(environment.services.df["state"]) == ["healthy"]
    assert environment.ports["web"].url == f"http://127.0.0.1:{int(environment.ports['web'])}/"  # of a private server
    assert environment.links["site"].is_open
    assert next(environment.logs("web", follow=True)) == "listens\n"
    assert "healthy" in repr(environment)
    assert "served" in environment._repr_html_()
    assert environment.stop().wait(50).state == "stopped"


def test_what_failed_says_why(served):
    environment = served.worktree("broken").environment

    with pytest.raises(EnvironmentFailed, match="no such data"):
        environment.start(variant="broken").wait(50)


def test_a_repository_without_one_says_what_to_do(hub, here):
    path = here / "without environment"
    path.mkdir()
    for command in (["init", "-q", "-b", "main"], ["-c", "user.name=T", "-c", "user.email=t@e", "commit", "-qm", "first", "--allow-empty"]):
        subprocess.run(["git", *command], cwd=path, check=True)

    with pytest.raises(EnvironmentNotFound, match="agor.yml"):
        _ = hub.repo(path).worktree("nothing runs").environment


def test_a_shell_starts_it_and_waits(served, hub, capsys):
    worktree = served.worktree("from a shell")
    reach = ["--url", hub._link.url, "--token", hub._link.http.token]

    assert run([*reach, "env", "start", worktree.record.id, "--wait"]) == 0
    assert "healthy" in capsys.readouterr().out
    assert run([*reach, "env", "logs", worktree.record.id]) == 0
    assert capsys.readouterr().out == "listens\n"
    assert run([*reach, "env", "open", worktree.record.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_open"]
    assert run([*reach, "env", "stop", worktree.record.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "stopping"
    worktree.environment.wait(50)
    capsys.readouterr()
    assert run([*reach, "env", "open", worktree.record.id]) == 0
    assert capsys.readouterr().out.strip().endswith(f"/agor/open/{worktree.record.id}/site")
