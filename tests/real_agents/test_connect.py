"""A person's own Claude Code, Codex and Gemini CLI take the line that the canvas shows, and reach the board with it."""

import os
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.agents import catalogue
from harness.kits import CACHE
from harness.servers import serve, stop

PROGRAMS = {"claude": ("claude-agent-acp", "--cli"), "codex": ("codex-acp", "cli"), "gemini": ("gemini",)}
"""How the package of the cache is the program that people have."""
CHECKS = {"claude": "Connected", "gemini": "Connected", "codex": "AGOR_MCP_TOKEN"}
"""What `mcp list` says then. Codex does not try the connection; it names the variable that holds the token."""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory):
    process, server = serve(tmp_path_factory.mktemp("server"))
    ann = server.client("alice")
    ann.post("boards", {"path": "team.agor"})
    yield ann.post("tokens", {"name": "laptop", "board": "team.agor", "address": server.url})
    stop(process)


@pytest.mark.agent
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_line_connects_it(board, name, tmp_path: Path):
    [folder] = [one for one in (CACHE / "agents" / name).iterdir() if one.is_dir()]
    node = next((CACHE / "agents" / ".node").iterdir()) / "bin"
    program, *arguments = PROGRAMS[name]
    tool, home, project = tmp_path / "bin" / name, tmp_path / "home", tmp_path / "project"
    for path in (tool.parent, home, project):
        path.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {folder}/node_modules/.bin/{program} {" ".join(arguments)} "$@"\n')
    tool.chmod(0o755)
    label = catalogue.discover()[name].label
    [line] = [one["line"] for one in board["lines"] if one["label"] == label]
    trusted = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
    env = {"HOME": str(home), "PATH": os.pathsep.join([str(tool.parent), str(node), os.environ["PATH"]]), "NO_COLOR": "1", **trusted}

    done = subprocess.run(
        ["sh", "-c", f"{line} && {name} mcp list"], cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert CHECKS[name] in done.stdout + done.stderr
