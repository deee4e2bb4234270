"""Which operation of git is under way in a worktree or repository, read from the files that git keeps for it. Runs nothing."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain.work import count, shown
from agor_jupyter.git.files import read_beneath

_MAX = 64 * 1024
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HEADS = (("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert"))
_SIGNS = {"rebase-merge", "rebase-apply", "sequencer", "BISECT_START", *(file for file, _ in _HEADS)}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`name` is git's word: merge, rebase, cherry-pick, revert, bisect or am."""

    name: str
    of: str = ""
    """The branch that is rebased or bisected, or what is merged, as far as git says so."""
    step: int = 0
    steps: int = 0
    set_aside: str | None = None
    """A commit that holds what git set aside for it, and that no ref names."""

    def sentence(self, conflicts: int) -> str:
        """“rebase of fix under way, step 2 of 5, 2 files in conflict”."""
        parts = [f"{self.name}{f' of {self.of}' if self.of else ''} under way"]
        if self.steps > 1:
            parts.append(f"step {self.step} of {self.steps}")
        if conflicts:
            parts.append(f"{count(conflicts, 'file')} in conflict")
        if self.set_aside:
            parts.append("with changes that git set aside for it")
        return ", ".join(parts)


def under_way(git_dir: Path) -> list[Operation]:
    """Those of the worktree whose own git directory this is. A bisect can be under way beside another."""
    found: list[Operation] = []
    try:
        with os.scandir(git_dir) as entries:
            if _SIGNS.isdisjoint([entry.name for entry in entries]):
                return found
    except OSError:
        return found
    if (folder := git_dir / "rebase-merge").is_dir():
        found.append(_steps(folder, "rebase", "msgnum", "end"))
    elif (folder := git_dir / "rebase-apply").is_dir():
        found.append(_steps(folder, "am" if (folder / "applying").exists() else "rebase", "next", "last"))
    else:
        for file, name in _HEADS:
            if (head := _read(git_dir, file)) is not None:
                aside = _read(git_dir, "MERGE_AUTOSTASH") if name == "merge" else None
                found.append(Operation(name=name, of=_merged(git_dir) if name == "merge" else head[:10], set_aside=_sha(aside)))
                break
        else:
            if (todo := _read(git_dir, "sequencer/todo")) is not None:
                found.append(Operation(name="revert" if todo.startswith("revert") else "cherry-pick"))
    if (started := _read(git_dir, "BISECT_START")) is not None:
        found.append(Operation(name="bisect", of=shown(_short(started))))
    return found


def _steps(folder: Path, name: str, at: str, last: str) -> Operation:
    branch = _short(_read(folder, "head-name") or "")
    return Operation(
        name=name,
        of=shown(branch) if branch != "detached HEAD" else "",
        step=_number(_read(folder, at)),
        steps=_number(_read(folder, last)),
        set_aside=_sha(_read(folder, "autostash")),
    )


def _merged(git_dir: Path) -> str:
    message = (_read(git_dir, "MERGE_MSG") or "").partition("\n")[0]
    named = re.match(r"Merge (?:remote-tracking )?branch(?:es)? '([^']{1,200})'", message)
    return shown(named[1]) if named else ""


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")[:200]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 0


def _sha(text: str | None) -> str | None:
    return text if text and _SHA.fullmatch(text) else None


def _read(folder: Path, name: str) -> str | None:
    content = read_beneath(folder, name, _MAX)
    return None if content is None else content.decode("utf-8", "surrogateescape").strip()
