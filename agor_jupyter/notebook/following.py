"""Following what happens on the server: the stream says when, the numbered transcript says what.

The stream says only that something changed; what changed is then read by its number. So nothing is lost or doubled when the connection
breaks, and no event has to be kept here.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import TypeVar

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.errors import AlreadyAnswered, InstallFailed
from agor_jupyter.domain.events import Event, TurnEnded
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.repos import Repo, RepoState
from agor_jupyter.domain.sessions import Answer, Session, SessionState
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.notebook.display import live, views
from agor_jupyter.notebook.handles import columns
from agor_jupyter.notebook.link import Link

R = TypeVar("R", bound=Record)

_BUSY = {
    SessionState.QUEUED,
    SessionState.STARTING,
    SessionState.RUNNING,
    SessionState.NEEDS_YOU,
    SessionState.STOPPING,
    SessionState.PARKED,
}
_PAGE = 1000
_PACE_S = 0.08


def read(link: Link, session_id: str, after: int = 0) -> Iterator[Event]:
    """The transcript after that number, as far as it goes now."""
    while True:
        page = link.get(f"sessions/{session_id}/events", after=after, limit=_PAGE)["items"]
        for item in page:
            event = Event.model_validate(item)
            after = event.seq or after
            yield event
        if len(page) < _PAGE:
            return


def _list(link: Link, session_id: str, after: int) -> list[Event]:
    return list(read(link, session_id, after))


def columns_of(event: Event) -> dict[str, object]:
    """A row of `events.df`: what every event has, and the body's own fields."""
    found: dict[str, object] = {"seq": event.seq, "at": event.at, "turn_id": event.turn_id}
    return found | {name: value for name, value in columns(event.body).items() if name not in found}


def line_of(event: Event) -> str:
    """An event in a list: its number, its kind and what it says first."""
    body = event.body
    asked = getattr(body, "permission", None)
    said = (
        getattr(body, "text", None) or getattr(body, "title", None) or (asked.title if asked else "") or getattr(body, "status", None) or ""
    )
    return f"{event.seq} {body.kind} {views.headline(str(said))}".rstrip()


def open_permissions(link: Link, session_id: str) -> list[Permission]:
    found = [Permission.model_validate(item) for item in link.items("permissions")]
    return [one for one in found if one.session_id == session_id]


def settle(what: str, record: R, read_again: Callable[[], R], *, is_pending: Callable[[R], bool], step: Callable[[R], str]) -> R:
    """Ask until it is no longer pending, saying in the cell what it does."""
    line, pause = live.line(), 0.02
    while is_pending(record):
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
        record = read_again()
        if is_pending(record):
            line.say(f"{what}: {step(record)}")
    line.clear()
    return record


def settle_repo(link: Link, repo: Repo) -> Repo:
    """Wait for the end of a clone."""
    return settle(
        f"Repo {repo.slug}",
        repo,
        lambda: Repo.model_validate(link.get(f"repos/{repo.id}")),
        is_pending=lambda one: one.state is RepoState.CLONING,
        step=lambda one: f"{one.progress.phase} {one.progress.percent} %" if one.progress else "cloning",
    )


def settle_agent(link: Link, status: AgentStatus) -> AgentStatus:
    """Wait for the end of an installation.

    Raises:
        InstallFailed: it says why. What was there before is as it was.

    """
    name = status.agent.name
    found = settle(
        f"Agent {name}",
        status,
        lambda: AgentStatus.model_validate(link.get(f"agents/{name}")),
        is_pending=lambda one: one.install_state == "installing",
        step=lambda one: one.install_step or "waits",
    )
    if found.install_state == "failed":
        raise InstallFailed(name, found.install_step or "the server does not say why")
    return found


def settle_worktree(link: Link, worktree: Worktree) -> Worktree:
    """Wait until a worktree is made, or failed."""
    return settle(
        f"Worktree {worktree.name}",
        worktree,
        lambda: Worktree.model_validate(link.get(f"worktrees/{worktree.id}")),
        is_pending=lambda one: one.state is WorktreeState.CREATING,
        step=lambda one: one.step or "waits",
    )


async def _changes(link: Link, session_id: str) -> AsyncGenerator[None, None]:
    """Yields once, then each time something about this session happened, not more often than it can be looked at."""
    async with aclosing(link.changes(session_id)) as changes:
        async for _ in changes:
            yield
            await asyncio.sleep(_PACE_S)


async def follow(
    link: Link, session_id: str, *, allow: bool = False, after: int = 0, until: str | None = None
) -> AsyncGenerator[Event, None]:
    """Every event with a higher number than `after`, until the session is at rest, or until the turn `until` ended."""
    async with aclosing(_changes(link, session_id)) as changes:
        async for _ in changes:
            if until is None:
                state = Session.model_validate(await asyncio.to_thread(link.get, f"sessions/{session_id}")).state
                is_over = state not in _BUSY
            else:
                is_over = Turn.model_validate(await asyncio.to_thread(link.get, f"turns/{until}")).state in ENDED
            for event in await asyncio.to_thread(_list, link, session_id, after):
                after = event.seq or after
                yield event
            if is_over:
                return
            if allow:
                await asyncio.to_thread(allow_once, link, session_id)


async def run(link: Link, turn: Turn, *, shown: bool) -> Turn:
    """Follow one turn to its end."""
    transcript = live.Transcript(turn, link.me.person.username) if shown else None
    after = 0
    async with aclosing(_changes(link, turn.session_id)) as changes:
        async for _ in changes:
            turn = Turn.model_validate(await asyncio.to_thread(link.get, f"turns/{turn.id}"))
            for event in await asyncio.to_thread(_list, link, turn.session_id, after):
                after = event.seq or after
                if event.turn_id == turn.id and transcript:
                    transcript.add(event)
                if event.turn_id == turn.id and isinstance(event.body, TurnEnded):
                    turn = event.body.turn
            if turn.state in ENDED:
                break
            questions = await asyncio.to_thread(open_permissions, link, turn.session_id)
            if transcript:
                transcript.show(turn, questions)
    if transcript:
        transcript.finish(turn)
    return turn


async def question(link: Link, session_id: str) -> Permission | None:
    async with aclosing(_changes(link, session_id)) as changes:
        async for _ in changes:
            if found := await asyncio.to_thread(open_permissions, link, session_id):
                return found[0]
            session = Session.model_validate(await asyncio.to_thread(link.get, f"sessions/{session_id}"))
            if session.state not in _BUSY and not session.background:
                return None
    return None


def allow_once(link: Link, session_id: str) -> list[Permission]:
    """Answer the session's open questions with “allow once”; what has no such option is left to a person and returned."""
    left = []
    for one in open_permissions(link, session_id):
        option = next((option for option in one.options if option.kind == "allow_once"), None)
        if option is None:
            left.append(one)
            continue
        try:
            link.post(f"permissions/{one.id}/answer", Answer(option_id=option.id))
        except AlreadyAnswered:  # somebody else was faster, which is as good
            continue
    return left
