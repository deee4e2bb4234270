"""Prompts that are templates: rendered over plain names of the worktree, the repo, the session and the person, never sent raw."""

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.templates import Rendered, make_context
from agor_jupyter.executors.renderer import Renderer
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store


class Templates:
    def __init__(self, store: Store, repos: Repos, worktrees: Worktrees) -> None:
        self._store, self._repos, self._worktrees = store, repos, worktrees
        self._renderer = Renderer()

    async def render(self, caller: Caller, session_id: str, source: str) -> Rendered:
        """The text that a prompt of this session would be.

        Errors:
            SessionNotFound. BadTemplate: it has an unknown name, a wrong syntax, or asks for too much; with the line.
        """
        session = await self._store.read(sessions.get, session_id)
        if session is None:
            raise errors.SessionNotFound(session_id)
        worktree = await self._worktrees.get(session.worktree_id)
        repo = await self._repos.get(worktree.repo_id)
        context = make_context(worktree=worktree, repo=repo, session=session, person=caller.person)
        return Rendered(text=await self._renderer.render(source, context.plain()))

    async def close(self) -> None:
        await self._renderer.close()
