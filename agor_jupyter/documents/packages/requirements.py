"""Requirement files: what is taken from an index stays, what lies in the worktree is told apart. Nothing is read or run here."""

import posixpath
import re
from dataclasses import dataclass, field

_OPTION = re.compile(r"(-r|--requirements?|-c|--constraints?|-e|--editable)(?:\s+|=|(?<=^-[rce]))(.+)")
_INDEX = re.compile(r"(?:-f|--find-links|-i|--index-url|--extra-index-url)(?:\s+|=|(?<=^-[fi]))(.+)")
_FILE = re.compile(r"^file:(?://(?:localhost)?)?")
_NAMED = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*@\s*(.+)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_MARKER = re.compile(r"\s*;.*$|\s+--.*$")
_EXTRAS = re.compile(r"\[([^\]]*)\]$")
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")


@dataclass(frozen=True, kw_only=True)
class Local:
    """Something in the worktree that a line names: a folder with code, or an archive."""

    path: str
    extras: tuple[str, ...] = ()

    @property
    def is_archive(self) -> bool:
        return self.path.endswith(ARCHIVES)


@dataclass(kw_only=True)
class Requirements:
    """`text` is what the file says without the lines that name folders of the worktree. Paths are below the worktree."""

    text: str
    includes: list[str] = field(default_factory=list)
    locals: list[Local] = field(default_factory=list)


def read(text: str, folder: str = ".", root: str | None = None) -> Requirements:
    """`folder` is that of the file, below the worktree: files that it includes count from there, paths of packages from the worktree, as
    with pip. `root` is where the worktree lies.

    Raises `ValueError` with the line that leads out of the worktree, or that names an archive by an absolute path in it.
    """
    found, kept = Requirements(text=""), list[str]()
    for line in _logical(text):
        option = _OPTION.fullmatch(line)
        if option is not None and option[1] not in {"-e", "--editable"}:
            path = _FILE.sub("", option[2].strip())
            if "://" not in path:
                found.includes.append(_beneath(folder, path, line, root))
            kept.append(line)
            continue
        if option is None and line.startswith("-"):
            _check_index(line, root)
            kept.append(line)
            continue
        local = _local(option[2] if option is not None else line, line, root)
        if local is None or local.is_archive:
            kept.append(line)
        if local is not None:
            found.locals.append(local)
    found.text = "".join(f"{line}\n" for line in kept)
    return found


def _logical(text: str) -> list[str]:
    lines = re.sub(r"\\\r?\n", "", text).splitlines()
    return [line for raw in lines if (line := _COMMENT.sub("", raw).strip())]


def _check_index(line: str, root: str | None) -> None:
    """A folder of archives in the worktree is not judged, so it is not used."""
    named = _INDEX.fullmatch(line)
    if named is None:
        return
    path = _FILE.sub("", named[1].strip().strip("'\""))
    is_elsewhere = posixpath.isabs(path) and (root is None or not f"{path}/".startswith(f"{root}/"))
    if "://" not in path and not is_elsewhere:
        raise ValueError(
            f"“{line[:120]}” takes packages from a folder of the worktree; name the archives themselves, such as ./wheels/a.whl"
        )


def _local(words: str, line: str, root: str | None) -> Local | None:
    target = _MARKER.sub("", words).strip().strip("'\"")
    if (named := _NAMED.fullmatch(target)) is not None:
        target = named[2].strip()
    if target.startswith("file:"):
        target = _FILE.sub("", target)
    elif "://" in target or (named is None and not _is_path(target, words is line)):
        return None
    extras = _EXTRAS.search(target)
    path = _EXTRAS.sub("", target)
    if posixpath.isabs(path) and (root is None or not f"{path}/".startswith(f"{root}/")):
        return None  # it lies elsewhere on this machine, and so is not the worktree's
    names = tuple(one.strip() for one in extras[1].split(",") if one.strip()) if extras is not None else ()
    local = Local(path=_beneath(".", path, line, root), extras=names)
    if local.is_archive and posixpath.isabs(path):
        raise ValueError(f"“{line[:120]}” names a file of the worktree by where it lies just now; write ./{local.path}")
    return local


def _is_path(target: str, is_bare: bool) -> bool:
    return target.startswith((".", "/")) or target.endswith(ARCHIVES) or "/" in target.split("[", maxsplit=1)[0] or not is_bare


def _beneath(folder: str, path: str, line: str, root: str | None) -> str:
    path = path.strip().strip("'\"")
    if posixpath.isabs(path):
        if root is None or not f"{path}/".startswith(f"{root}/"):
            raise ValueError(f"“{line[:120]}” leads out of the worktree")
        folder, path = ".", posixpath.relpath(path, root)
    whole = posixpath.normpath(posixpath.join(folder, path))
    if whole.startswith("../") or whole == "..":
        raise ValueError(f"“{line[:120]}” leads out of the worktree")
    return whole
