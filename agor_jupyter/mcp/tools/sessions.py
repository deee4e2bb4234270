"""Tools about sessions: see, start, prompt and wait for other agents."""

from pydantic import Field

from agor_jupyter.domain.sessions import Session
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import MAX_WAIT_S, Delegation


class List(Input):
    pass


class Read(Input):
    session_id: str
    after: int = Field(default=0, ge=0, le=2**53)
    """The `seq` of the last entry you know; 0: from the start."""


class Spawn(Input):
    prompt: str = Field(min_length=1, max_length=200_000)
    agent: str | None = None
    """Such as `claude`. Default: the same agent as you, if you work in a session."""
    worktree_id: str | None = None
    """Default: your own worktree, if you work in a session."""
    title: str | None = None


class Send(Input):
    session_id: str
    prompt: str = Field(min_length=1, max_length=200_000)


class Wait(Input):
    session_id: str
    timeout_s: float = Field(default=120, gt=0, le=MAX_WAIT_S)


def _show(session: Session) -> dict[str, object]:
    fields = {"id", "worktree_id", "agent", "title", "state", "parent_id", "last_line", "turn_count"}
    return session.model_dump(mode="json", include=fields)


async def _list(engine: Delegation, _input: List) -> object:
    return [_show(session) for session in await engine.sessions()]


async def _read(engine: Delegation, request: Read) -> object:
    events = await engine.transcript(request.session_id, request.after)
    return [{"seq": event.seq, **event.body.model_dump(mode="json", by_alias=False)} for event in events]


async def _spawn(engine: Delegation, request: Spawn) -> object:
    session = await engine.spawn(request.prompt, agent=request.agent, worktree_id=request.worktree_id, title=request.title)
    return _show(session)


async def _send(engine: Delegation, request: Send) -> object:
    turn = await engine.prompt(request.session_id, request.prompt)
    return {"turn_id": turn.id, "state": turn.state, "next": "call session_wait"}


async def _wait(engine: Delegation, request: Wait) -> object:
    session = await engine.wait(request.session_id, request.timeout_s)
    turn = await engine.last_turn(session)
    is_busy = session.current_turn_id is not None or bool(session.queue)
    outcome = turn and turn.model_dump(
        mode="json", include={"id", "state", "error", "files", "added", "deleted", "commit_after", "seconds"}
    )
    return {**_show(session), "last_turn": outcome, "next": "call session_wait again" if is_busy else None}


TOOLS = (
    Tool(name="session_list", description="The sessions on your board and what they are doing.", input=List, run=_list, reads_only=True),
    Tool(
        name="session_read",
        description="The transcript of a session on your board, 200 entries at a time.",
        input=Read,
        run=_read,
        reads_only=True,
    ),
    Tool(
        name="session_spawn",
        description="Start another agent below you with a prompt of its own. Answer at once; use session_wait for the outcome.",
        input=Spawn,
        run=_spawn,
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
)
