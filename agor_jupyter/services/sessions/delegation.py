"""The engine as somebody sees it over MCP: one board, in their own name. `delegates` has the two kinds: agents, and people's own clients.

What is read is the same for both; what may be changed, each says for itself. Nothing of another board exists here, and no permission is
answered.
"""

import asyncio
import contextlib
import uuid
from abc import ABC, abstractmethod

from pydantic import TypeAdapter

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.documents.notebooks import Json
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.boards import Board, BoardEntry, NoteAdd, Zone
from agor_jupyter.domain.budgets import Budget
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.environments import Environment, EnvironmentCommand
from agor_jupyter.domain.events import Event, ToolUsed
from agor_jupyter.domain.ids import ObjectId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Caller, Person
from agor_jupyter.domain.schedules import Schedule, ScheduleCreate
from agor_jupyter.domain.search import SearchPage, SearchQuery
from agor_jupyter.domain.sessions import Session, SessionChange, SessionFork
from agor_jupyter.domain.trees import SessionTree
from agor_jupyter.domain.turns import ENDED, Patch, Turn
from agor_jupyter.domain.worktrees import Adoptable, Worktree, WorktreeAdopt, WorktreeChange, WorktreeState
from agor_jupyter.domain.zones import Firing, ZoneDropped
from agor_jupyter.services.money.ledger import root_of
from agor_jupyter.services.sessions.delegated_notebooks import Notebooks
from agor_jupyter.services.sessions.delegated_places import Action, Places
from agor_jupyter.services.sessions.delegated_schedules import Plans
from agor_jupyter.services.sessions.means import Means
from agor_jupyter.services.sessions.trees import TreeLimits

MAX_WAIT_S = 240.0
"""Agents give up a tool call after 300 s."""
_LOOK_S = 3.0
_CURRENT_S = 2.0
_POLL_S = 0.25
_PAGE = 200
_MOST_SESSIONS = 500
_MOST_FIRINGS = 500
_SESSIONS = TypeAdapter(list[Session])
_EVENTS = TypeAdapter(list[Event])
_ROWS = TypeAdapter(list[LedgerRow])
_FIRINGS = TypeAdapter(list[Firing])
_RECORDED = (errors.NotAllowed, errors.NotFound, errors.TreeFull, errors.BudgetExhausted)
"""What an owner wants to see of it."""

SessionList = list[Session]
WorktreeList = list[Worktree]
AgentList = list[AgentStatus]
BudgetList = list[Budget]
PersonList = list[Person]
FiringList = list[Firing]


class Delegation(ABC):
    """The engine as somebody sees it over MCP: one board, in their own name."""

    caller: Caller
    mask: Mask
    """Takes secrets out of what it asks for."""
    own: Session | None
    """The session whose agent this is. `None`: a person's own client."""
    board: str | None
    """Path of the board that it sees. `None`: its worktree lies on none."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.places = Places(means, self)
        self.plans = Plans(means, self)
        self.notebooks = Notebooks(means, self)

    @property
    def limits(self) -> TreeLimits:
        return self._means.limits

    # What each kind says for itself

    @abstractmethod
    async def all_worktrees(self, *, include_archived: bool = False) -> WorktreeList:
        """Those that it sees, as they are recorded."""

    @abstractmethod
    async def require_steering(self, session: Session, action: str) -> None:
        """Raises `NotAllowed` where it may not prompt, change or stop this session."""

    @abstractmethod
    async def require_changing(self, worktree: Worktree, action: str) -> None:
        """Raises `NotAllowed` where it may not change or archive this worktree."""

    @abstractmethod
    async def steer_environment(self, worktree: Worktree, action: Action, command: EnvironmentCommand) -> Environment:
        """Start or stop services of a worktree that it may change."""

    @abstractmethod
    async def agree_to_run(self, worktree: Worktree, path: str, cell: Json, kernel: str) -> None:
        """Come back once this cell may run in that kernel, which is no sandbox. Raises `RunRefused` or `NotAllowed` where it may not."""

    @abstractmethod
    async def create_schedule(self, request: ScheduleCreate) -> Schedule:
        """Make one on its board."""

    @abstractmethod
    async def require_scheduling(self, schedule: Schedule, action: str) -> None:
        """Raises `NotAllowed` where it may not run or pause this schedule."""

    @abstractmethod
    async def create_worktree(self, name: str | None, base: str | None, repo: str | None, issue_url: str | None = None) -> Worktree:
        """Make one on its board, and wait until it has been created. Without a name, it is named after its issue."""

    @abstractmethod
    async def spawn(
        self,
        prompt: str,
        *,
        agent: str | None,
        worktree_id: str | None,
        title: str | None,
        options: dict[str, str] | None = None,
        notify: bool = False,
        budget_usd: float | None = None,
    ) -> Session:
        """Start a session in a worktree that it sees."""

    @abstractmethod
    async def fork(self, session_id: str, request: SessionFork) -> Session:
        """Fork a session that it sees."""

    @abstractmethod
    async def prompt(self, session_id: str, text: str, *, notify: bool = False) -> Turn:
        """Queue a prompt in a session. `notify`: how it ends is told to its own session."""

    # Every call

    async def note_call(
        self, tool: str, milliseconds: float, refusal: str | None = None, error: Exception | None = None, *, soon: bool = False
    ) -> None:
        """Write down that a tool was called, and by whom. What was asked for and answered is not kept.

        Args:
            tool: Its name, or as what else was asked for.
            milliseconds: How long it took.
            soon: Do not wait until it is on the disk: for what changed nothing.
            refusal: What the caller was told, if it was refused.
            error: What that was made from. Of what somebody may not do there is a row for owners, too.

        """
        used = ToolUsed(
            tool=tool,
            by=self.caller.person,
            session_id=self.own.id if self.own else None,
            board=self.board,
            milliseconds=round(milliseconds, 2),
            refusal=refusal,
        )
        writing = self._note(used, is_refusal=isinstance(error, _RECORDED))
        if soon:
            self._means.tasks.start(writing, f"note a call of {tool}")
        else:
            await writing

    async def _note(self, used: ToolUsed, *, is_refusal: bool) -> None:
        with contextlib.suppress(errors.Unavailable):  # a full disk does not make it another answer
            await self._means.store.write(lambda transaction: transaction.append(self._means.clock.now(), used))
            if is_refusal:
                await self._means.refusals.note(self.caller.person.username, f"tool {used.tool}", "mcp")

    # Worktrees

    async def worktrees(self, *, include_archived: bool = False) -> WorktreeList:
        """Those that it sees, with what git says of each now; where that takes longer than `_LOOK_S`, with what it said last, and when."""
        known = await self.all_worktrees(include_archived=include_archived)
        ready = [one.id for one in known if one.state in {WorktreeState.READY, WorktreeState.MISSING}]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._means.worktrees.statuses(ready, _CURRENT_S, is_stored=True)
        return await self.all_worktrees(include_archived=include_archived)

    async def worktree(self, worktree_id: str) -> Worktree:
        """By its id or its name, archived ones too.

        Errors:
            WorktreeNotFound: there is none, or it does not see it.
        """
        seen = await self.all_worktrees(include_archived=True)
        found = [one for one in seen if one.id == worktree_id] or [one for one in seen if one.name == worktree_id]
        if len(found) != 1:
            raise errors.WorktreeNotFound(
                worktree_id, [f"{one.name} ({one.id})" for one in seen if one.state is not WorktreeState.ARCHIVED]
            )
        if found[0].state is WorktreeState.READY:
            with contextlib.suppress(TimeoutError, errors.AgorError):
                async with asyncio.timeout(_LOOK_S):
                    await self._means.worktrees.statuses([found[0].id], _CURRENT_S, is_stored=True)
            return await self._means.worktrees.get(found[0].id)
        return found[0]

    async def diff(self, worktree_id: str) -> Patch:
        """All that differs from its base."""
        return await self._means.worktrees.diff((await self.worktree(worktree_id)).id)

    async def change_worktree(self, worktree_id: str, change: WorktreeChange) -> Worktree:
        worktree = await self.worktree(worktree_id)
        await self.require_changing(worktree, "change")
        return await self._means.worktrees.change(self.caller, worktree.id, change)

    async def archive_worktree(self, worktree_id: str) -> Worktree:
        worktree = await self.worktree(worktree_id)
        await self.require_changing(worktree, "archive")
        return await self._means.worktrees.archive(self.caller, worktree.id, uuid.uuid4().hex)

    async def adoptable(self) -> list[tuple[str, Adoptable]]:
        """Worktrees that plain git made, of the repositories that it sees: each with the repository's name."""
        names = {one.repo_id: one.repo for one in await self.all_worktrees()}
        return [(name, one) for repo, name in names.items() for one in await self._means.worktrees.adoption.adoptable(repo)]

    async def adopt(self, path: str, name: str | None) -> Worktree:
        """Take one of those in, on its board.

        Errors:
            NotAllowed: it is no owner.
        """
        repo = next((repo for repo, one in await self.adoptable() if one.path == path), None)
        if repo is None:
            raise errors.BadPath(
                path, "it is no worktree of plain git that can be adopted", [one.path for _, one in await self.adoptable()]
            )
        request = WorktreeAdopt(repo=repo, path=path, name=name, board=self.board)
        return await self._means.worktrees.adoption.adopt(self.caller, request, uuid.uuid4().hex)

    # Sessions

    async def sessions(self, *, include_archived: bool = False) -> SessionList:
        """Those in its worktrees, the one that changed last first; at most 500 of each worktree."""
        found: SessionList = []
        for worktree in await self.all_worktrees(include_archived=include_archived):
            encoded, _ = await self._means.sessions.page(worktree=worktree.id, include_archived=include_archived, limit=_MOST_SESSIONS)
            found += _SESSIONS.validate_json(encoded)
        return sorted(found, key=lambda one: (one.updated_at, one.id), reverse=True)

    async def session(self, session_id: str) -> Session:
        """Errors:
        SessionNotFound: there is none, or it does not see it.
        """
        session = await self._means.sessions.get(SessionId(session_id))
        if session.worktree_id not in {one.id for one in await self.all_worktrees(include_archived=True)}:
            raise errors.SessionNotFound(session_id)
        return session

    async def tree(self, session_id: str) -> SessionTree:
        """Of it, without sessions in worktrees that it does not see."""
        tree = await self._means.trees.of((await self.session(session_id)).id)
        seen = {one.id for one in await self.all_worktrees(include_archived=True)}
        return tree.replace(nodes=[node for node in tree.nodes if node.session.worktree_id in seen])

    async def cancel(self, session_id: str) -> Turn | None:
        """Stop what it works on, if it does."""
        session = await self.session(session_id)
        await self.require_steering(session, "cancel")
        if session.current_turn_id is None and not session.background:
            return None
        return await self._means.sessions.cancel(self.caller, session.id, uuid.uuid4().hex)

    async def change_session(self, session_id: str, change: SessionChange) -> Session:
        session = await self.session(session_id)
        await self.require_steering(session, "change")
        return await self._means.sessions.change(self.caller, session.id, change)

    async def archive_session(self, session_id: str) -> Session:
        session = await self.session(session_id)
        await self.require_steering(session, "archive")
        return await self._means.sessions.archive(self.caller, session.id, uuid.uuid4().hex)

    async def wait(self, session_id: str, timeout_s: float = MAX_WAIT_S) -> Session:
        """The session once nothing runs or waits in it, or as it is after `timeout_s`."""
        end = asyncio.get_running_loop().time() + min(timeout_s, MAX_WAIT_S)
        session = await self.session(session_id)
        while is_busy(session) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_POLL_S)
            session = await self._means.sessions.get(session.id)
        return session

    # What was said

    async def transcript(self, session_id: str, after: int, limit: int = _PAGE) -> list[Event]:
        session = await self.session(session_id)
        encoded, _ = await self._means.sessions.events(session.id, after, limit)
        return _EVENTS.validate_json(encoded)

    async def turns(self, session_id: str) -> list[Turn]:
        """In the order in which their prompts were accepted."""
        return await self._means.turns.list((await self.session(session_id)).id)

    async def turn(self, turn_id: str) -> Turn:
        """Errors:
        TurnNotFound: there is none, or it does not see its session.
        """
        turn = await self._means.turns.get(turn_id)
        try:
            await self.session(turn.session_id)
        except errors.SessionNotFound:
            raise errors.TurnNotFound(turn_id) from None
        return turn

    async def patch(self, turn_id: str) -> Patch:
        return await self._means.turns.patch((await self.turn(turn_id)).id)

    async def last_turn(self, session: Session) -> Turn | None:
        turn = await self._means.turns.get(TurnId(session.last_turn_id)) if session.last_turn_id else None
        return turn if turn is None or turn.state in ENDED else None

    async def search(self, query: SearchQuery) -> SearchPage:
        """What was said in its worktrees, archived ones included."""
        seen: list[WorktreeId] = [one.id for one in await self.all_worktrees(include_archived=True)]
        return await self._means.search.find(query, seen)

    # The board

    async def document(self) -> Board:
        """Errors:
        Conflict: it sees none.
        """
        return await self._means.boards.get(self.caller, self.path())

    async def write_note(self, note: NoteAdd) -> BoardEntry:
        return await self._means.boards.add_note(self.caller, self.path(), note, uuid.uuid4().hex)

    # Zones

    @abstractmethod
    async def bring(self, worktree: Worktree, zone_id: ObjectId | None) -> ZoneDropped:
        """Bring a card that it may change to a zone."""

    async def move_card(self, worktree_id: str, zone: str | None) -> ZoneDropped:
        """Bring a worktree's card to a zone of the board, by its id or name.

        Errors:
            ObjectNotFound: there is no such zone. NotAllowed: it may not move this card, or not there.
        """
        worktree = await self.worktree(worktree_id)
        await self.require_changing(worktree, "change")
        return await self.bring(worktree, None if zone is None else await self.zone(zone))

    async def zone(self, wanted: str) -> ObjectId:
        """The zone of the board with this id or name. Raises `ObjectNotFound`; and `BadRequest` where several have the name."""
        zones = {key: one for key, one in (await self.document()).objects.items() if isinstance(one, Zone)}
        named = [key for key, one in zones.items() if one.name == wanted]
        if wanted in zones or len(named) == 1:
            return ObjectId(wanted) if wanted in zones else named[0]
        if named:
            raise errors.BadRequest([f"zone: {len(named)} zones are called {wanted!r}. Use the id: {', '.join(named)}"])
        raise errors.ObjectNotFound(wanted, [one.name for one in zones.values()])

    async def firings(self, worktree_id: str | None) -> FiringList:
        """Those of its board, the newest first, at most as many as can be paged."""
        worktree = None if worktree_id is None else (await self.worktree(worktree_id)).id
        return _FIRINGS.validate_json(await self._means.firings.list(board=self.path(), worktree=worktree, limit=_MOST_FIRINGS))

    def path(self) -> str:
        """Of its board. Raises `Conflict`: it sees none."""
        if self.board is None:
            raise errors.Conflict("The worktree that you work in lies on no board. A person can put it on one.")
        return self.board

    # The rest

    def agents(self) -> AgentList:
        return self._means.agents.list()

    async def costs(self) -> list[LedgerRow]:
        """Of turns on its board, or without one in its worktree; the newest first."""
        if self.board is not None:
            return _ROWS.validate_json(await self._means.ledger.page(board=self.board))
        return [row for one in await self.all_worktrees() for row in _ROWS.validate_json(await self._means.ledger.page(worktree=one.id))]

    async def budgets(self) -> BudgetList:
        """Those that count for what it sees."""
        subjects: set[tuple[str, str | None]] = {("board", self.board)}
        subjects |= {("worktree", one.id) for one in await self.all_worktrees()}
        for one in await self.sessions():
            subjects |= {("session", one.id), ("tree", root_of(one))}
        return [one for one in await self._means.budgets.list() if (one.scope, one.subject) in subjects]

    async def people(self) -> PersonList:
        """Who made something on its board, or itself."""
        makers = [one.created_by for one in await self.all_worktrees()] + [one.created_by for one in await self.sessions()]
        found = {one.username: one for one in [*makers, self.caller.person]}
        return [one for name, one in sorted(found.items()) if not name.startswith("agent:")]


def is_busy(session: Session) -> bool:
    return session.current_turn_id is not None or bool(session.queue)
