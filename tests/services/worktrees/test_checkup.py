"""What doctor says of repositories."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.git.conftest import git
from tests.services.conftest import Bench


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch) -> Path:
    home = tmp_path / "person"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Me\n\temail = me@example.org\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


async def said(bench: Bench, path: Path) -> dict[str, tuple[str, str]]:
    repo = await bench.repo(path)
    return {one.what: (one.verdict, one.text) for one in await bench.repos.check(repo.id)}


async def test_a_plain_checkout_is_fine(bench: Bench, checkout: Path) -> None:
    found = await said(bench, checkout)

    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert set(found) == {"layout", "format", "identity"}
    assert found["layout"][1] == f"a checkout, {checkout}"
    assert found["identity"][1] == "Me <me@example.org>"


def _identity(checkout: Path, home: Path) -> None:
    (home / ".gitconfig").unlink()


def _signing(checkout: Path, home: Path) -> None:
    git("config", "commit.gpgSign", "true", cwd=checkout)


def _filters(checkout: Path, home: Path) -> None:
    (checkout / ".gitattributes").write_text("*.ipynb filter=strip\n*.bin filter=lfs -text\n*.x filter=none\n# filter=comment\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "attributes", cwd=checkout)
    git("config", "filter.strip.clean", "sh -c cat", cwd=checkout)
    git("config", "filter.lfs.process", "no-such-program-here filter-process", cwd=checkout)


def _submodules(checkout: Path, home: Path) -> None:
    (checkout / ".gitmodules").write_text('[submodule "a"]\n\tpath = a\n\turl = https://example.org/a\n[submodule "b"]\n\tpath = b\n')
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "modules", cwd=checkout)


def _lock(checkout: Path, home: Path) -> None:
    (checkout / ".git" / "index.lock").touch()
    os.utime(checkout / ".git" / "index.lock", (time.time() - 3600,) * 2)


def _fresh_lock(checkout: Path, home: Path) -> None:
    (checkout / ".git" / "index.lock").touch()


def _worktrees(checkout: Path, home: Path) -> None:
    git("worktree", "add", "-q", "../there", cwd=checkout)


def _gone(checkout: Path, home: Path) -> None:
    git("worktree", "add", "-q", "../there", cwd=checkout)
    (checkout.parent / "there").rename(checkout.parent / "moved")


def _case(checkout: Path, home: Path) -> None:
    git("config", "core.ignoreCase", "true", cwd=checkout)


def _sparse(checkout: Path, home: Path) -> None:
    git("sparse-checkout", "set", "models", cwd=checkout)


def _shallow(checkout: Path, home: Path) -> None:
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=checkout)
    git("clone", "-q", "--depth=1", f"file://{checkout}", "../shallow", cwd=checkout)
    checkout.rename(checkout.with_name("whole"))
    checkout.with_name("shallow").rename(checkout)


def _partial(checkout: Path, home: Path) -> None:
    git("config", "remote.origin.promisor", "true", cwd=checkout)


CASES = {
    "no identity": (_identity, "identity", "warn", "git config --global user.name"),
    "signatures": (_signing, "identity", "ok", "commits are to be signed"),
    "submodules": (_submodules, "submodules", "ok", "2 submodules"),
    "an old lock": (_lock, "lock", "warn", "60 minutes old"),
    "a fresh lock": (_fresh_lock, "lock", None, ""),
    "another worktree": (_worktrees, "worktrees", "ok", "/there (there)"),
    "a moved worktree": (_gone, "worktrees", "warn", "git worktree prune"),
    "names without case": (_case, "names", "ok", "core.ignoreCase"),
    "sparse": (_sparse, "sparse", "ok", "patterns"),
    "shallow": (_shallow, "shallow", "ok", "cut at 1 commit"),
    "partial": (_partial, "partial clone", "warn", "--refetch"),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_special_is_told(bench: Bench, checkout: Path, person: Path, case: str) -> None:
    arm, what, verdict, text = CASES[case]
    arm(checkout, person)

    found = await said(bench, checkout)

    assert found.get(what, (None, ""))[0] == verdict
    assert text in found.get(what, (None, ""))[1]


async def test_filters_are_looked_for_and_never_run(bench: Bench, checkout: Path, person: Path) -> None:
    _filters(checkout, person)
    repo = await bench.repo(checkout)

    found = [(one.verdict, one.text) for one in await bench.repos.check(repo.id) if one.what == "filter"]

    assert found == [
        ("warn", "files go through 'lfs', whose program no-such-program-here is not on PATH"),
        ("warn", "files go through 'none', which is not set up here: they are used as they are"),
        ("ok", "files go through 'strip', and its program is there"),
    ]


async def test_one_that_moved_or_became_newer_is_told(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    git("config", "core.repositoryFormatVersion", "9", cwd=checkout)
    [newer] = await bench.repos.check(repo.id)
    checkout.rename(checkout.with_name("elsewhere"))
    [moved] = await bench.repos.check(repo.id)

    assert (newer.verdict, "version 9" in newer.text) == ("fail", True)
    assert (moved.verdict, moved.what, str(checkout) in moved.text) == ("fail", "folder", True)


async def test_own_worktrees_are_not_listed_as_those_of_others(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    await bench.make(repo)

    assert "worktrees" not in {one.what for one in await bench.repos.check(repo.id)}


async def test_a_hostile_repository_runs_nothing_and_commands_no_terminal(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/MARKER\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "filter.x.clean", "filter.x.process", "gpg.program", "core.sshCommand"):
        git("config", key, str(trap), cwd=checkout)
    git("config", "user.name", "\x1b]0;title\x07Evil\u202e", cwd=checkout)
    (checkout / ".gitattributes").write_text("* filter=x\n")
    repo = await bench.repo(checkout)

    found = await bench.repos.check(repo.id)

    assert not (tmp_path / "MARKER").exists()
    assert json.dumps([one.text for one in found], ensure_ascii=False).isprintable()
