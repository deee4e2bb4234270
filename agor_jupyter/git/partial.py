"""Partial clones: the objects that something needs are fetched in one batch before it begins, with the person's credentials.

Git would fetch each by itself, from where the repository's settings say, and an agent can write these. So it is kept from that, and what
is fetched here comes only from the address that was there when an owner registered the repository.
"""

import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import sparse
from agor_jupyter.git.repository import Repository, promisor_url

_FETCH_S = 1800.0
_ROUNDS = 50
"""A clone without trees gets them folder by folder, if its server sends no more at once."""
_REMOTE = "agor-promisor"


async def complete_checkout(repository: Repository, worktree: Path, commit: str = "HEAD") -> None:
    """Before the files of `commit` are written: those that are in the worktree's cone.

    Errors:
        MissingObjects: they are not there, and cannot be fetched.
    """
    await repository.refresh()
    if not repository.is_partial:
        return
    await _complete_trees(repository, [commit], worktree)
    with tempfile.TemporaryDirectory(prefix="index-", dir=repository.view) as folder:
        index = Path(folder) / "index"
        await repository.git(
            "list what is to be checked out",
            *sparse.options(repository, worktree),
            "read-tree",
            "-m",
            commit,
            worktree=worktree,
            index=index,
        )
        listed = await repository.git("list what is to be checked out", "ls-files", "-t", "--stage", "-z", worktree=worktree, index=index)
    wanted = [entry.split("\t")[0].split(" ") for entry in listed.text.split("\0") if entry]
    await _fetch_missing(repository, {oid for tag, mode, oid, _ in wanted if tag != "S" and mode != "160000"}, "check the files out")


async def complete_diff(
    repository: Repository, before: str, after: str, what: str = "compare", place: dict[str, str] | None = None
) -> None:
    """Before both sides of each file that differs are read. `place` are variables that say where more objects are."""
    await repository.refresh()
    if not repository.is_partial or before == after:
        return
    await _complete_trees(repository, [before, after], place=place)
    output = await repository.git(
        "list what differs",
        *("diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all", before, after, "--"),
        environment=place,
    )
    wanted = set()
    for line in output.text.split("\0"):
        if line.startswith(":"):
            old_mode, new_mode, old, new, _ = line[1:].split(" ")
            wanted |= {oid for mode, oid in ((old_mode, old), (new_mode, new)) if mode not in {"000000", "160000"} and oid.strip("0")}
    await _fetch_missing(repository, wanted, what, place)


async def complete_file(repository: Repository, commit: str, path: str) -> None:
    """Before this file of a commit is read. It need not be there."""
    await repository.refresh()
    if repository.is_partial:
        await _complete_trees(repository, [commit])
        found = await repository.git("look for a file", "rev-parse", "--verify", "--quiet", f"{commit}:{path}", ok=(0, 1, 128))
        await _fetch_missing(repository, {found.text.strip()} - {""}, f"read {path}")


async def _complete_trees(
    repository: Repository, roots: Iterable[str], worktree: Path | None = None, place: dict[str, str] | None = None
) -> None:
    asked: set[str] = set()
    for _ in range(_ROUNDS):
        output = await repository.git(
            "look for missing folders",
            "rev-list",
            "--no-walk",
            "--objects",
            "--filter=blob:none",
            "--missing=print",
            *roots,
            "--",
            worktree=worktree,
            environment=place,
        )
        missing = {line[1:] for line in output.text.split("\n") if line.startswith("?")} - asked
        if not missing:
            return
        asked |= missing
        await _fetch(repository, missing, "list its folders")


async def _fetch_missing(repository: Repository, oids: Collection[str], what: str, place: dict[str, str] | None = None) -> None:
    if not oids:
        return
    output = await repository.git(
        "look for missing objects",
        "cat-file",
        "--batch-check",
        stdin="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
        environment=place,
    )
    missing = {line.removesuffix(" missing") for line in output.text.split("\n") if line.endswith(" missing")}
    if missing:
        await _fetch(repository, missing, what)


async def _fetch(repository: Repository, oids: Collection[str], what: str) -> None:
    url = _source(repository, len(oids), what)
    try:
        await repository.git(
            "fetch missing objects",
            *("-c", f"remote.{_REMOTE}.url={url}", "-c", f"remote.{_REMOTE}.promisor=true", "-c", "fetch.negotiationAlgorithm=noop"),
            *("-c", f"remote.{_REMOTE}.partialclonefilter=blob:none"),  # as an option it would be written into the settings
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no", "--refmap="),
            *("--stdin", _REMOTE),
            protocols=repository.protocols,
            is_personal=True,
            stdin="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
            timeout_s=_FETCH_S,
        )
    except errors.GitFailed as error:
        raise errors.MissingObjects(str(repository.path), len(oids), what, error.message) from error


def _source(repository: Repository, count: int, what: str) -> str:
    """The address that an owner registered, if it is still the one."""
    place, registered = str(repository.path), repository.promisor
    if registered is None:
        why = "when the repo was registered, its remote had no address, or one with credentials or of a form that is not allowed"
        raise errors.MissingObjects(place, count, what, why)
    if promisor_url(repository.own) != registered:
        raise errors.MissingObjects(place, count, what, "the address of its remote is not the one that it had when the repo was registered")
    return registered
