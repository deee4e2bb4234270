"""Finds the files of a worktree that agents obey by themselves, and reads them as files that somebody else wrote.

A link is followed as an agent would follow it, as long as it stays in the worktree; each opening is one without links, so that one put
in between changes nothing. Of a link that leads out only the place that it names is known: what lies there is no file of the worktree.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from agor_jupyter.domain.trust import ProjectFile
from agor_jupyter.git.files import read_beneath

MAX_FILE = 4 << 20
MAX_FILES = 500
MAX_DEPTH = 12
_TEXT = 4_000
_MAX_LINKS = 20


def find(root: Path, names: Iterable[str]) -> list[ProjectFile]:
    """Those of `names` that are there: files, and all below folders, which end with `/`. In the order of their paths."""
    found: dict[str, ProjectFile] = {}
    for name in names:
        for count, path in enumerate(_below(root, name.rstrip("/")) if name.endswith("/") else [name]):
            if count == MAX_FILES:
                found[name] = ProjectFile(path=name, problem=f"It holds more than {MAX_FILES} files.")
                break
            if path not in found and (file := _read(root, path)):
                found[path] = file
    return [found[path] for path in sorted(found)]


def _below(root: Path, folder: str, depth: int = 0) -> Iterator[str]:
    place = _resolved(root, folder)
    if place is None or depth == MAX_DEPTH:
        if os.path.lexists(root / folder):
            yield folder
        return
    try:
        with os.scandir(root / place) as entries:
            listed = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError:  # it is not there, or a file
        if os.path.lexists(root / folder):
            yield folder
        return
    for name, is_folder in listed:
        path = f"{folder}/{name}"
        if is_folder:
            yield from _below(root, path, depth + 1)
        else:
            yield path


def _read(root: Path, path: str) -> ProjectFile | None:
    place = _resolved(root, path)
    if not os.path.lexists(root / (path if place is None else place)):  # also a link to nothing
        return None
    if place is None:
        target = os.path.realpath(root / path)
        text = f"A link out of the worktree, to {target}"
        return ProjectFile(path=path, sha256=hashlib.sha256(os.fsencode(f"link {target}")).hexdigest(), text=text)
    content = read_beneath(root, place, MAX_FILE)
    if content is None:
        return ProjectFile(path=path, problem=f"It cannot be read as a file of at most {MAX_FILE >> 20} MiB.")
    beginning, is_cut = _beginning(content)
    return ProjectFile(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content), text=beginning, is_cut=is_cut)


def _beginning(content: bytes) -> tuple[str | None, bool]:
    if b"\0" in content[:_TEXT]:
        return None, True
    text = content[: 4 * _TEXT].decode(errors="replace")
    return text[:_TEXT], len(text) > _TEXT or len(content) > 4 * _TEXT


def _resolved(root: Path, path: str) -> str | None:
    """Where in the worktree it leads to, by the names alone. `None`: out of it, or round in a circle."""
    waiting, done, links = path.split("/")[::-1], list[str](), 0
    while waiting:
        part = waiting.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not done:
                return None
            done.pop()
            continue
        try:
            target = str(root.joinpath(*done, part).readlink())
        except OSError:  # no link, or not there
            done.append(part)
            continue
        links += 1
        if target.startswith("/") or links > _MAX_LINKS:
            return None
        waiting += target.split("/")[::-1]
    return "/".join(done)
