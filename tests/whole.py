"""All that a worktree is: every byte, mode, link and time below its folder, its index, HEAD, unfinished operation and stashes."""

import hashlib
import os
import stat
import subprocess
from pathlib import Path

_VARIES = {"index", "agor-setup"}
"""Files of git's folder for a worktree that may be written anew with the same meaning."""


def look(*arguments: str, cwd: Path) -> str:
    """What git says, also when it refuses."""
    ended = subprocess.run(["git", "--no-optional-locks", *arguments], cwd=cwd, check=False, capture_output=True)
    return (ended.stdout + ended.stderr).decode("utf-8", "backslashreplace")


def tree(root: Path, caches: frozenset[str] = frozenset()) -> dict[str, tuple]:
    """What lies below a folder. Of folders the time is left out: who puts a file into one changes it."""
    found: dict[str, tuple] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if one not in caches]
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            entry: tuple = (stat.filemode(status.st_mode),)
            if path.is_symlink():
                entry += (os.readlink(path),)
            elif path.is_file():
                entry += (hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mtime_ns, status.st_nlink)
            found[str(path.relative_to(root))] = entry
    return found


def whole(path: Path, common: Path, caches: frozenset[str] = frozenset()) -> dict[str, object]:
    """Two of them are equal exactly when nothing was lost or changed."""
    admin = common / "worktrees" / path.name
    return {
        "files": tree(path, caches),
        "kept": {name: entry for name, entry in tree(admin).items() if name.split("/")[-1] not in _VARIES},
        "index": look("ls-files", "--stage", "-v", cwd=path),
        "head": (admin / "HEAD").read_text(),
        "log": look("log", "-g", "--format=%H %gs", "HEAD", cwd=path),
        "status": look("status", cwd=path),
        "short": [
            line
            for line in look("status", "--porcelain=v2", "--ignored", cwd=path).splitlines()
            if not caches.intersection(line.split(" ")[-1].split("/"))
        ],
        "stashes": look("stash", "list", cwd=path),
        "branch": look("branch", "--show-current", cwd=path),
    }


def differences(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Short enough to read."""
    found = []
    for part, one in before.items():
        other = after[part]
        if isinstance(one, dict) and isinstance(other, dict):
            found += [
                f"{part}: {name} was {one.get(name)}, is {other.get(name)}"
                for name in sorted({*one, *other})
                if one.get(name) != other.get(name)
            ]
        elif one != other:
            found.append(f"{part} was:\n{one}\nis:\n{other}")
    return found
