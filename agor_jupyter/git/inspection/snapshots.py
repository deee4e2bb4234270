"""What a worktree holds at a moment, uncommitted and untracked files included, as objects of git; and what changed in between.

Nothing the agent sees is touched: neither its index, its branch nor its files.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agor_jupyter.domain.own_files import OwnFiles
from agor_jupyter.domain.turns import Patch, PatchFile
from agor_jupyter.git import partial, sparse
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection.cleaned import Cleaned
from agor_jupyter.git.inspection.status import changes
from agor_jupyter.git.repository import Repository

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A larger changed file is left out of a snapshot, so that a turn does not copy a data set into the repository."""
MAX_BYTES = 256 * 1024 * 1024
"""Of all changed files of a snapshot together; the smallest are taken in first."""
_MOST_WITHOUT = 500
MAX_PATCH_BYTES = 2_000_000
BACKUPS = "refs/agor/backup"
_MAX_SUBMODULES_BYTES = 1024 * 1024
_SUBMODULE_LINE = re.compile(
    rb"""\s*(?:[#;].*|\[submodule\ "(?![^"]*\.\.)[^"\\\]]+"\]|[A-Za-z]+\s*=(?!\s*(?:[-!"]|(?:\.\.?/)*:))[^%\\"]*)?\s*""", re.VERBOSE
)
"""What is harmless in a list of submodules: no name that climbs, no option or command as a value, nothing quoted or escaped."""
_STATUSES = {"A": "added", "M": "modified", "D": "deleted", "R": "renamed", "C": "copied", "T": "type_changed"}


@dataclass(frozen=True)
class LeftOut:
    """A changed file that is too large for a snapshot."""

    path: str
    size: int
    mtime_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`commit` is HEAD, `""` when there is none. `tree` names all that was in the worktree, but for ignored files and `left_out`."""

    commit: str
    tree: str
    dirty: bool
    store: Path | None = None
    """The folder that has those of its objects that the repository has not."""
    left_out: tuple[LeftOut, ...] = ()
    untracked: tuple[str, ...] = ()
    """The untracked files in it."""
    has_changes: bool = False
    """A tracked file differs from HEAD."""
    untried: tuple[tuple[str, str], ...] = ()
    """Files that are as they are, since their filter could not be tried: with its name."""

    def apart(self, own: OwnFiles) -> "Checkpoint":
        """It is not dirty because of what agents keep for themselves."""
        if not own or not self.dirty or not self.untracked:
            return self
        return replace(self, dirty=self.has_changes or any(own.owner(path) is None for path in self.untracked))


async def checkpoint(
    repository: Repository,
    worktree: Path,
    *,
    largest: int | None = MAX_FILE_BYTES,
    limit: int | None = MAX_BYTES,
    store: Path | None = None,
) -> Checkpoint:
    """One process for a clean worktree, three for a dirty one. `largest=None` leaves nothing out.

    With `store`, objects are written into that folder, which is made for it, and not into the repository.
    """
    folder = Path(tempfile.mkdtemp(prefix="index-", dir=repository.view))
    try:
        index = folder / "index"
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(repository.worktree_dir(worktree) / "index", index)  # its time tells git which entries to doubt
        found = await changes(repository, worktree, index=index, is_raw=largest is None)
        if not found.is_dirty:
            return Checkpoint(commit=found.head, tree=found.head, dirty=False)
        changed = [path for path in (*found.tracked, *found.untracked) if _is_sound(worktree, path)]
        stored = {path: one.content for path, one in found.cleaned.items() if one.content is not None}
        left_out = [] if largest is None else _too_large(worktree, [path for path in changed if path not in stored], largest, limit)
        without = {file.path for file in left_out}
        place: dict[str, str] = {}
        quick: tuple[str, ...] = ()
        if store is not None:
            store.mkdir(parents=True, exist_ok=True)
            place = writing_to(repository, store)
            quick = ("-c", "core.looseCompression=0")  # nothing of it stays for long
        await repository.git(
            "take in the changed files",
            *(*quick, "update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
            worktree=worktree,
            index=index,
            environment=place,
            stdin=b"".join(os.fsencode(path) + b"\0" for path in changed if path not in {*without, *found.cleaned}),
        )
        filtered = {path: one for path in changed if path not in without and (one := found.cleaned.get(path)) is not None}
        if filtered:
            await _take_in(repository, worktree, index, filtered, place)
        loose = ["--missing-ok"] if repository.is_partial else []
        output = await repository.git("write a snapshot", "write-tree", *loose, worktree=worktree, index=index, environment=place)
        return Checkpoint(
            commit=found.head,
            tree=output.text.strip(),
            dirty=True,
            store=store,
            left_out=tuple(left_out),
            untracked=tuple(found.untracked),
            has_changes=bool(found.tracked),
            untried=tuple(sorted(found.untried.items())),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _take_in(repository: Repository, worktree: Path, index: Path, files: Mapping[str, Cleaned], place: dict[str, str]) -> None:
    """Files as their filters make them."""
    contents = {path: one.content for path, one in files.items() if one.content is not None}
    folder = Path(tempfile.mkdtemp(prefix="stored-", dir=repository.view))
    try:
        names = [folder / str(number) for number in range(len(contents))]
        for name, content in zip(names, contents.values(), strict=True):
            name.write_bytes(content)
        listed = "".join(f"{name}\n" for name in names).encode()
        command = ("hash-object", "-w", "--no-filters", "--stdin-paths")
        await repository.git("take in the filtered files", *command, environment=place, stdin=listed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    lines = (b"%b %b\t%b\0" % (_mode(worktree / path), one.oid.encode(), os.fsencode(path)) for path, one in files.items())
    await repository.git(
        "take in the filtered files",
        *("update-index", "--add", "--replace", "-z", "--index-info"),
        worktree=worktree,
        index=index,
        environment=place,
        stdin=b"".join(lines),
    )


def _mode(path: Path) -> bytes:
    try:
        return b"100755" if path.lstat().st_mode & 0o100 else b"100644"
    except OSError:
        return b"100644"


def writing_to(repository: Repository, store: Path) -> dict[str, str]:
    """Variables with which git writes new objects into the folder `store` and reads the repository's."""
    return {"GIT_OBJECT_DIRECTORY": str(store), "GIT_ALTERNATE_OBJECT_DIRECTORIES": _paths([repository.common_dir / "objects"])}


def note(left_out: Sequence[LeftOut]) -> str:
    """What a reader of the patch has to know, as a sentence; `""` when nothing was left out."""
    if not left_out:
        return ""
    size = sum(file.size for file in left_out) / (1024 * 1024)
    names = ", ".join(sorted(file.path for file in left_out)[:5])
    count = "1 file" if len(left_out) == 1 else f"{len(left_out)} files"
    return _shown(f"{count} of {size:,.0f} MiB left out, too large to compare: {names}{', …' if len(left_out) > 5 else ''}.") or ""


def note_untried(untried: Mapping[str, str]) -> str:
    """As `note`, of files whose filter could not be tried."""
    if not untried:
        return ""
    filters, names = ", ".join(sorted(set(untried.values()))), ", ".join(sorted(untried)[:5])
    which = "1 file shows as it is" if len(untried) == 1 else f"{len(untried)} files show as they are"
    return (
        _shown(
            f"{which}, because the filter {filters} could not be tried in a sandbox: {names}{', …' if len(untried) > 5 else ''}. "
            "AgorApp.sandbox_read shows its program there."
        )
        or ""
    )


def _too_large(worktree: Path, paths: Sequence[str], largest: int, limit: int | None) -> list[LeftOut]:
    found, total = [], 0
    for size, mtime_ns, path in sorted((*_size(worktree / path), path) for path in paths):
        if size > largest or (limit is not None and total + size > limit):
            found.append(LeftOut(path, size, mtime_ns))
        else:
            total += size
    return found


def _paths(folders: Sequence[Path]) -> str:
    """A list of paths as git reads it, whatever is in them."""
    return ":".join('"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"' for folder in folders)


def _size(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _is_sound(worktree: Path, path: str) -> bool:
    """Whether git's own check takes it. Of all files it only refuses some lists of submodules, and then calls the repository broken."""
    if path.rpartition("/")[2].lower() != ".gitmodules" or not os.path.lexists(worktree / path):
        return True
    content = read_beneath(worktree, path, _MAX_SUBMODULES_BYTES)
    return content is not None and all(_SUBMODULE_LINE.fullmatch(line) for line in content.splitlines())


async def patch(repository: Repository, before: str, after: str, *, stores: Sequence[Path] = (), without: Sequence[str] = ()) -> Patch:
    """What changed from one tree or commit to another. `stores` are folders that have objects of them; files of `without` are left out."""
    options = ("--no-ext-diff", "--no-textconv", "--no-color", "-M", "--ignore-submodules=all")
    place = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": _paths(stores)} if stores else {}
    await partial.complete_diff(repository, before, after, "show what changed", place)
    only: tuple[str, ...] = ()
    if without:
        place["GIT_LITERAL_PATHSPECS"] = "0"
        only = (":/", *(f":(exclude,literal){path}" for path in without[:_MOST_WITHOUT]))
    listed = await repository.git(
        "list what changed", "diff", *options, "--raw", "--numstat", "-z", "--no-abbrev", before, after, "--", *only, environment=place
    )
    files = parse_files(listed.text)
    if not files:
        return Patch(files=[], text="")
    output = await repository.git(
        "make the patch", "diff", *options, "--full-index", before, after, "--", *only, cap=MAX_PATCH_BYTES, environment=place
    )
    text = output.out
    if output.is_cut:
        text = text[: text.rfind(b"\n") + 1]
    return Patch(files=files, text=text.decode("utf-8", "replace"), is_cut=output.is_cut)


def parse_files(text: str) -> list[PatchFile]:
    """Read `--raw --numstat -z`: first all raw entries, then all counts, in the same order."""
    fields = text.split("\0")
    entries: list[tuple[str, str | None, str]] = []
    counts: list[tuple[int | None, int | None]] = []
    position = 0
    while position < len(fields) and fields[position]:
        line = fields[position]
        if line.startswith(":"):
            letter = line.split(" ")[4][0]
            is_pair = letter in "RC"
            old, new = fields[position + 1], fields[position + 2] if is_pair else fields[position + 1]
            entries.append((letter, old if is_pair else None, new))
            position += 3 if is_pair else 2
        else:
            plus, minus, path = line.split("\t", 2)
            counts.append((int(plus) if plus.isdigit() else None, int(minus) if minus.isdigit() else None))
            position += 1 if path else 3
    return [
        PatchFile.model_validate(
            {
                "path": _shown(new),
                "old_path": _shown(old),
                "status": _STATUSES.get(letter, "modified"),
                "added": count[0],
                "deleted": count[1],
            }
        )
        for (letter, old, new), count in zip(entries, counts, strict=True)
    ]


def _shown(path: str | None) -> str | None:
    """A path that is not UTF-8 cannot go into JSON."""
    return None if path is None else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def bring_back(repository: Repository, worktree: Path, ref: str) -> None:
    """Put the uncommitted files that an earlier version kept under `ref` into a fresh worktree, as uncommitted files."""
    parents = await repository.git("read the backup", "rev-list", "--parents", "-n", "1", ref, "--", worktree=worktree, ok=(0, 128))
    head = await repository.git("read the branch", "rev-parse", "--verify", "--quiet", "HEAD^{commit}", worktree=worktree, ok=(0, 1))
    kept, *above = parents.text.split() or [""]
    if not kept or kept == head.text.strip() or head.text.strip() not in above:
        return
    cone = sparse.options(repository, worktree)
    await repository.git("bring the files back", *cone, "read-tree", "-m", "-u", "--no-recurse-submodules", "HEAD", kept, worktree=worktree)
    await repository.git("bring the files back", *cone, "read-tree", *(["-m"] if cone else []), "HEAD", worktree=worktree)
    await repository.git("bring the files back", "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1))
