"""What one agent may do to other agents: the rules of a grant, enforced here for whatever surface asks.

An agent of a session reads its own board, makes worktrees there, starts sessions below itself within depth and count, prompts the sessions
of its own tree, and reads the rest of its board. Anything of another board does not exist for it. It never answers a permission.

A person's own client, outside of any session, does what that person may do on one board, and answers no permission either.
"""

import asyncio
import contextlib
import uuid
from abc import ABC, abstractmethod

from pydantic import TypeAdapter

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Event
from agor_jupyter.domain.ids import SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.search import SearchPage, SearchQuery
from agor_jupyter.domain.sessions import Prompt, Session, SessionCreate
from agor_jupyter.domain.tokens import Token
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate, WorktreeState
from agor_jupyter.services.sessions.search import Search
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.sessions.turns import Turns
from agor_jupyter.services.worktrees.worktrees import Worktrees

MAX_DEPTH = 3
MAX_CHILDREN = 8
MAX_WAIT_S = 240.0
"""Agents give up a tool call after 300 s."""
_LOOK_S = 3.0
_CURRENT_S = 2.0
_POLL_S = 0.25
_PAGE = 200
_SESSIONS = TypeAdapter(list[Session])
_EVENTS = TypeAdapter(list[Event])


class Delegation(ABC):
    """The engine as somebody sees it over MCP: one board, in their own name."""

    caller: Caller
    mask: Mask
    """Takes secrets out of what it asks for."""

    def __init__(self, sessions: Sessions, turns: Turns, worktrees: Worktrees, search: Search) -> None:
        self._sessions, self._turns, self._worktrees, self._search = sessions, turns, worktrees, search

    @abstractmethod
    async def worktrees(self) -> list[Worktree]:
        """Those that it sees."""

    @abstractmethod
    async def _searchable(self) -> list[WorktreeId]:
        """Where it may read what was said: archived worktrees too."""

    async def current_worktrees(self) -> list[Worktree]:
        """As `worktrees`, with what git says of each now; where that takes longer than `_LOOK_S`, with what it said last, and when."""
        ready = [one.id for one in await self.worktrees() if one.state in {WorktreeState.READY, WorktreeState.MISSING}]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._worktrees.statuses(ready, _CURRENT_S, is_stored=True)
        return await self.worktrees()

    @abstractmethod
    async def create_worktree(self, name: str, base: str | None, repo: str | None) -> Worktree:
        """Make one on its board, and wait until it has been created."""

    @abstractmethod
    async def session(self, session_id: str) -> Session:
        """Errors:
        SessionNotFound: there is none, or it does not see it.
        """

    @abstractmethod
    async def spawn(self, prompt: str, *, agent: str | None, worktree_id: str | None, title: str | None) -> Session:
        """Start a session in a worktree that it sees."""

    @abstractmethod
    async def prompt(self, session_id: str, text: str) -> Turn:
        """Queue a prompt in a session."""

    async def sessions(self) -> list[Session]:
        """Those in its worktrees that are not archived."""
        worktrees = {worktree.id for worktree in await self.worktrees()}
        found: list[Session] = []
        for worktree in sorted(worktrees):
            encoded, _ = await self._sessions.page(worktree=worktree, limit=_PAGE)
            found += _SESSIONS.validate_json(encoded)
        return found

    async def transcript(self, session_id: str, after: int) -> list[Event]:
        session = await self.session(session_id)
        encoded, _ = await self._sessions.events(session.id, after, _PAGE)
        return _EVENTS.validate_json(encoded)

    async def search(self, query: SearchQuery) -> SearchPage:
        """What was said in its worktrees, archived ones included."""
        return await self._search.find(query, await self._searchable())

    async def wait(self, session_id: str, timeout_s: float = MAX_WAIT_S) -> Session:
        """The session once nothing runs or waits in it, or as it is after `timeout_s`."""
        end = asyncio.get_running_loop().time() + min(timeout_s, MAX_WAIT_S)
        while True:
            session = await self.session(session_id)
            is_busy = session.current_turn_id is not None or bool(session.queue)
            if not is_busy or asyncio.get_running_loop().time() >= end:
                return session
            await asyncio.sleep(_POLL_S)

    async def last_turn(self, session: Session) -> Turn | None:
        turn = await self._turns.get(TurnId(session.last_turn_id)) if session.last_turn_id else None
        return turn if turn is None or turn.state in ENDED else None


class AgentDelegation(Delegation):
    """As one session's agent sees it. `mask` takes the agent's secrets out of what it asks for."""

    def __init__(  # noqa: PLR0917  # what it is wired to
        self, session: Session, sessions: Sessions, turns: Turns, worktrees: Worktrees, search: Search, mask: Mask
    ) -> None:
        super().__init__(sessions, turns, worktrees, search)
        person = Person(username=f"agent:{session.id}", name=f"{session.agent} in “{session.title}”")
        self._self, self.mask, self.caller = session, mask, Caller(person=person, role=Role.STEERER)

    async def worktrees(self) -> list[Worktree]:
        """Those on its board; without a board, its own."""
        if self._self.board is None:
            return [await self._worktrees.get(self._self.worktree_id)]
        return await self._worktrees.list(board=self._self.board)

    async def _searchable(self) -> list[WorktreeId]:
        if self._self.board is None:
            return [self._self.worktree_id]
        return [one.id for one in await self._worktrees.list(board=self._self.board, include_archived=True)]

    async def create_worktree(self, name: str, base: str | None, repo: str | None) -> Worktree:
        """Of its own repository."""
        own = await self._worktrees.get(self._self.worktree_id)
        if repo is not None and repo not in {own.repo_id, own.repo}:
            raise errors.NotAllowed(who=self.caller.person.name, action=f"make a worktree of {repo!r}", needs="owner")
        request = WorktreeCreate(repo=own.repo_id, name=name, base=base or own.branch, board=self._self.board)
        worktree = await self._worktrees.create(self.caller, request, uuid.uuid4().hex)
        return await self._worktrees.wait_ready(worktree.id)

    async def session(self, session_id: str) -> Session:
        session = await self._sessions.get(SessionId(session_id))
        worktree = await self._worktrees.get(session.worktree_id)
        if worktree.id != self._self.worktree_id and (worktree.board is None or worktree.board != self._self.board):
            raise errors.SessionNotFound(session_id)
        return session

    async def spawn(self, prompt: str, *, agent: str | None, worktree_id: str | None, title: str | None) -> Session:
        """A session below its own, in its own worktree or another of its board."""
        await self._check_tree()
        worktree = WorktreeId(worktree_id) if worktree_id else self._self.worktree_id
        if worktree not in {one.id for one in await self.worktrees()}:
            raise errors.WorktreeNotFound(worktree)
        request = SessionCreate(worktree_id=worktree, agent=agent or self._self.agent, title=title, prompt=prompt, parent_id=self._self.id)
        return await self._sessions.create(self.caller, request, uuid.uuid4().hex)

    async def prompt(self, session_id: str, text: str) -> Turn:
        """Only a session of its own tree, below it: an agent that prompts itself or its parent would go round in circles."""
        session = await self.session(session_id)
        if self._self.id not in await self._ancestors(session):
            raise errors.NotAllowed(who=self.caller.person.name, action="prompt a session that it did not spawn", needs="owner")
        return await self._sessions.prompt(self.caller, session.id, Prompt(text=text), uuid.uuid4().hex)

    async def _ancestors(self, session: Session) -> list[SessionId]:
        found: list[SessionId] = []
        while session.parent_id is not None and session.parent_id not in found:
            found.append(session.parent_id)
            session = await self._sessions.get(session.parent_id)
        return found

    async def _check_tree(self) -> None:
        depth = len(await self._ancestors(self._self)) + 1
        if depth > MAX_DEPTH:
            raise errors.SessionBusy(self._self.title, f"a tree of sessions is at most {MAX_DEPTH} deep below its root")
        children = [session for session in await self.sessions() if session.parent_id == self._self.id]
        if len(children) >= MAX_CHILDREN:
            raise errors.SessionBusy(self._self.title, f"a session has at most {MAX_CHILDREN} sessions below it")


class PersonDelegation(Delegation):
    """As a person's own client sees it: the board of the token, in the person's name and with at most their role."""

    def __init__(  # noqa: PLR0917  # what it is wired to
        self, token: Token, role: Role, sessions: Sessions, turns: Turns, worktrees: Worktrees, search: Search
    ) -> None:
        super().__init__(sessions, turns, worktrees, search)
        person = token.person.replace(name=f"{token.person.name} through “{token.name}”")
        self._board, self.mask, self.caller = token.board, Mask(), Caller(person=person, role=role)

    async def worktrees(self) -> list[Worktree]:
        """Those on the board."""
        return await self._worktrees.list(board=self._board)

    async def _searchable(self) -> list[WorktreeId]:
        return [one.id for one in await self._worktrees.list(board=self._board, include_archived=True)]

    async def create_worktree(self, name: str, base: str | None, repo: str | None) -> Worktree:
        """Of the repository that it names, or of the only one that the board has."""
        if repo is None:
            known = sorted({one.repo for one in await self.worktrees()})
            if len(known) != 1:
                raise errors.BadRequest([f"repo: name the repository; on this board are {', '.join(known) or 'none yet'}"])
            [repo] = known
        worktree = await self._worktrees.create(
            self.caller, WorktreeCreate(repo=repo, name=name, base=base, board=self._board), uuid.uuid4().hex
        )
        return await self._worktrees.wait_ready(worktree.id)

    async def session(self, session_id: str) -> Session:
        session = await self._sessions.get(SessionId(session_id))
        if (await self._worktrees.get(session.worktree_id)).board != self._board:
            raise errors.SessionNotFound(session_id)
        return session

    async def spawn(self, prompt: str, *, agent: str | None, worktree_id: str | None, title: str | None) -> Session:
        """A session of the person's own, in a worktree of the board."""
        missing = [name for name, value in (("agent", agent), ("worktree_id", worktree_id)) if value is None]
        if agent is None or worktree_id is None:
            raise errors.BadRequest([f"{name}: needed, since you have no session of your own to take it from" for name in missing])
        if worktree_id not in {one.id for one in await self.worktrees()}:
            raise errors.WorktreeNotFound(worktree_id)
        request = SessionCreate(worktree_id=WorktreeId(worktree_id), agent=agent, title=title, prompt=prompt)
        return await self._sessions.create(self.caller, request, uuid.uuid4().hex)

    async def prompt(self, session_id: str, text: str) -> Turn:
        """Any session of the board."""
        session = await self.session(session_id)
        return await self._sessions.prompt(self.caller, session.id, Prompt(text=text), uuid.uuid4().hex)
