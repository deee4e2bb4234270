"""Submodules that are filled in a worktree, inside its sandbox: each has a private repository there, as the worktree itself has.

Git keeps a submodule of a linked worktree below `.git/worktrees/<name>/modules/`, with settings and hooks that it obeys. An agent gets
copies that are its own, with the real objects to be read; what it commits is fetched, and HEAD follows where nobody moved it.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import identity, shallow
from agor_jupyter.git.files import opened_folder, read_beneath
from agor_jupyter.git.private import Finding, Inside, Private, Refs, copy_index, folders_of_objects, run_inside, settings_inside
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.sandbox import index

_PART = re.compile(r"(?!\.)[\w.@+ -]+(?<!\.lock)")
_MOST, _DEPTH = 50, 8
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME = re.compile(r"refs/(?:heads/|tags/|stash$)[^\x00-\x20~^:?*\[\\\x7f]*")
_SHARED = ("refs/heads", "refs/tags", "refs/remotes")

_Known = dict[str, dict[str, str]]


@dataclass(kw_only=True)
class Module(Repository):
    """A submodule's repository, which has one checkout."""

    def worktree_dir(self, worktree: Path) -> Path:  # noqa: ARG002  # there is only one
        return self.common_dir

    def is_own(self, worktree: Path) -> bool:  # noqa: ARG002  # as above
        return not os.path.lexists(self.common_dir / "commondir")


def names(private: Private, *, is_inside: bool) -> list[str]:
    """Of all that are filled, as paths below `modules`."""
    root = private.git_dir if is_inside else private.repository.common_dir
    return list(_below(root, f"worktrees/{private.entry}/modules", ""))[:_MOST]


def borrowed(private: Private) -> list[tuple[Path, Path]]:
    """The folders of their objects that are mounted, as `private.borrowed`."""
    inside = set(names(private, is_inside=True))
    return [pair for name in names(private, is_inside=False) if name in inside for pair in _objects(private, name)]


async def prepare(private: Private) -> None:
    """Before a process starts: those that were filled, or moved by a person, are there inside as well."""
    known, inside = _read(private), set(await asyncio.to_thread(names, private, is_inside=True))
    is_changed = False
    for name in await asyncio.to_thread(names, private, is_inside=False):
        module = _module(private, name)
        head = await _head(module)
        last = known.get(name, {})
        is_untouched = last.get("signature") == await asyncio.to_thread(_signature, private, name)
        if head and (name not in inside or (last.get("real") != head and is_untouched)):
            await _make(private, name, module)
            known[name] = {"real": head, "inside": head, "signature": await asyncio.to_thread(_signature, private, name)}
            is_changed = True
    if is_changed:
        _write(private, known)


async def collect(private: Private, look: Callable[[], Awaitable[Inside]]) -> list[Finding]:
    """After a turn: what agents committed in submodules is in their real repositories."""
    known, findings = _read(private), []
    for name in await asyncio.to_thread(names, private, is_inside=True):
        signature = await asyncio.to_thread(_signature, private, name)
        if not signature or signature == known.get(name, {}).get("signature"):
            continue
        try:
            finding = await _bring_out(private, await look(), name, known.setdefault(name, {}))
        except (errors.GitFailed, errors.NotARepository) as error:
            findings.append(
                Finding(code="submodule", text=f"What the agent committed in submodule {name!r} stays in its sandbox. {error.message}")
            )
            continue
        known[name]["signature"] = signature
        findings += [finding] if finding is not None else []
        _write(private, known)
    return findings


async def _bring_out(private: Private, inside: Inside, name: str, last: dict[str, str]) -> Finding | None:
    place = _place(private, name)
    output = await run_inside(
        private,
        inside.looking,
        "look into a submodule",
        *("--git-dir", str(place), "--work-tree", "/", "for-each-ref", "--format=%(refname)%00%(objectname)", *_SHARED, "refs/stash"),
    )
    pairs = (line.partition("\0")[::2] for line in output.text.splitlines())
    refs: Refs = {ref: sha for ref, sha in pairs if _NAME.fullmatch(ref) and _SHA.fullmatch(sha)}
    head = _resolved(read_beneath(private.git_dir, f"{_inner(private, name)}/HEAD", 4096), refs)
    if head is None:
        return None
    module = _module(private, name)
    is_new = not place.is_dir()
    if is_new:
        await asyncio.to_thread(_found, place, private, head)
    below = f"refs/agor/sandbox/{private.name}"
    there = set((await module.git("list the branches", "for-each-ref", "--format=%(objectname)", *_SHARED)).text.split())
    wanted = {f"{below}/{ref.removeprefix('refs/')}": sha for ref, sha in refs.items() if sha not in there}
    if head not in {*there, *refs.values()}:
        wanted[f"{below}/HEAD"] = head
    last["ref"] = next((ref for ref, sha in wanted.items() if sha == head), last.get("ref", ""))
    if wanted:
        serve = shlex.join([*inside.serving, "git", "--work-tree=/", "-c", "uploadpack.allowAnySHA1InWant=true", "upload-pack"])
        await module.git(
            "bring a submodule's commits out of the sandbox",
            *("-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true", "-c", "protocol.version=2"),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"),
            *("--refmap=", f"--upload-pack={serve}", "--", str(place), *(f"+{sha}:{ref}" for ref, sha in wanted.items())),
            protocols=("file",),
        )
    return await _follow(private, module, name, head, last, is_new=is_new)


async def _follow(private: Private, module: Module, name: str, head: str, last: dict[str, str], *, is_new: bool) -> Finding | None:
    """Let the real HEAD, or its branch, be where the agent's is, unless a person moved it meanwhile."""
    checkout = await _checkout(private, module)
    real = await _head(module)
    last["inside"] = head
    if checkout is None or real is None or (real == head and not is_new):
        last["real"] = real or ""
        return None
    if is_new:
        await module.git("update the index", "read-tree", "HEAD", worktree=checkout)
        await module.git("update the index", "update-index", "-q", "--refresh", worktree=checkout, ok=(0, 1))
    elif real == last.get("real"):
        await module.git("move a submodule", "update-ref", "-m", "agor: from the sandbox", "HEAD", head, real, worktree=checkout)
        await index.follow(module, checkout, real, private.name)
    else:
        text = (
            f"You moved submodule {name!r} while the agent committed in it. It stays; the agent's commits are kept in it as {last['ref']}."
        )
        return Finding(code="submodule", text=text)
    last["real"] = head
    return None


async def _make(private: Private, name: str, module: Module) -> None:
    target = private.git_dir / _inner(private, name)
    new = private.folder / "module.new"
    await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (new / folder).mkdir(parents=True)
    output = await module.git("list the branches", "for-each-ref", "--format=%(objectname) %(refname)", *_SHARED)
    who = await identity.of(private.repository, private.worktree)
    checkout = await _checkout(private, module)
    more = [(b"core.worktree", os.fsencode(checkout))] if checkout is not None else []
    (new / "config").write_bytes(await settings_inside(module, [*who.settings, *more]))
    (new / "HEAD").write_bytes(read_beneath(module.common_dir, "HEAD", 4096) or b"")
    (new / "packed-refs").write_bytes(output.out)
    (new / "objects" / "info" / "alternates").write_text("".join(f"{inner}\n" for _, inner in _objects(private, name)))
    if ends := shallow.read(module.common_dir):
        (new / "shallow").write_bytes(shallow.render(ends))
    with contextlib.suppress(OSError):
        copy_index(module.common_dir, new / "index")
    parts = _inner(private, name).split("/")
    with opened_folder(private.git_dir, parts[:-1], create=True):  # no link on the way
        nested = target / "modules"
        if nested.is_dir() and not nested.is_symlink():
            nested.rename(new / "modules")
        if os.path.lexists(target):
            target.rename(private.folder / f"module.old-{private.folder.stat().st_mtime_ns}")
        new.rename(target)


def _found(place: Path, private: Private, head: str) -> None:
    """A repository for a submodule that an agent filled: the server's own settings, and nothing of the agent's."""
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (place / folder).mkdir(parents=True)
    checkout = next((path for path in _checkouts(private) if _link_of(path) == place), None)
    worktree = f"\tworktree = {os.path.relpath(checkout, place)}\n" if checkout is not None and '"' not in str(checkout) else ""
    (place / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tlogallrefupdates = true\n{worktree}")
    (place / "HEAD").write_text(f"{head}\n")


def _checkouts(private: Private) -> list[Path]:
    """Folders with a `.git` file, at most a few levels down."""
    found: list[Path] = []
    for folder, inner, there in os.walk(private.worktree):
        if len(Path(folder).relative_to(private.worktree).parts) >= _DEPTH or len(found) >= _MOST:
            inner.clear()
        elif ".git" in there and Path(folder) != private.worktree:
            found.append(Path(folder))
    return found


def _link_of(checkout: Path) -> Path | None:
    content = read_beneath(checkout, ".git", 4096) or b""
    target = os.fsdecode(content.removeprefix(b"gitdir: ").strip())
    return Path(os.path.normpath(checkout / target)) if content.startswith(b"gitdir: ") else None


async def _checkout(private: Private, module: Module) -> Path | None:
    """Where its files are: below the worktree, or nowhere that we know."""
    output = await private.repository.git(
        "read the settings", "config", "--file", str(module.common_dir / "config"), "core.worktree", ok=(0, 1, 128)
    )
    path = Path(os.path.normpath(module.common_dir / output.text.strip())) if output.text.strip() else None
    if path is None or not path.is_relative_to(private.worktree) or path == private.worktree:
        return None
    try:
        with opened_folder(private.worktree, [*path.relative_to(private.worktree).parts]):
            return path
    except OSError:
        return None


async def _head(module: Module) -> str | None:
    """The commit that is checked out, really."""
    try:
        output = await module.git("read a submodule", "for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads")
    except errors.AgorError:
        return None
    refs = dict(line.split("\0") for line in output.text.splitlines())
    return _resolved(read_beneath(module.common_dir, "HEAD", 4096), refs)


def _resolved(content: bytes | None, refs: Refs) -> str | None:
    text = (content or b"").decode("utf-8", "replace").strip()
    found = refs.get(text.removeprefix("ref: ")) if text.startswith("ref: ") else text
    return found if found and _SHA.fullmatch(found) else None


def _signature(private: Private, name: str) -> str:
    """Changes with each commit, checkout or stash inside."""
    marks = [repr(read_beneath(private.git_dir, f"{_inner(private, name)}/HEAD", 4096))]
    for path in ("logs/HEAD", "logs/refs/stash", "packed-refs", "refs/heads", "refs/tags"):
        *parts, last = f"{_inner(private, name)}/{path}".split("/")
        with contextlib.suppress(OSError), opened_folder(private.git_dir, parts) as folder:
            found = os.lstat(last, dir_fd=folder)
            marks.append(f"{path} {found.st_size} {found.st_mtime_ns} {found.st_ino}")
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def _below(root: Path, top: str, name: str, depth: int = 0) -> list[str]:
    """Repositories below `modules`; a name may have several parts, and a submodule may have its own."""
    folder = f"{top}/{name}" if name else top
    listed: dict[str, bool] = {}
    with contextlib.suppress(OSError), opened_folder(root, folder.split("/")) as descriptor, os.scandir(descriptor) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                listed[entry.name] = stat.S_ISDIR(os.lstat(entry.name, dir_fd=descriptor).st_mode)
    if name and "HEAD" in listed and listed.get("objects"):
        return [name, *(_below(root, top, f"{name}/modules", depth + 1) if listed.get("modules") and depth < _DEPTH else [])]
    parts = [part for part, is_folder in sorted(listed.items()) if is_folder and _PART.fullmatch(part)]
    return (
        []
        if depth >= _DEPTH
        else [one for part in parts[:_MOST] for one in _below(root, top, f"{name}/{part}" if name else part, depth + 1)]
    )


def _inner(private: Private, name: str) -> str:
    return f"worktrees/{private.entry}/modules/{name}"


def _place(private: Private, name: str) -> Path:
    return private.repository.common_dir / _inner(private, name)


def _module(private: Private, name: str) -> Module:
    place = _place(private, name)
    return Module(path=place, common_dir=place, view=private.folder / "views" / hashlib.sha256(name.encode()).hexdigest()[:16])


def _objects(private: Private, name: str) -> list[tuple[Path, Path]]:
    first = private.objects.parent / "modules" / hashlib.sha256(name.encode()).hexdigest()[:16]
    return [(source, first / str(at) / "objects") for at, source in enumerate(folders_of_objects(_place(private, name)))]


def _read(private: Private) -> _Known:
    try:
        return dict(json.loads((private.folder / "modules.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _write(private: Private, known: _Known) -> None:
    path = private.folder / "modules.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(known))
    temporary.replace(path)
