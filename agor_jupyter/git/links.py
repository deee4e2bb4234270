"""Where a worktree is: git's entry for it below `worktrees/`, and the folder whose `.git` names that entry.

Both ends are files that an agent may write, so each is read as data, bounded, and believed only where both agree. What was recorded wins
over what they say later.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from agor_jupyter.git import entries
from agor_jupyter.git.files import read_beneath

_MAX_BYTES = 4096
_MAX_FOLDERS = 5000
_NAME = re.compile(r"[^/\0\n]{1,255}")
_COMMON = frozenset({b"../..", b"../..\n"})


def entry_of(common_dir: Path, folder: Path) -> str | None:
    """The name of git's entry that the `.git` file of `folder` names. `None`: it names none of this repository."""
    content = read_beneath(folder, ".git", _MAX_BYTES) if not folder.is_symlink() else None
    if content is None or not content.startswith(b"gitdir: "):
        return None
    target = Path(os.path.normpath(folder / os.fsdecode(content.removeprefix(b"gitdir: ").rstrip(b"\n"))))
    above = target.parent
    if above != common_dir / "worktrees" and Path(os.path.realpath(above)) != Path(os.path.realpath(common_dir / "worktrees")):
        return None
    return target.name if _NAME.fullmatch(target.name) and target.name not in {".", ".."} else None


def folder_of(common_dir: Path, entry: str) -> Path | None:
    """The folder that git's entry says it has."""
    content = read_beneath(common_dir / "worktrees" / entry, "gitdir", _MAX_BYTES)
    if content is None:
        return None
    link = Path(os.path.normpath(common_dir / "worktrees" / entry / os.fsdecode(content.rstrip(b"\n"))))
    return link.parent if link.name == ".git" else None


def is_sound(common_dir: Path, entry: str) -> bool:
    """Git's entry belongs to this repository and to no other, and is no link."""
    folder = common_dir / "worktrees" / entry
    return not folder.is_symlink() and folder.is_dir() and read_beneath(folder, "commondir", 64) in _COMMON


def agree(common_dir: Path, folder: Path, entry: str) -> bool:
    """Both ends name each other."""
    back = folder_of(common_dir, entry)
    return (
        is_sound(common_dir, entry)
        and entry_of(common_dir, folder) == entry
        and back is not None
        and os.path.realpath(back) == os.path.realpath(folder)
    )


def search(common_dir: Path, entry: str, old: Path) -> Path | None:
    """Where the worktree of `entry` is now, when its folder is no longer at `old`: where git's list has it, or beside its old place.

    A folder that was renamed above it is found too.
    """
    listed = folder_of(common_dir, entry)
    if listed is not None and listed != old and entry_of(common_dir, listed) == entry:
        return listed
    return next((folder for folder in _beside(old) if folder != old and entry_of(common_dir, folder) == entry), None)


def _beside(old: Path) -> Iterator[Path]:
    """Folders that stand where `old` stood: the nearest folder above that is still there, each folder in it, and the rest of the path."""
    rest: list[str] = []
    above = old
    while not above.is_dir() and above != above.parent:
        rest.insert(0, above.name)
        above = above.parent
    with contextlib.suppress(OSError), os.scandir(above) as found:
        for number, one in enumerate(found):
            if number >= _MAX_FOLDERS:
                return
            if one.is_dir(follow_symlinks=False):
                yield Path(one.path, *rest[1:])


def link(common_dir: Path, entry: str, folder: Path) -> None:
    """Let both ends name each other. Each file is whole at any moment."""
    write(common_dir / "worktrees" / entry / "gitdir", f"{folder}/.git\n")
    write(folder / ".git", f"gitdir: {common_dir / 'worktrees' / entry}\n")


def free_entry(above: Path, wanted: str) -> str:
    """`wanted`, or a name near it where git has such an entry already, as git itself would choose."""
    return next(name for name in (wanted, *(f"{wanted}{number}" for number in range(1, 1000))) if not os.path.lexists(above / name))


def name_modules(files: Path, admin: Path, place: Path, above: Path, entry: str) -> None:
    """Let the submodules of a worktree name their repositories in `entry`, whatever entry they named before.

    Args:
        files: the worktree's folder now.
        admin: git's folder for it now.
        place: where the worktree's folder was, and will be.
        above: where git's entries are.
        entry: the name of its entry to be.

    """
    waiting = [(admin, "")]
    while waiting:
        git_dir, folder = waiting.pop()
        for path in _submodules(git_dir):
            below = f"{folder}/{path}" if folder else path
            content = read_beneath(files, f"{below}/.git", _MAX_BYTES)
            if content is None or not content.startswith(b"gitdir: "):
                continue
            named = os.fsdecode(content.removeprefix(b"gitdir: ").rstrip(b"\n"))
            target = Path(os.path.normpath(place / below / named))
            if not target.is_relative_to(above) or target.relative_to(above).parts[1:2] != ("modules",):
                continue
            inner = Path(*target.relative_to(above).parts[1:])
            to = above / entry / inner
            write(files / below / ".git", f"gitdir: {to if named.startswith('/') else os.path.relpath(to, place / below)}\n")
            waiting.append((admin / inner, below))


def _submodules(git_dir: Path) -> list[str]:
    return [os.fsdecode(path) for path in entries.read(git_dir).links]


def make_entry(common_dir: Path, wanted: str, folder: Path, head: str, lock_reason: str) -> str:
    """A new entry for a folder that git forgot, named `wanted` or near it. `head` is the text of its HEAD. Returns its name."""
    above = common_dir / "worktrees"
    above.mkdir(exist_ok=True)
    entry = free_entry(above, wanted)
    made = above / entry
    made.mkdir()
    for name, text in (("commondir", "../..\n"), ("locked", f"{lock_reason}\n"), ("HEAD", f"{head}\n")):
        (made / name).write_text(text)
    link(common_dir, entry, folder)
    return entry


def last_commits(admin: Path) -> Sequence[str]:
    """The commits that the worktree's HEAD was at, by its reflog, the latest first."""
    content = read_beneath(admin, "logs/HEAD", 16 * 1024 * 1024) or b""
    lines = content.decode("utf-8", "replace").splitlines()[-50:]
    found = [line.split(" ", 2)[1] for line in reversed(lines) if line.count(" ") >= 2]
    return [sha for sha in dict.fromkeys(found) if re.fullmatch(r"(?!0+$)(?:[0-9a-f]{40}|[0-9a-f]{64})", sha)]


def write(path: Path, text: str) -> None:
    """Whole or not at all, and on the disk."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    with temporary.open("x") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
