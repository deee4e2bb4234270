"""Real repositories in `tmp_path`."""

import subprocess
from pathlib import Path

import pytest

from agor_jupyter.git.repository import Repository


def git(*arguments, cwd):
    options = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *options, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    path = tmp_path / "root" / "repo"
    path.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=path)
    (path / "a.txt").write_text("one\ntwo\n")
    (path / "models").mkdir()
    (path / "models" / "orders.sql").write_text("select 1\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "first", cwd=path)
    return path


@pytest.fixture
def repository(checkout: Path, tmp_path: Path) -> Repository:
    return Repository(path=checkout, common_dir=checkout / ".git", view=tmp_path / "view")
