"""An agent owns everything below the worktree and below `.git`. No git call of the server may run what it wrote there."""

import os
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.git import branches, identity, include, upstream, worktrees
from agor_jupyter.git.archives import archives, pins, slimming
from agor_jupyter.git.archives.archives import Box
from agor_jupyter.git.inspection import snapshots, status, unfilled, work
from agor_jupyter.git.inspection.insides import Base
from agor_jupyter.git.repository import Repository, discover
from tests.git.conftest import git

BASE = "main"


class Trap:
    """Whatever runs `command` leaves the marker."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder / "MARKER"
        self.script = folder / "trap.sh"
        self.script.write_text(f"#!/bin/sh\ntouch {self.marker}\ncat 2>/dev/null\nexit 0\n")
        self.script.chmod(0o755)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def _set(name):
    return lambda checkout, worktree, trap: git("config", name, str(trap.script), cwd=checkout)


def _filter(kind):
    def arm(checkout, worktree, trap):
        git("config", f"filter.x.{kind}", str(trap.script), cwd=checkout)
        git("config", "filter.x.required", "false", cwd=checkout)
        _attributes(checkout, worktree, "* filter=x")

    return arm


def _attributes(checkout, worktree, line):
    (worktree / ".gitattributes").write_text(line + "\n")
    (checkout / ".gitattributes").write_text(line + "\n")
    (checkout / ".git" / "info").mkdir(exist_ok=True)
    (checkout / ".git" / "info" / "attributes").write_text(line + "\n")


def _diff_driver(kind):
    def arm(checkout, worktree, trap):
        git("config", f"diff.x.{kind}", str(trap.script), cwd=checkout)
        _attributes(checkout, worktree, "* diff=x")

    return arm


def _hooks(checkout, worktree, trap):
    for name in (
        "post-checkout",
        "pre-commit",
        "post-index-change",
        "reference-transaction",
        "post-commit",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ):
        shutil.copy(trap.script, checkout / ".git" / "hooks" / name)


def _hooks_path(checkout, worktree, trap):
    _hooks(checkout, worktree, trap)
    git("config", "core.hooksPath", str(checkout / ".git" / "hooks"), cwd=checkout)


def _config_worktree(checkout, worktree, trap):
    git("config", "extensions.worktreeConfig", "true", cwd=checkout)
    for folder in (checkout / ".git", checkout / ".git" / "worktrees" / worktree.name):
        (folder / "config.worktree").write_text(f"[core]\n\tfsmonitor = {trap.script}\n\thooksPath = {checkout}/.git/hooks\n")
    _hooks(checkout, worktree, trap)


def _include(checkout, worktree, trap):
    (worktree / "evil").write_text(f"[core]\n\tfsmonitor = {trap.script}\n[diff]\n\texternal = {trap.script}\n")
    git("config", "include.path", str(worktree / "evil"), cwd=checkout)


def _evil_repository(folder, trap):
    folder.mkdir(parents=True)
    git("init", "-q", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=folder)
    git("config", "core.fsmonitor", str(trap.script), cwd=folder)
    git("config", "diff.external", str(trap.script), cwd=folder)


def _replaced_git_file(checkout, worktree, trap):
    evil = worktree.parent / "evil"
    _evil_repository(evil, trap)
    (worktree / ".git").write_text(f"gitdir: {evil}/.git\n")


def _replaced_git_folder(checkout, worktree, trap):
    (worktree / ".git").unlink()
    evil = worktree.parent / "evil"
    _evil_repository(evil, trap)
    shutil.copytree(evil / ".git", worktree / ".git")


def _rewritten_commondir(checkout, worktree, trap):
    evil = worktree.parent / "evil"
    _evil_repository(evil, trap)
    (checkout / ".git" / "worktrees" / worktree.name / "commondir").write_text(f"{evil}/.git\n")


def _nested_repository(checkout, worktree, trap):
    """A gitlink to a repository inside: git status would run git there, under the settings found there."""
    _evil_repository(worktree / "nested", trap)
    git("add", "nested", cwd=worktree)
    (worktree / "nested" / "x").write_text("x")
    (worktree / ".gitmodules").write_text('[submodule "nested"]\n\tpath = nested\n\turl = ./nested\n\tignore = none\n')


def _alternate_refs(checkout, worktree, trap):
    git("config", "core.alternateRefsCommand", str(trap.script), cwd=checkout)
    other = worktree.parent / "other"
    _evil_repository(other, trap)
    (checkout / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/.git/objects\n")


def _promisor(checkout, worktree, trap):
    git("config", "remote.p.url", f"ext::{trap.script}", cwd=checkout)
    git("config", "remote.p.promisor", "true", cwd=checkout)
    git("config", "extensions.partialClone", "p", cwd=checkout)
    git("config", "protocol.ext.allow", "always", cwd=checkout)


ATTACKS = {
    **{
        name: _set(name)
        for name in (
            *(
                "core.fsmonitor",
                "diff.external",
                "core.sshCommand",
                "core.pager",
                "pager.status",
                "core.editor",
                "core.gitProxy",
                "core.askPass",
            ),
            *("credential.helper", "gpg.program", "uploadpack.packObjectsHook", "sequence.editor"),
        )
    },
    "filter.smudge": _filter("smudge"),
    "filter.clean": _filter("clean"),
    "filter.process": _filter("process"),
    "textconv": _diff_driver("textconv"),
    "diff driver": _diff_driver("command"),
    "hooks": _hooks,
    "core.hooksPath": _hooks_path,
    "config.worktree": _config_worktree,
    "include.path": _include,
    "replaced .git file": _replaced_git_file,
    "replaced .git folder": _replaced_git_folder,
    "rewritten commondir": _rewritten_commondir,
    "nested repository": _nested_repository,
    "alternateRefsCommand": _alternate_refs,
    "promisor remote": _promisor,
}


@pytest.fixture
async def worktree(repository: Repository, tmp_path: Path) -> Path:
    path = tmp_path / "worktrees" / "fix-abc"
    await worktrees.add(repository, path, "fix", git("rev-parse", "main", cwd=repository.path))
    await worktrees.populate(repository, path, 1)
    return path


async def put_away(repository: Repository, worktree: Path) -> Box:
    box = Box(repository.view.with_name("archives") / worktree.name)
    archives.check_lock(repository, worktree, "archive")
    archives.keep_head(box, repository, worktree)
    kept = await pins.pin(repository, worktree, worktree.name)
    assert kept.head is not None
    archives.put_away(box, worktree)
    archives.put_admin_away(box, repository.worktree_dir(worktree))
    return box


async def put_back(repository: Repository, worktree: Path, box: Box) -> None:
    await slimming.refill(repository, box.files, box.folder)
    archives.roll_back(box, worktree, repository.worktree_dir(worktree))
    await archives.refresh_index(repository, worktree)
    await pins.unpin(repository, worktree.name)


async def bring_back(repository: Repository, worktree: Path, tree: str, parent: str) -> None:
    """As from the ref in which an earlier version kept what was not committed."""
    person = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    kept = await repository.git("keep it", "commit-tree", tree, "-p", parent, environment=person, stdin=b"kept\n")
    await repository.git("keep it", "update-ref", "refs/agor/backup/wt_1", kept.text.strip())
    await snapshots.bring_back(repository, worktree, "refs/agor/backup/wt_1")


async def everything(repository: Repository, worktree: Path, base_sha: str) -> None:
    """Every way in which the server uses git."""
    (worktree / "a.txt").write_text("changed\n")
    (worktree / "new.txt").write_text("new\n")
    found = await status.changes(repository, worktree)
    await status.status(repository, worktree, base_sha, BASE, datetime.now(UTC), found)
    for is_whole in (False, True):
        await work.survey(repository, worktree, Base(sha=base_sha, ref=BASE), found=found, is_whole=is_whole)
    before = await snapshots.checkpoint(repository, worktree)
    (worktree / "models" / "orders.sql").write_text("select 3\n")
    after = await snapshots.checkpoint(repository, worktree)
    patch = await snapshots.patch(repository, base_sha, after.tree)
    assert {"a.txt", "models/orders.sql", "new.txt"} <= {file.path for file in patch.files}
    await snapshots.patch(repository, before.tree, after.tree)
    await worktrees.resolve(repository, "repo", BASE, "other")
    await worktrees.entries(repository)
    await worktrees.refs(repository)
    (repository.path / include.FILE).write_text("*.env\n")
    (repository.path / "x.env").write_text("X=1\n")
    await include.copy(repository, worktree)
    other = worktree.with_name("second-abc")
    await worktrees.add(repository, other, "second", base_sha)
    await worktrees.populate(repository, other, 2)
    await bring_back(repository, other, after.tree, base_sha)
    (await put_away(repository, other)).remove()
    await worktrees.drop_branch(repository, "second", base_sha)
    await discover(repository.path)
    await identity.of(repository, worktree)
    await unfilled.find(repository, worktree)
    await branches.stray(repository, worktree, base_sha)
    await upstream.find(repository, BASE)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_nothing_that_an_agent_writes_is_run(repository: Repository, worktree: Path, trap: Trap, attack: str) -> None:
    base_sha = git("rev-parse", "main", cwd=repository.path)
    ATTACKS[attack](repository.path, worktree, trap)
    trap.marker.unlink(missing_ok=True)  # git ran it while the attack was prepared

    if attack == "rewritten commondir":
        with pytest.raises(errors.GitFailed, match="changed by another program"):
            await everything(repository, worktree, base_sha)
    else:
        await everything(repository, worktree, base_sha)
    if attack == "rewritten commondir":
        with pytest.raises(errors.GitFailed, match="changed by another program"):
            await put_away(repository, worktree)
        assert worktree.is_dir()
    else:
        box = await put_away(repository, worktree)
        assert (box.files / "a.txt").read_text() == "changed\n"
        await put_back(repository, worktree, box)
        assert (worktree / "new.txt").read_text() == "new\n"

    assert not trap.marker.exists()


async def test_the_attacks_are_real(repository: Repository, worktree: Path, trap: Trap) -> None:
    """Bare git in the same place runs what the agent wrote."""
    for attack in ("nested repository", "core.fsmonitor", "replaced .git file"):
        ATTACKS[attack](repository.path, worktree, trap)
        trap.marker.unlink(missing_ok=True)

        subprocess.run(["git", "status"], cwd=worktree, capture_output=True, check=False)

        assert trap.marker.exists(), attack


async def test_settings_that_matter_to_status_are_kept(repository: Repository, worktree: Path) -> None:
    git("config", "core.fileMode", "false", cwd=repository.path)
    (worktree / "a.txt").chmod(0o755)

    assert not (await status.changes(repository, worktree)).is_dirty


async def test_the_view_follows_the_main_checkout(repository: Repository) -> None:
    await worktrees.entries(repository)
    git("checkout", "-q", "-b", "elsewhere", cwd=repository.path)

    assert (await worktrees.entries(repository))[0].branch == "elsewhere"


async def test_a_fifo_or_link_in_place_of_git_files_does_not_block(repository: Repository) -> None:
    (repository.path / ".git" / "HEAD").unlink()
    os.mkfifo(repository.path / ".git" / "HEAD")

    with pytest.raises(errors.NotARepository):
        await worktrees.entries(repository)
    assert stat.S_ISFIFO((repository.path / ".git" / "HEAD").stat().st_mode)
