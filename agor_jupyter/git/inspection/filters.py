"""Filters of people (Git LFS, nbstripout and the like): whether what an agent committed went through them.

The commands that a person's and the repository's settings name run in the sandbox only: where agents commit, and afterwards where it is
tried whether what came out is what the filter makes of it. Whoever commits past a filter is noticed so.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import run
from agor_jupyter.git.private import Inside, Private
from agor_jupyter.git.repository import Repository, Setting, parse_settings, render

KEYS = re.compile(rb"filter\.(.+)\.(clean|smudge|process|required)")
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:[^\n]+\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n(?:[^\n]+\n)*")
_POINTER_BYTES = 1024
_MOST_FILES, _MOST_BYTES = 5000, 48 * 1024 * 1024
_TRIAL_S = 60.0
_SUFFIX = re.compile(r"(\.\w{1,20})?")


@dataclass(frozen=True, kw_only=True)
class Unfiltered:
    """Files that were committed as they are, and not as the filter makes them."""

    name: str
    paths: Sequence[str]
    why: str | None = None
    """Why the filter could not be tried. `None`: it was, and makes something else of them."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    unfiltered: Sequence[Unfiltered] = ()
    pointers: Mapping[str, int] | None = None
    """Of Git LFS: what the commits name, with its size."""


async def configured(repository: Repository) -> dict[str, list[Setting]]:
    """The filters that git has outside, by name: of the machine, of the person, of the repository."""
    output = await run.run(
        "read the settings",
        ["config", "--system", "--includes", "-z", "--list"],
        cwd=repository.view,
        pins={"GIT_DIR": os.devnull},
        is_personal=True,
        ok=(0, 1, 128),
    )
    found: dict[str, dict[bytes, bytes]] = {}
    for key, value in [*parse_settings(output.out), *await repository.settings(KEYS, KEYS)]:
        if (match := KEYS.fullmatch(key)) and b"\n" not in key:
            found.setdefault(os.fsdecode(match[1]), {})[key] = value
    return {
        name: [*settings.items()]
        for name, settings in found.items()
        if any(value.strip() not in {b"", b"cat"} for key, value in settings.items() if key.endswith((b".clean", b".process")))
    }


async def known(repository: Repository) -> dict[str, list[Setting]]:
    """As `configured`, read again only when one of the files changed in which settings stand."""
    mark = repository.settings_mark()
    if repository.filters is None or repository.filters[0] != mark:
        repository.filters = (mark, await configured(repository))
    return repository.filters[1]


async def check(private: Private, inside: Inside, ours: str, theirs: str) -> Checked:
    """Look at all that the commits after `ours` hold."""
    known = await configured(private.repository)
    if not known:
        return Checked()
    listed = await _committed(private.repository, ours, theirs)
    filtered = await _filters_of(private, sorted({path for path, _ in listed}), known)
    unfiltered: list[Unfiltered] = []
    pointers: dict[str, int] = {}
    for name in sorted({name for names in filtered.values() for name in names}):
        files = [(path, sha) for path, sha in listed if name in filtered.get(path, ())]
        sizes = await _sizes(private.repository, files)
        if name == "lfs":
            raw, named = await _look_for_pointers(private.repository, files, sizes)
            pointers |= named
        else:
            raw, why = await _try(private, inside, name, known[name], files, sizes)
            if why is not None:
                unfiltered.append(Unfiltered(name=name, paths=sorted(raw), why=why))
                continue
        if raw:
            unfiltered.append(Unfiltered(name=name, paths=sorted(raw)))
    return Checked(unfiltered=unfiltered, pointers=pointers)


def sentence(unfiltered: Sequence[Unfiltered]) -> str:
    """What happened, without a full stop."""
    parts = []
    for one in unfiltered:
        count = "1 file was" if len(one.paths) == 1 else f"{len(one.paths)} files were"
        names = ", ".join(one.paths[:5]) + (", …" if len(one.paths) > 5 else "")
        why = f", which could not be tried in the sandbox ({one.why}; show its program by AgorApp.sandbox_read)" if one.why else ""
        parts.append(f"{count} committed as they are and not through the filter {one.name!r}{why}: {names}")
    return "; ".join(parts)


async def _committed(repository: Repository, ours: str, theirs: str) -> list[tuple[str, str]]:
    """All files of the new commits, also of those that a later one changed again: paths and contents."""
    output = await repository.git(
        "look at the commits", "log", "--format=", "--raw", "-z", "-m", "--root", "--no-abbrev", "--no-renames", f"{ours}..{theirs}", "--"
    )
    fields = iter(output.text.split("\0"))
    found: dict[tuple[str, str], None] = {}
    for field in fields:
        parts = field.lstrip("\n").split(" ")
        if len(parts) == 5:
            path = next(fields, "")
            if parts[1] in {"100644", "100755"}:
                found[path, parts[3]] = None
    return list(found)


async def _filters_of(private: Private, paths: Sequence[str], known: Iterable[str]) -> dict[str, set[str]]:
    """By path: what `.gitattributes` say, as the branch has them and as they are in the worktree."""
    found: dict[str, set[str]] = {}
    stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
    for source in (["--cached"], []):
        output = await private.repository.git(
            "read the attributes", "check-attr", *source, "-z", "--stdin", "filter", worktree=private.worktree, stdin=stdin
        )
        fields = output.text.split("\0")
        for path, value in zip(fields[::3], fields[2::3], strict=False):
            if value in known:
                found.setdefault(path, set()).add(value)
    return found


async def _sizes(repository: Repository, files: Sequence[tuple[str, str]]) -> dict[str, int]:
    output = await repository.git(
        "look at the files", "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(sha for _, sha in files)
    )
    return {sha: int(size) for sha, size in (line.split() for line in output.text.splitlines()) if size.isdigit()}


async def _contents(repository: Repository, shas: Iterable[str]) -> dict[str, bytes]:
    wanted = list(dict.fromkeys(shas))
    output = await repository.git("look at the files", "cat-file", "--batch", stdin=_lines(wanted)) if wanted else None
    found, rest = {}, output.out if output is not None else b""
    while rest:
        head, _, rest = rest.partition(b"\n")
        sha, _, size = head.decode().split(" ")
        found[sha], rest = rest[: int(size)], rest[int(size) + 1 :]
    return found


async def _look_for_pointers(
    repository: Repository, files: Sequence[tuple[str, str]], sizes: Mapping[str, int]
) -> tuple[set[str], dict[str, int]]:
    contents = await _contents(repository, [sha for _, sha in files if sizes.get(sha, 0) <= _POINTER_BYTES])
    raw, named = set(), {}
    for path, sha in files:
        match = POINTER.fullmatch(contents.get(sha, b"."))
        if match:
            named[match[1].decode()] = int(match[2])
        elif contents.get(sha) != b"":  # an empty file is its own pointer
            raw.add(path)
    return raw, named


async def _try(  # noqa: PLR0917 one filter, with all that is known of its files
    private: Private, inside: Inside, name: str, settings: list[Setting], files: Sequence[tuple[str, str]], sizes: Mapping[str, int]
) -> tuple[set[str], str | None]:
    """Those files of which the filter makes something else."""
    total = sum(sizes.get(sha, 0) for _, sha in files)
    if total > _MOST_BYTES or len(files) > _MOST_FILES:
        return {path for path, _ in files}, f"{len(files)} files of {total >> 20} MiB are too many"
    contents = await _contents(private.repository, [sha for _, sha in files])
    folder = private.folder / "check"
    try:
        names = await asyncio.to_thread(
            lay_out, folder, name, settings, [(path, contents.get(sha, b"")) for path, sha in files], (), _format(private)
        )
        output = await run.run(
            "try the filter",
            ["hash-object", "--stdin-paths"],
            cwd=private.folder,
            inside=inside.filtering,
            stdin=_lines(names),
            timeout_s=_TRIAL_S,
        )
    except errors.GitFailed as error:
        return {path for path, _ in files}, " ".join(error.message.split())[-200:]
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    made = output.text.split()
    return {path for (path, sha), one in zip(files, made, strict=True) if sha != one}, None


def lay_out(  # noqa: PLR0917 what such a repository is made of
    folder: Path,
    name: str,
    settings: Sequence[Setting],
    files: Sequence[tuple[str, bytes]],
    attributes: Sequence[str] = (),
    object_format: str = "sha1",
) -> list[str]:
    """A repository of nothing but these files, all of them for the filter; `attributes` are others, for each. Returns their names there."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("git/objects", "git/refs", "git/info", "files"):
        (folder / part).mkdir(parents=True)
    (folder / "git" / "HEAD").write_text("ref: refs/heads/main\n")
    own = [one for one in settings if not one[0].endswith(b".required")]
    required = b"filter." + os.fsencode(name) + b".required"  # what cannot be run must not count as done
    is_long = object_format != "sha1"
    form = [(b"core.repositoryformatversion", b"1" if is_long else b"0")]
    form += [(b"extensions.objectformat", object_format.encode())] if is_long else []
    (folder / "git" / "config").write_bytes(render([*form, *own, (required, b"true")]))
    names = []
    for number, (path, content) in enumerate(files):
        suffix = Path(path).suffix
        names.append(f"{number}{suffix if _SUFFIX.fullmatch(suffix) else ''}")
        (folder / "files" / names[-1]).write_bytes(content)
    more = "".join(f"/{own_name} {one}\n" for own_name, one in zip(names, attributes, strict=False) if one)
    (folder / "git" / "info" / "attributes").write_bytes(b"* filter=" + os.fsencode(name) + b"\n" + more.encode())
    return names


def _format(private: Private) -> str:
    return "sha256" if private.repository.own.get(b"extensions.objectformat", b"").lower() == b"sha256" else "sha1"


def _lines(values: Iterable[str]) -> bytes:
    return "".join(f"{value}\n" for value in values).encode()
