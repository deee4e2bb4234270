"""How a session's conversation begins: anew, brought back, or as a fork, by the agent itself or by being told the transcript.

Decided when the process starts. A fork knows what was said until it was made: turns of its origin that ended before, or those until
the one at which it was forked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from agor_jupyter.agents.protocol.results import How
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn
from agor_jupyter.services.sessions.conversations import priming
from agor_jupyter.services.sessions.conversations.priming import Background
from agor_jupyter.storage import sessions, turns

_MAX_FORKS = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to ask the agent for, and what to tell it when it cannot."""

    previous: str | None = None
    """The agent's id of a conversation to bring back."""
    fork_of: str | None = None
    """The agent's id of a conversation to fork."""
    origin: Session | None = None
    """Of a session whose conversation has not begun yet."""
    background: Background | None = None
    is_imported: bool = False
    """Its turns took place elsewhere, where the agent cannot go on."""
    why_primed: str = ""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """How it began."""

    notices: list[Notice]
    context: str | None = None
    """What the first prompt has to be accompanied by."""
    fork: Literal["native", "primed"] | None = None


def plan(connection: Connection, session: Session, agent: AgentType) -> Plan:
    """What to try for this session. `session` has a turn that just starts."""
    own = priming.past_turns(connection, session)
    chain = _origins(connection, session)
    known = [(one, its_turns) for one, its_turns in [*reversed(chain), (session, own)] if its_turns]
    background = priming.background(connection, known) if agent.quirks.takes_background else None
    if session.agent_session_id is not None:
        return Plan(previous=session.agent_session_id, background=background)
    if session.imported_id is not None:
        return Plan(background=background, is_imported=True)
    if session.origin_id is None:
        return Plan()
    origin = sessions.get(connection, session.origin_id)
    if origin is None or not chain:
        return Plan(origin=origin)
    source, its_turns = chain[0]
    why = ""
    if source.agent != session.agent:
        why = "it was made with another agent"
    elif source.worktree_id != session.worktree_id or source.agent_session_id is None:
        why = "the original conversation cannot be reached from here"
    elif _went_on(connection, source, its_turns):
        why = "the original session has continued since"
    fork_of = None if why else source.agent_session_id
    return Plan(origin=origin, background=background, fork_of=fork_of, why_primed=why or "the agent could not copy the conversation")


def begin(plan: Plan, how: How, agent: AgentType) -> Beginning:
    """What a reader should know of how it began, and what the agent has to be told."""
    if how in ("resumed", "loaded"):
        did = "resumed its conversation" if how == "resumed" else "loaded its conversation again from disk"
        return Beginning(notices=[Notice(code=how, text=f"The agent's process was started again, and {did}.")])
    name = f"“{plan.origin.title}”" if plan.origin else ""
    if how == "forked":
        text = f"This is a fork of {name}. The agent copied its conversation, and knows everything said there."
        return Beginning(notices=[Notice(code="forked", text=text)], fork="native")
    if plan.previous is None and plan.origin is None and not plan.is_imported:
        return Beginning(notices=[])
    if plan.background is not None:
        turns = "the last turn" if plan.background.turns == 1 else f"the last {plan.background.turns} turns"
        of = f" of {name}" if plan.origin else ""
        text = f"This is a new conversation that was given {turns}{of} as text, {len(plan.background.text):,} characters, because "
        elsewhere = "the old one took place in another folder." if plan.is_imported else "the agent could not bring back the old one."
        text += f"{plan.why_primed}." if plan.origin else elsewhere
        fork: Literal["primed"] | None = "primed" if plan.origin else None
        return Beginning(notices=[Notice(code="primed", text=text)], context=plan.background.text, fork=fork)
    if plan.origin is not None and agent.quirks.takes_background:
        return Beginning(
            notices=[Notice(code="forked", text=f"Nothing had been said in {name} yet, so there is nothing to pass on.")], fork="primed"
        )
    because = f"cannot know what was said in {name}" if plan.origin else "could not bring back its conversation"
    text = f"The agent {because}. It starts over and knows nothing of what was said before."
    return Beginning(notices=[Notice(code="not_resumed", text=text)])


def _origins(connection: Connection, session: Session) -> list[tuple[Session, list[Turn]]]:
    """What it was forked from, the nearest that was ever prompted first, each with the turns that had ended by then."""
    found: list[tuple[Session, list[Turn]]] = []
    until, origin_id, seen = session.created_at, session.origin_id, {session.id}
    last = session.origin_turn_id
    while origin_id is not None and origin_id not in seen and len(seen) <= _MAX_FORKS:
        seen.add(origin_id)
        origin = sessions.get(connection, origin_id)
        if origin is None:
            break
        ended = [turn for turn in priming.past_turns(connection, origin) if turn.ended_at and turn.ended_at <= until]
        place = next((place for place, turn in enumerate(ended) if turn.id == last), None)
        ended = ended if place is None else ended[: place + 1]
        if ended:
            found.append((origin, ended))
        until, origin_id, last = min(until, origin.created_at), origin.origin_id, origin.origin_turn_id
    return found


def _went_on(connection: Connection, source: Session, ended: Sequence[Turn]) -> bool:
    """Whether its conversation holds more than these turns by now."""
    known = {turn.id for turn in ended}
    return any(turn.started_at is not None and turn.id not in known for turn in turns.of_session(connection, source.id))
