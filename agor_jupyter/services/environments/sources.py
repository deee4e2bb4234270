"""Where a worktree's environment is written: the files as they are in it now, and whether they are as in the commit it started from."""

import asyncio
import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.documents.settings import compose, devcontainer, marked, procfile
from agor_jupyter.documents.settings.marked import MAX_BYTES, Marked
from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git import partial
from agor_jupyter.git.files import read_beneath
from agor_jupyter.services.worktrees import settings
from agor_jupyter.services.worktrees.repos import Repos

VARIABLES = ".env"
"""What compose reads beside its own file."""
_OTHERS = (procfile.FILE, *compose.FILES, *devcontainer.FILES)
_KEPT = 2_000


@dataclass(frozen=True, kw_only=True)
class Found:
    """`content` is what `file` holds; `marked` is there for `.agor.yml`. `passed_over` are files that say something too."""

    file: str
    content: bytes
    marked: Marked | None = None
    passed_over: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class Sources:
    def __init__(self, repos: Repos) -> None:
        self._repos = repos
        self._first: OrderedDict[tuple[str, str, str], str | None] = OrderedDict()

    async def find(self, worktree: Worktree) -> Found | None:
        """The first of `.agor.yml` with such a section, `Procfile`, a compose file and `devcontainer.json`. `None`: there is none.

        Errors:
            BadSettings: `.agor.yml`, or the other one, cannot be read.
        """
        return await asyncio.to_thread(_find, Path(worktree.path))

    async def changed(self, worktree: Worktree) -> list[str]:
        """The file that says it, if it is not as in the commit that the worktree started from."""
        try:
            found = await self.find(worktree)
        except errors.BadSettings:
            return []
        return [] if found is None or await self.is_as_at_first(worktree, found.file, found.content) else [found.file]

    async def is_as_at_first(self, worktree: Worktree, file: str, content: bytes) -> bool:
        return hashlib.sha256(content).hexdigest() == await self._at_first(worktree, file)

    async def has_persons_variables(self, worktree: Worktree) -> bool:
        """Whether its `.env` is one that the first commit has, or that lies in the main checkout with the same content."""
        content = await asyncio.to_thread(read_beneath, Path(worktree.path), VARIABLES, MAX_BYTES)
        if content is None:
            return False
        repo = await self._repos.get(worktree.repo_id)
        main = await asyncio.to_thread(read_beneath, Path(repo.path), VARIABLES, MAX_BYTES)
        return content == main or await self.is_as_at_first(worktree, VARIABLES, content)

    async def _at_first(self, worktree: Worktree, file: str) -> str | None:
        """The hash of what it held in that commit, which never changes. `None`: it was not there."""
        key = (worktree.repo_id, worktree.base_sha, file)
        if key in self._first:
            self._first.move_to_end(key)
            return self._first[key]
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        await partial.complete_file(repository, worktree.base_sha, file)
        output = await repository.git(f"read {file}", *("cat-file", "blob", f"{worktree.base_sha}:{file}"), ok=(0, 128), cap=MAX_BYTES + 1)
        self._first[key] = hashlib.sha256(output.out).hexdigest() if output.code == 0 else None
        while len(self._first) > _KEPT:
            self._first.popitem(last=False)
        return self._first[key]


def _find(root: Path) -> Found | None:
    there = [file for file in _OTHERS if os.path.lexists(root / file)]
    if os.path.lexists(root / settings.FILE):
        content = _read(root, settings.FILE)
        found = marked.read(content, settings.FILE)
        if settings.check(found).environment is not None:
            return Found(file=settings.FILE, content=content, marked=found)
    return Found(file=there[0], content=_read(root, there[0]), passed_over=tuple(there[1:])) if there else None


def _read(root: Path, file: str) -> bytes:
    content = read_beneath(root, file, MAX_BYTES)
    if content is None:
        raise errors.BadSettings(file, f"it must be a regular file of at most {MAX_BYTES // 1024} KiB")
    return content
