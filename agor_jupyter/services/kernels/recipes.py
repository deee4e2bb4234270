"""What a worktree's kernel is made from: the file of its repository that says so, and whether that may be used.

The tool is given none of the worktree's files, but copies of what was judged: a file that is changed in between changes nothing. Folders
of the worktree are not installed, since that runs code in them; they are put on the kernel's import path.
"""

import asyncio
import hashlib
import posixpath
import sys
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.documents.packages import conda, project, requirements
from agor_jupyter.documents.settings import variants
from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import KernelSpec
from agor_jupyter.domain.kernels import SERVER
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git import partial
from agor_jupyter.git.files import read_beneath
from agor_jupyter.services.environments.sources import Sources
from agor_jupyter.services.worktrees.repos import Repos

MAX_BYTES = 16 << 20
MAX_FILES = 50
_LOCK, _PROJECT, _REQUIREMENTS, _CONDA = "uv.lock", "pyproject.toml", "requirements.txt", ("environment.yml", "environment.yaml")
_UV_SETTINGS = "uv.toml"
_CONVERTED = "environment.txt"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`files` has the content of all that say what is installed, by path below the worktree. It is what has to be trusted."""

    source: str
    spec: KernelSpec
    files: dict[str, bytes]
    notices: tuple[str, ...] = ()
    given: dict[str, bytes] = field(default_factory=dict)
    """What the tool reads, by path below a folder of ours."""
    arguments: tuple[str, ...] = ()
    """For an installation by names: which of `given` say them."""
    folders: tuple[str, ...] = ()
    """Folders of the worktree that code is imported from."""
    requires_python: str | None = None

    @property
    def digest(self) -> str:
        sums = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(self.files.items())}
        return hashlib.sha256(f"2 {sys.version_info[:2]} {self.source} {self.spec.model_dump_json()} {sums}".encode()).hexdigest()

    @property
    def is_locked(self) -> bool:
        """Whether a lock file says each version."""
        return Path(self.source).name == _LOCK


class Recipes:
    def __init__(self, repos: Repos, sources: Sources) -> None:
        self._repos, self._sources = repos, sources

    async def of(self, worktree: Worktree) -> Recipe:
        """As the worktree is now.

        Errors:
            BadSettings: `.agor.yml`, or the file of the packages, cannot be used.
        """
        found = await self._sources.find(worktree)
        spec, settings = KernelSpec(), dict[str, bytes]()
        if found is not None and found.marked is not None:
            plan = await asyncio.to_thread(variants.plan, found.marked, None)
            if plan is not None and plan.kernel is not None:
                spec, settings = plan.kernel, {found.file: found.content}
        return await asyncio.to_thread(_recipe, Path(worktree.path), spec, settings)

    async def changed(self, worktree: Worktree, recipe: Recipe) -> list[str]:
        """Its files that are not as in the commit that the worktree started from."""
        return [path for path, content in recipe.files.items() if not await self._is_as_at_first(worktree, path, content)]

    async def all_changed(self, worktree: Worktree) -> list[str]:
        """With the file of its environment: all that an owner has to trust before this server runs it."""
        try:
            changed = await self.changed(worktree, await self.of(worktree))
        except errors.BadSettings:
            changed = []
        return sorted({*await self._sources.changed(worktree), *changed})

    async def _is_as_at_first(self, worktree: Worktree, path: str, content: bytes) -> bool:
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        await partial.complete_file(repository, worktree.base_sha, path)
        blob = await repository.git(f"read {path}", *("cat-file", "blob", f"{worktree.base_sha}:{path}"), ok=(0, 128), cap=MAX_BYTES + 1)
        return blob.code == 0 and blob.out == content


def _recipe(root: Path, spec: KernelSpec, settings: dict[str, bytes]) -> Recipe:
    kitchen = _Kitchen(root, settings)
    for source in [spec.requirements] if spec.requirements is not None else _there(root):
        if kitchen.take(source):
            break
        if source == spec.requirements:
            raise errors.BadSettings(source, f"it names no packages that uv can install.{' '.join(['', *kitchen.notices])}")
    else:
        source = ".agor.yml" if spec.packages else SERVER
    for path, content in kitchen.given.items():
        if not path.endswith(requirements.ARCHIVES) and f"{root}/".encode() in content:
            raise errors.BadSettings(
                path, "it names something in the worktree by where that lies just now; write its path from the worktree's folder"
            )
    return Recipe(
        source=source,
        spec=spec,
        files=kitchen.files,
        notices=tuple(kitchen.notices),
        given=kitchen.given,
        arguments=tuple(kitchen.arguments),
        folders=tuple(dict.fromkeys(kitchen.folders)),
        requires_python=kitchen.requires_python,
    )


def _there(root: Path) -> list[str]:
    there = [name for name in (_LOCK, _PROJECT, _REQUIREMENTS, *_CONDA) if (root / name).is_file() and not (root / name).is_symlink()]
    return [name for name in there if name != _LOCK or _PROJECT in there]


class _Kitchen:
    """Reads each file once, follows what it names, and keeps what it read."""

    def __init__(self, root: Path, settings: dict[str, bytes]) -> None:
        self._root = root
        self.files, self.given = dict(settings), dict[str, bytes]()
        self.arguments, self.notices, self.folders = list[str](), list[str](), list[str]()
        self.requires_python: str | None = None
        self._seen = set[tuple[str, tuple[str, ...]]]()

    def take(self, source: str) -> bool:
        """Whether that file says packages. If it does not, nothing of it is used.

        Errors:
            BadSettings.
        """
        name = Path(source).name
        if name == _LOCK:
            self._locked(source)
            return True
        if name in _CONDA:
            return self._converted(source)
        if name != _PROJECT:
            self._listed(source)
            self.arguments = ["-r", source, *self.arguments]
            self.given.setdefault(_UV_SETTINGS, b"")
            return True
        is_used = self._project(source, (), is_first=True)
        if is_used:
            self._settings_of_uv(Path(source).parent)
        return is_used

    def _locked(self, source: str) -> None:
        """The copies lie side by side: paths in a lock are not followed, because nothing local is installed."""
        folder = Path(source).parent
        self.given = {_LOCK: self._read(source), _PROJECT: self._read(str(folder / _PROJECT))}
        try:
            lock = self.given[_LOCK].decode()
            folders, archives = project.locals_of(lock)
            self.requires_python = project.requires_python(lock)
        except ValueError as error:
            raise _unreadable(source, error) from error
        self.folders = [posixpath.normpath(posixpath.join(str(folder), one)) for one in folders]
        for one in archives:
            path = posixpath.normpath(posixpath.join(str(folder), one))
            self.given[path] = self._read(path)
            self.arguments.append(f"./{path}")
        self._settings_of_uv(folder)

    def _converted(self, source: str) -> bool:
        content = self._read(source, is_used=False)
        found = conda.read(content, source)
        if found.left_out:
            self.notices.append(
                f"{source}: {', '.join(found.left_out)} {'is' if len(found.left_out) == 1 else 'are'} for conda, and uv cannot install it. "
                "What Python needs of it can be listed under “- pip:” there, or in a requirements.txt."
            )
        if not found.requirements:
            return False
        self.files[source] = content
        self.requires_python = found.requires_python
        self._requirements(source, "\n".join(found.requirements), _CONVERTED)
        self.arguments = ["-r", _CONVERTED, *self.arguments]
        self.given.setdefault(_UV_SETTINGS, b"")
        return True

    def _project(self, source: str, extras: tuple[str, ...], *, is_first: bool = False) -> bool:
        if (source, extras) in self._seen:
            return True
        self._seen.add((source, extras))
        content, folder = self._read(source, is_used=False), str(Path(source).parent)
        try:
            found = project.read(content.decode(), folder, extras)
        except ValueError as error:
            raise _unreadable(source, error) from error
        if found.problem is not None:
            if is_first and not (self._root / _REQUIREMENTS).is_file():
                raise errors.BadSettings(source, found.problem)
            self.notices.append(f"{source}: {found.problem}.")
            return False
        if found.text is None and not found.files:
            return False
        self.files[source] = content
        self.requires_python = self.requires_python or found.requires_python
        if found.text is not None:
            # Its extras are in it: two of one folder are two files.
            path = posixpath.normpath(posixpath.join(folder, *(["+".join(extras)] if extras else []), _PROJECT))
            self.given[path] = found.text.encode()
            self.arguments += ["-r", path]
        for path in found.files:
            self._listed(path)
            self.arguments += ["-r", path]
        for path in found.folders:
            self._local(requirements.Local(path=path))
        if found.members:
            self.notices.append(
                f"{source}: what {', '.join(found.members)} of its workspace needs is known with uv.lock. Write it with: uv lock."
            )
        self.folders.append(folder)
        return True

    def _listed(self, path: str) -> None:
        """A requirement file, with all that it includes."""
        if (path, ()) not in self._seen:
            self._seen.add((path, ()))
            try:
                text = self._read(path).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise errors.BadSettings(path, "it is not UTF-8") from error
            self._requirements(path, text, path)

    def _requirements(self, source: str, text: str, given: str) -> None:
        try:
            found = requirements.read(text, str(Path(source).parent), str(self._root))
        except ValueError as error:
            raise errors.BadSettings(source, str(error)) from error
        self.given[given] = found.text.encode()
        for path in found.includes:
            self._listed(path)
        for local in found.locals:
            self._local(local)

    def _local(self, local: requirements.Local) -> None:
        """An archive is installed, from a copy. Of a folder, what it needs."""
        if local.is_archive:
            self.given[local.path] = self._read(local.path)
            return
        path = posixpath.join(local.path, _PROJECT)
        if (self._root / path).is_file() and self._project(path, local.extras):
            return
        self.folders.append(local.path)
        if (self._root / local.path / "setup.py").exists():
            self.notices.append(f"{posixpath.join(local.path, 'setup.py')} is not run: list what it needs in {_REQUIREMENTS}.")

    def _settings_of_uv(self, folder: Path) -> None:
        """Those that are trusted. An empty file ends the search for others in the folders above."""
        if (self._root / folder / _UV_SETTINGS).exists():
            self.given[_UV_SETTINGS] = self._read(str(folder / _UV_SETTINGS))
        elif _PROJECT not in self.given or not project.has_settings(self.given[_PROJECT].decode()):
            self.given[_UV_SETTINGS] = b""

    def _read(self, path: str, *, is_used: bool = True) -> bytes:
        path = posixpath.normpath(path)
        content = self.files.get(path)
        if content is None:
            content = read_beneath(self._root, path, MAX_BYTES)
        if content is None:
            raise errors.BadSettings(path, f"it must be a regular file of at most {MAX_BYTES >> 20} MiB, for the worktree's kernel")
        if len(self.files) >= MAX_FILES:
            raise errors.BadSettings(path, f"a kernel is made from at most {MAX_FILES} files")
        if is_used:
            self.files[path] = content
        return content


def _unreadable(source: str, error: ValueError) -> errors.BadSettings:
    return errors.BadSettings(source, "it is not TOML" if "TOML" in type(error).__name__ else str(error)[:200])
