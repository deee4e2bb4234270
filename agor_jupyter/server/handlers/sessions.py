"""Sessions: create, list, prompt, cancel, read."""

from pydantic import Field

from agor_jupyter.domain.events import Event
from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Record, Request
from agor_jupyter.domain.sessions import Prompt, Session, SessionChange, SessionCreate, SessionFork, SessionState
from agor_jupyter.domain.trees import SessionTree
from agor_jupyter.domain.turns import Turn
from agor_jupyter.server.operations import Call, encode, operation


class SessionQuery(Request):
    board: str | None = None
    state: SessionState | None = None
    agent: str | None = None
    worktree: WorktreeId | None = None
    person: str | None = None
    """The username of who created it."""
    archived: bool = False
    """Archived ones as well."""
    limit: int = Field(default=50, ge=1, le=500)
    before: str | None = None
    """The `next` of the page before."""


class SessionPage(Record):
    """The one that changed last comes first. `next` leads to the following page; `None`: this is the last."""

    items: list[Session]
    next: str | None


class EventQuery(Request):
    after: int = Field(default=0, ge=0)
    """The last `seq` that is known."""
    limit: int = Field(default=1000, ge=1, le=5000)


class EventPage(Record):
    """In order, without gaps. There is more while the last item's `seq` is below `last_seq`."""

    items: list[Event]
    last_seq: int


@operation(answers=SessionPage)
async def index(call: Call, query: SessionQuery) -> bytes:
    """List sessions, most recently changed first."""
    items, following = await call.agor.sessions.page(
        board=query.board,
        state=query.state,
        agent=query.agent,
        worktree=query.worktree,
        person=query.person,
        include_archived=query.archived,
        limit=query.limit,
        before=query.before,
    )
    return b'{"items":' + items + b',"next":' + encode(following) + b"}"


@operation(Role.STEERER)
async def create(call: Call, body: SessionCreate) -> Session:
    """Start a session with an agent in a worktree, with a first prompt or without."""
    return await call.agor.sessions.create(call.caller, body, call.key)


@operation()
async def get(call: Call, session: SessionId) -> Session:
    """Get a session."""
    return await call.agor.sessions.get(session)


@operation(Role.STEERER)
async def change(call: Call, session: SessionId, body: SessionChange) -> Session:
    """Change a session's title, the order of its queue, or its options."""
    return await call.agor.sessions.change(call.caller, session, body)


@operation(Role.STEERER)
async def fork(call: Call, session: SessionId, body: SessionFork) -> Session:
    """Begin a session that knows what was said in this one, so far or until a turn, in the same worktree or a new one."""
    return await call.agor.sessions.fork(call.caller, session, body, call.key)


@operation()
async def tree(call: Call, session: SessionId) -> SessionTree:
    """Get the tree that a session belongs to, with what is told to whom."""
    return await call.agor.trees.of(session)


@operation(Role.STEERER)
async def prompt(call: Call, session: SessionId, body: Prompt) -> Turn:
    """Prompt a session; if it is working, the prompt waits in its queue."""
    return await call.agor.sessions.prompt(call.caller, session, body, call.key)


@operation(Role.STEERER)
async def cancel(call: Call, session: SessionId) -> Turn:
    """Cancel a session's running turn."""
    return await call.agor.sessions.cancel(call.caller, session, call.key)


@operation(Role.STEERER)
async def archive(call: Call, session: SessionId) -> Session:
    """Archive a session; its transcript stays."""
    return await call.agor.sessions.archive(call.caller, session, call.key)


@operation(answers=EventPage)
async def events(call: Call, session: SessionId, query: EventQuery) -> bytes:
    """Get a session's transcript from an entry on."""
    items, last_seq = await call.agor.sessions.events(session, query.after, query.limit)
    return b'{"items":' + items + b',"lastSeq":' + encode(last_seq) + b"}"
