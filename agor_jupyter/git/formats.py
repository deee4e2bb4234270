"""Which formats of repositories git reads here, and what to say of one that it does not."""

import os
import re
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.text import quoted
from agor_jupyter.processes import once

Version = tuple[int, ...]

_PATIENCE_S = 60.0
_HIGHEST = 1
"""The format's version that every git of today reads. The rest is told by extensions."""
_SINCE: dict[str, Version] = {
    "objectformat": (2, 29),
    "worktreeconfig": (2, 20),
    "partialclone": (2, 17),
    "refstorage": (2, 45),
    "compatobjectformat": (2, 45),
    "relativeworktrees": (2, 48),
}
"""The git that brought each extension."""
_NAMES = {
    "objectformat": "objectFormat",
    "worktreeconfig": "worktreeConfig",
    "partialclone": "partialClone",
    "refstorage": "refStorage",
    "compatobjectformat": "compatObjectFormat",
    "relativeworktrees": "relativeWorktrees",
}


@cache
def _version_of(program: str) -> Version:
    said = once.wait_for([program, "--version"], timeout_s=_PATIENCE_S).text
    number = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(map(int, number[0].split("."))) if number else ()


def version() -> Version:
    """Of the git that runs here; `()` when it cannot be told. A process, once."""
    program = shutil.which("git")
    return _version_of(program) if program else ()


def flaw(settings: Iterable[tuple[bytes, bytes]]) -> tuple[str, Version | None] | None:
    """Why git does not read a repository with these settings, and the version that does, if that is known. `None`: it reads it."""
    known = dict(settings)
    number = known.get(b"core.repositoryformatversion", b"0").strip()
    if number.isdigit() and int(number) > _HIGHEST:
        return f"its format has version {int(number)}, and git {text(version())} reads version {_HIGHEST} at most", None
    wanted = [key.partition(b".")[2].decode("utf-8", "replace") for key in known if key.startswith(b"extensions.")]
    late = [(since, name) for name in wanted if (since := _SINCE.get(name)) and version() and since > version()]
    if not late or number == b"0":  # in version 0, git takes an extension only if it changes nothing for it, and says so itself
        return None
    since = max(since for since, _ in late)
    listed = " and ".join(f"extensions.{_NAMES[name]}" for _, name in sorted(late))
    return f"it was made by a newer git ({listed}), and git here is {text(version())}", since


def refusal(path: Path, settings: Iterable[tuple[bytes, bytes]], said: str = "") -> errors.UnreadableRepository | None:
    """The error for a repository with these settings, of which git `said` something, or `None`."""
    found = flaw(settings)
    if found is None and not said:
        return None
    why, since = found or ("git does not accept it", None)
    heard = f", which says “{' '.join(quoted(said).split())}”" if said else ""
    remedy = f"Install git {text(since)} or later for this server" if since else "Install a newer git for this server, or repair it there"
    return errors.UnreadableRepository(str(path), why + heard, f"{remedy}; nothing is wrong with your files.")


def text(number: Version) -> str:
    return ".".join(map(str, number))


def git_dir_at(path: Path) -> Path | None:
    """The repository that a folder seems to have, by the looks of its files and without asking git."""
    for folder in (path, *path.parents):
        link = folder / ".git"
        if _looks_like_one(link):
            return link
        if link.is_file() and not link.is_symlink():
            named = Path(os.path.realpath(folder / _read(link).removeprefix("gitdir:").strip()))
            common = Path(os.path.realpath(named / (_read(named / "commondir").strip() or ".")))
            return common if _looks_like_one(common) else None
        if _looks_like_one(folder):
            return folder
    return None


def _looks_like_one(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.read(4096)
    except OSError:
        return ""
