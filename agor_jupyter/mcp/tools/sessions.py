"""Tools about sessions: see, start, steer and wait for other agents."""

from pydantic import Field

from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.sessions import Session, SessionChange, SessionFork, SessionState
from agor_jupyter.mcp.paging import Choosing, Paged, chosen, page, shown
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import MAX_WAIT_S, Delegation, is_busy

_LISTED = ("id", "worktree_id", "agent", "title", "state", "parent_id", "last_line", "turn_count")
_SHOWN = (*_LISTED, "origin_id", "root_id", "queue", "current_turn_id", "last_turn_id", "usage", "notify", "created_by", "updated_at")
_OUTCOME = ("id", "state", "error", "files", "added", "deleted", "commit_after", "seconds", "cost_usd")


class List(Paged):
    worktree_id: str | None = None
    """Only those in this worktree: its id or its name."""
    state: SessionState | None = None
    agent: str | None = None
    """Such as `claude`."""
    archived: bool = False
    """Include archived ones."""


class Which(Choosing):
    session_id: str


class Read(Input):
    session_id: str
    after: int = Field(default=0, ge=0, le=2**53)
    """The `seq` of the last entry you know; 0: from the start."""
    limit: int = Field(default=200, ge=1, le=200)


class Spawn(Input):
    prompt: str = Field(min_length=1, max_length=200_000)
    """The whole brief: the new session knows nothing of what was said to you."""
    agent: str | None = None
    """Such as `claude`. Default: the same agent as you, if you work in a session."""
    worktree_id: str | None = None
    """Default: your own worktree, if you work in a session."""
    title: str | None = None
    options: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Such as `{"model": "…"}`, as agent_list shows them. Default: yours, if it is the same agent."""
    notify: bool = False
    """Be told how it ended by a prompt of its own, with its last message, its changes and its cost. Then you need not wait."""
    budget_usd: float | None = Field(default=None, gt=0, le=1_000_000)
    """How many dollars it may spend at most."""


class Fork(Input):
    session_id: str
    """What the new session knows is what was said in this one."""
    prompt: str | None = Field(default=None, min_length=1, max_length=200_000)
    turn_id: str | None = None
    """The last turn that it knows of. Default: all that has ended."""
    new_worktree: str | None = Field(default=None, min_length=1, max_length=200)
    """Name of a new worktree to work in, with what is not committed. Default: the same worktree."""
    side: bool = False
    """A side question: it is archived when it has answered."""
    notify: bool = False
    """As of session_spawn."""


class Send(Input):
    session_id: str
    prompt: str = Field(min_length=1, max_length=200_000)
    notify: bool = False
    """Be told how this turn ended, by a prompt of its own."""


class One(Input):
    session_id: str


class Update(Input):
    session_id: str
    title: str | None = Field(default=None, min_length=1, max_length=200)
    options: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Such as `{"model": "…"}`. Only those named change."""


class Wait(Input):
    session_id: str
    timeout_s: float = Field(default=120, gt=0, le=MAX_WAIT_S)


def show(session: Session) -> dict[str, object]:
    """As it is listed."""
    return chosen(session, Choosing(), _LISTED)


async def _list(engine: Delegation, request: List) -> object:
    worktree = (await engine.worktree(request.worktree_id)).id if request.worktree_id else None
    found = [
        one
        for one in await engine.sessions(include_archived=request.archived)
        if worktree in {None, one.worktree_id} and request.state in {None, one.state} and request.agent in {None, one.agent}
    ]
    return page(found, request, _LISTED)


async def _get(engine: Delegation, request: Which) -> object:
    return chosen(await engine.session(request.session_id), request, _SHOWN)


async def entries(engine: Delegation, session_id: str, after: int, limit: int = 200) -> list[dict[str, object]]:
    """Of its transcript."""
    events = await engine.transcript(session_id, after, limit)
    return [{"seq": event.seq, "turn_id": event.turn_id, **event.body.model_dump(mode="json", by_alias=False)} for event in events]


async def _read(engine: Delegation, request: Read) -> object:
    items = await entries(engine, request.session_id, request.after, request.limit)
    return {"items": items, "after": items[-1]["seq"] if len(items) == request.limit else None}


async def _tree(engine: Delegation, request: One) -> object:
    tree = await engine.tree(request.session_id)
    nodes = [
        {
            **show(node.session),
            "depth": node.depth,
            "worktree": node.worktree,
            "reports": [shown(one, "target_id", "outcome", "state", "reason") for one in node.deliveries],
        }
        for node in tree.nodes
    ]
    return {"root_id": tree.root_id, "cost_usd": tree.cost_usd, "budget_usd": tree.budget_usd, "sessions": nodes}


async def _spawn(engine: Delegation, request: Spawn) -> object:
    session = await engine.spawn(
        request.prompt,
        agent=request.agent,
        worktree_id=request.worktree_id,
        title=request.title,
        options=request.options,
        notify=request.notify,
        budget_usd=request.budget_usd,
    )
    return {**show(session), "next": "you will be told how it ended" if request.notify else "call session_wait"}


async def _fork(engine: Delegation, request: Fork) -> object:
    body = SessionFork(
        prompt=request.prompt,
        turn=TurnId(request.turn_id) if request.turn_id else None,
        worktree=request.new_worktree,
        is_side=request.side,
        notify=request.notify,
    )
    return show(await engine.fork(request.session_id, body))


async def _send(engine: Delegation, request: Send) -> object:
    turn = await engine.prompt(request.session_id, request.prompt, notify=request.notify)
    return {"turn_id": turn.id, "state": turn.state, "next": "you will be told how it ended" if request.notify else "call session_wait"}


async def _cancel(engine: Delegation, request: One) -> object:
    turn = await engine.cancel(request.session_id)
    if turn is None:
        return {"turn_id": None, "state": "nothing was running"}
    return {"turn_id": turn.id, "state": turn.state}


async def _update(engine: Delegation, request: Update) -> object:
    change = SessionChange(title=request.title, options=request.options or None)
    return show(await engine.change_session(request.session_id, change))


async def _archive(engine: Delegation, request: One) -> object:
    return show(await engine.archive_session(request.session_id))


async def _wait(engine: Delegation, request: Wait) -> object:
    session = await engine.wait(request.session_id, request.timeout_s)
    turn = await engine.last_turn(session)
    outcome = turn and shown(turn, *_OUTCOME)
    return {**show(session), "last_turn": outcome, "next": "call session_wait again" if is_busy(session) else None}


TOOLS = (
    Tool(name="session_list", description="The sessions on your board and what they are doing.", input=List, run=_list, reads_only=True),
    Tool(name="session_get", description="One session with all that is known of it.", input=Which, run=_get, reads_only=True),
    Tool(
        name="session_read",
        description="The transcript of a session on your board, 200 entries at a time.",
        input=Read,
        run=_read,
        reads_only=True,
    ),
    Tool(
        name="session_tree",
        description="The tree that a session belongs to: what was spawned and forked, what it cost, and what is reported to whom.",
        input=One,
        run=_tree,
        reads_only=True,
    ),
    Tool(
        name="session_spawn",
        description="Start another agent below you with a brief of its own. It answers at once: be notified, or use session_wait.",
        input=Spawn,
        run=_spawn,
        reads_only=False,
    ),
    Tool(
        name="session_fork",
        description="Start a session below you that knows what was said in another one, until a turn, or ask it a side question.",
        input=Fork,
        run=_fork,
        reads_only=False,
    ),
    Tool(
        name="session_prompt", description="Queue another prompt for a session that you spawned.", input=Send, run=_send, reads_only=False
    ),
    Tool(
        name="session_wait",
        description=f"Wait until a session is idle, at most {MAX_WAIT_S:.0f} s, and get the outcome of its last turn.",
        input=Wait,
        run=_wait,
        reads_only=True,
    ),
    Tool(name="session_cancel", description="Stop what a session that you spawned works on.", input=One, run=_cancel, reads_only=False),
    Tool(
        name="session_update",
        description="Change the title or the options of a session that you spawned.",
        input=Update,
        run=_update,
        reads_only=False,
    ),
    Tool(
        name="session_archive",
        description="Archive a session that you spawned and that is done. Its transcript stays, and you may start another instead.",
        input=One,
        run=_archive,
        reads_only=False,
    ),
)
