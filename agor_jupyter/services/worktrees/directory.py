"""Finds worktrees: by id, by name, by repo, by board. Reads the table and nothing else."""

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store


class Directory:
    def __init__(self, store: Store, repos: Repos) -> None:
        self._store, self._repos = store, repos

    async def get(self, name: str, repo: str | None = None) -> Worktree:
        """By id, or by its name within a repo, or by a name that only one repo has. Raises `WorktreeNotFound`, which lists them."""
        worktree = await self._store.read(kept.find, WorktreeId(name))
        if worktree is not None:
            return worktree
        same = await self._store.read(kept.named, name)
        if repo is not None:
            repo_id = (await self._repos.get(repo)).id
            same = [one for one in same if one.repo_id == repo_id]
        if len(same) == 1:
            return same[0]
        raise errors.WorktreeNotFound(
            name, [f"{one.repo}/{one.name} ({one.id})" for one in same] or [one.name for one in await self.list(repo)]
        )

    async def list(self, repo: str | None = None, board: str | None = None, *, include_archived: bool = False) -> list[Worktree]:
        """Oldest first."""
        repo_id = (await self._repos.get(repo)).id if repo is not None else None
        states = [state for state in WorktreeState if include_archived or state is not WorktreeState.ARCHIVED]
        return await self._store.read(kept.page, repo_id=repo_id, board=board, states=states)
