"""Looks at a repository as it is: what is special about it, and what of that needs a person.

Nothing of the repository is obeyed, and nothing is changed. What it says is data.
"""

import os
import re
import shlex
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import Check, Repo, RepoState
from agor_jupyter.domain.text import plain
from agor_jupyter.git import formats, identity, worktrees
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.repository import Repository, is_set, promisor_url

_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")
_OLD_S = 600.0
_MAX_BYTES = 1024 * 1024
_FILTER = re.compile(r"(?<![\w-])filter=([A-Za-z0-9._-]+)")
_SUBMODULE = re.compile(rb'^\s*\[submodule "', re.MULTILINE)
_SHOWN = 8


async def check(repo: Repo, repository: Repository | None, known: Iterable[str]) -> list[Check]:
    """`known` are the folders of this server's own worktrees."""
    if repository is None:
        return [Check(verdict="warn" if repo.state is RepoState.CLONING else "fail", what="state", text=repo.reason or repo.state.value)]
    if not repository.path.is_dir() or not repository.common_dir.is_dir():
        gone = repository.path if not repository.path.is_dir() else repository.common_dir
        return [Check(verdict="fail", what="folder", text=f"{gone} no longer exists. Bring it back, or register it where it is now")]
    try:
        await repository.refresh()
        return [one async for one in _checks(repository, set(known))]
    except errors.AgorError as error:
        return [Check(verdict="fail", what="git", text=error.message)]


async def _checks(repository: Repository, known: set[str]) -> AsyncIterator[Check]:
    yield _layout(repository)
    yield _format(repository)
    for one in (*_objects(repository), *_names(repository), *_locks(repository)):
        yield one
    async for one in _content(repository):
        yield one
    yield await _person(repository)
    async for one in _worktrees(repository, known):
        yield one


def _layout(repository: Repository) -> Check:
    common, path = repository.common_dir, repository.path
    if repository.is_bare:
        return Check(verdict="ok", what="layout", text=f"a bare repository, {common}")
    if common == path / ".git":
        return Check(verdict="ok", what="layout", text=f"a checkout, {path}")
    kind = "the checkout of a submodule" if common.parent.name == "modules" or ".git/modules/" in str(common) else "a checkout"
    return Check(verdict="ok", what="layout", text=f"{kind}, {path}, whose repository is {common}")


def _format(repository: Repository) -> Check:
    own = repository.own
    names = [name.partition(b".")[2].decode("utf-8", "replace") for name in own if name.startswith(b"extensions.")]
    long = ", SHA-256 names" if own.get(b"extensions.objectformat", b"").lower() == b"sha256" else ""
    more = f", with {_list(sorted(names))}" if names else ""
    number = plain(own.get(b"core.repositoryformatversion", b"0").decode("utf-8", "replace"))
    return Check(verdict="ok", what="format", text=f"version {number}{long}{more}; git here is {formats.text(formats.version())}")


def _objects(repository: Repository) -> Iterable[Check]:
    if repository.is_partial:
        url = promisor_url(repository.own)
        if repository.promisor and url == repository.promisor:
            yield Check(verdict="ok", what="partial clone", text=f"what is missing is fetched from {repository.promisor}")
        else:
            line = f"git -C {shlex.quote(str(repository.path))} fetch --refetch --no-filter"
            text = f"what is missing cannot be fetched from here. In a terminal: {line}"
            yield Check(verdict="warn", what="partial clone", text=text)
    shallow = read_beneath(repository.common_dir, "shallow", _MAX_BYTES)
    if shallow:
        yield Check(verdict="ok", what="shallow", text=f"its history is cut at {_count(len(shallow.split()), 'commit')}")
    if read_beneath(repository.common_dir, "objects/info/alternates", 65_536):
        yield Check(verdict="ok", what="borrows", text="it borrows objects from another repository (info/alternates)")
    if read_beneath(repository.common_dir, "info/sparse-checkout", _MAX_BYTES * 4) is not None and (
        is_set(repository.own, b"core.sparsecheckout") or is_set(repository.own, b"extensions.worktreeconfig")
    ):
        yield Check(verdict="ok", what="sparse", text="new worktrees use the patterns of the main checkout")


def _names(repository: Repository) -> Iterable[Check]:
    if repository.ignores_case:
        yield Check(verdict="ok", what="names", text="names that differ in case only are one (core.ignoreCase)")


def _locks(repository: Repository) -> Iterable[Check]:
    for name in _LOCKS:
        try:
            age = time.time() - (repository.common_dir / name).lstat().st_mtime
        except OSError:
            continue
        if age > _OLD_S:
            text = f"{repository.common_dir / name} is {age / 60:.0f} minutes old. If no git runs there any more, remove it"
            yield Check(verdict="warn", what="lock", text=text)


async def _content(repository: Repository) -> AsyncIterator[Check]:
    """What the last commit says of submodules and filters."""
    modules = await _file(repository, ".gitmodules")
    count = len(_SUBMODULE.findall(modules))
    if count:
        text = f"{_count(count, 'submodule')}; `setup: git submodule update --init` in .agor.yml fills them in new worktrees"
        yield Check(verdict="ok", what="submodules", text=text)
    attributes = (await _file(repository, ".gitattributes")) + (read_beneath(repository.common_dir, "info/attributes", _MAX_BYTES) or b"")
    lines = [line for line in attributes.decode("utf-8", "replace").split("\n") if not line.lstrip().startswith("#")]
    named = sorted({name for line in lines for name in _FILTER.findall(line)})
    programs = await identity.filters(repository) if named else {}
    for name in named[:_SHOWN]:
        yield _filter(name, programs.get(name, {}))


def _filter(name: str, commands: dict[str, str]) -> Check:
    if not commands:
        text = f"files go through {name!r}, which is not set up here: they are used as they are"
        return Check(verdict="warn", what="filter", text=text)
    missing = []
    for command in commands.values():
        try:
            word = shlex.split(command)[0]
        except (ValueError, IndexError):
            continue
        if shutil.which(word) is None:
            missing.append(plain(word)[:80])
    if missing:
        text = f"files go through {name!r}, whose program {_list(sorted(set(missing)))} is not on PATH"
        return Check(verdict="warn", what="filter", text=text)
    return Check(verdict="ok", what="filter", text=f"files go through {name!r}, and its program is there")


async def _file(repository: Repository, name: str) -> bytes:
    output = await repository.git("read a file", "cat-file", "blob", f"HEAD:{name}", ok=(0, 128), cap=_MAX_BYTES)
    return output.out if output.code == 0 or output.is_cut else b""


async def _person(repository: Repository) -> Check:
    found = await identity.of(repository)
    known = {key: os.fsdecode(value) for key, value in found.settings}
    if not found.is_complete:
        text = "git knows no name and e-mail address for commits here: `git config --global user.name` and `user.email` set them"
        return Check(verdict="warn", what="identity", text=text)
    signs = "; commits are to be signed, which those of agents in the sandbox are not" if found.signs else ""
    who = f"{known.get(b'author.name') or known.get(b'user.name')} <{known.get(b'author.email') or known.get(b'user.email')}>"
    return Check(verdict="ok", what="identity", text=plain(who)[:200] + signs)


async def _worktrees(repository: Repository, known: set[str]) -> AsyncIterator[Check]:
    own = {str(repository.path), str(repository.common_dir)}
    others = [entry for entry in await worktrees.entries(repository) if entry.path not in known | own]
    gone = [entry.path for entry in others if not Path(entry.path).is_dir()]
    there = [f"{entry.path} ({entry.branch or 'no branch'})" for entry in others if entry.path not in gone]
    if there:
        yield Check(verdict="ok", what="worktrees", text=f"made by others: {_list([plain(one) for one in there])}")
    if gone:
        are = "is" if len(gone) == 1 else "are"
        text = f"git knows {_list([plain(one) for one in gone])}, which {are} not there: `git worktree prune` or `repair`"
        yield Check(verdict="warn", what="worktrees", text=text)


def _list(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
