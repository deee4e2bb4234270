"""Conversations that agents' own programs kept on this machine: list those of a worktree, and make sessions of them.

They belong to the account that the server runs as, so only an owner sees them.
"""

import asyncio
import itertools
import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.agents.history.past import Folders, Found, Past, Reader
from agor_jupyter.agents.history.readers import reader
from agor_jupyter.agents.protocol.mask import Mask, secrets
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice, PromptSent, Text, TurnEnded
from agor_jupyter.domain.history import Conversation, ConversationImport
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.sessions import MAX_PROMPT, Session, SessionState
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import environment
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.sessions.runs.collector import LINE
from agor_jupyter.services.transitions import derive, find_session
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import events, search, sessions, turns
from agor_jupyter.storage.events import Entry
from agor_jupyter.storage.store import Store, Transaction

_Kept = tuple[AgentType, Reader, dict[str, str]]


class History:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        config: Config,
        agents: Agents,
        options: Options,
        variables: Variables,
        repos: Repos,
        worktrees: Worktrees,
    ) -> None:
        self._store, self._clock, self._config = store, clock, config
        self._agents, self._options, self._variables, self._repos, self._worktrees = agents, options, variables, repos, worktrees

    async def list(self, caller: Caller, name: str) -> list[Conversation]:
        """Those that took place in this worktree's folder, in its repository's checkout or below, the newest first.

        What took place in another worktree or repository of this server is left to that one, though it lie below.

        Errors:
            WorktreeNotFound.
        """
        caller.require(Role.OWNER, "see this machine's conversations")
        worktree = await self._worktrees.get(name)
        folders = await self._folders(worktree)
        found: list[Conversation] = []
        for agent, kept, env in await self._readers(caller):
            listed = await asyncio.to_thread(kept.find, env, folders)
            found += await self._store.read(_conversations, agent.name, listed)
        mask = await self._mask(caller)
        epoch = datetime.min.replace(tzinfo=self._clock.now().tzinfo)
        newest = sorted(found, key=lambda one: one.updated_at or one.started_at or epoch, reverse=True)
        return [one.replace(title=plain(mask.text(one.title))) for one in newest]

    async def import_(self, caller: Caller, name: str, request: ConversationImport, key: str) -> Session:
        """Make a session of one of them, with its turns; one that is a session already stays that.

        The next prompt goes on in the same conversation, if it took place in this worktree's folder; else the agent is told its end.

        Errors:
            WorktreeNotFound, WorktreeNotReady, AgentNotFound.
            ConversationNotFound: there is none of that id in these folders.
        """
        caller.require(Role.OWNER, "import a conversation")
        worktree = await self._worktrees.get(name)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        agent = self._agents.get(request.agent)
        past = await self._read(caller, agent, await self._folders(worktree), request.agent_session_id)
        if past is None:
            raise errors.ConversationNotFound(request.agent_session_id)
        at, mask = self._clock.now(), await self._mask(caller)
        session_id = SessionId(self._clock.new_id("session"))
        turn_ids = [TurnId(self._clock.new_id("turn")) for _ in past.turns]

        def job(transaction: Transaction) -> Session:
            known = sessions.conversations(transaction.connection, agent.name).get(past.found.agent_session_id)
            if known is not None:
                return find_session(transaction, known)
            chosen = self._options.initial(transaction.connection, caller, agent.name, {}, None)
            is_here = past.found.folder in _same(worktree.path)
            session = Session(
                id=session_id,
                worktree_id=worktree.id,
                board=worktree.board,
                agent=agent.name,
                title=plain(mask.text(past.found.title))[:120] or agent.name,
                agent_session_id=past.found.agent_session_id if is_here else None,
                imported_id=past.found.agent_session_id,
                state=SessionState.IDLE,
                state_since=at,
                chosen=chosen,
                created_at=at,
                created_by=caller.person,
                updated_at=at,
            )
            sessions.insert(transaction, session)
            made = list(_turns(past, turn_ids, session, mask))
            for turn in made:
                turns.insert(transaction, turn, float(turn.number))
            entries = list(_entries(past, made, agent, at, mask))
            events.append(transaction, entries)
            ends = {entry.turn_id: seq for seq, entry in enumerate(entries, 1)}
            for turn in made:
                search.put_turn(transaction, turn, ends[turn.id])
            return derive(transaction, session_id, at)

        outcome = await self._store.write(lambda t: once(t, key, caller, "session.import", [worktree.id, request], at, job, Session))
        return outcome.record

    async def _read(self, caller: Caller, agent: AgentType, folders: Folders, agent_session_id: str) -> Past | None:
        for one, kept, env in await self._readers(caller):
            if one.name == agent.name:
                return await asyncio.to_thread(kept.read, env, folders, agent_session_id)
        return None

    async def _readers(self, caller: Caller) -> Sequence[_Kept]:
        variables = await self._variables.values_of(caller)
        found = []
        for agent in [status.agent for status in self._agents.list()]:
            kept = reader(agent.history) if agent.history else None
            if kept is not None:
                known = self._agents.get(agent.name)  # the list leaves the values of its environment out
                env = environment.build(known, "history", pass_env=self._config.pass_env, variables=variables)
                found.append((known, kept, env))
        return found

    async def _folders(self, worktree: Worktree) -> Folders:
        repo = await self._repos.get(worktree.repo_id)
        known = [one.path for one in await self._worktrees.list(include_archived=True)]
        known += [one.path for one in await self._repos.list()]
        return await asyncio.to_thread(lambda: Folders(_names([worktree.path, repo.path]), _names(known)))

    async def _mask(self, caller: Caller) -> Mask:
        mask = Mask(await self._variables.values_of(caller))
        for _, _, env in await self._readers(caller):
            mask.add(secrets(env))
        return mask


def _same(path: str) -> set[str]:
    """A folder by its names: as it is registered, and without links."""
    return {path.rstrip("/"), os.path.realpath(path)} if path.strip("/") else set()


def _names(paths: Sequence[str]) -> set[str]:
    return {name for path in paths for name in _same(path)}


def _conversations(connection: Connection, agent: str, listed: Sequence[Found]) -> list[Conversation]:
    known = sessions.conversations(connection, agent) if listed else {}
    return [
        Conversation(
            agent=agent,
            agent_session_id=one.agent_session_id,
            title=one.title,
            folder=one.folder,
            turns=one.turns,
            started_at=one.started_at,
            updated_at=one.updated_at,
            session_id=known.get(one.agent_session_id),
        )
        for one in listed
    ]


def _turns(past: Past, ids: list[TurnId], session: Session, mask: Mask) -> Iterator[Turn]:
    """Ended, in the order of their numbers, with times that go forward and do not lie after the import."""
    at = session.created_at
    last = min(past.found.started_at or at, at)
    for number, (turn_id, turn) in enumerate(zip(ids, past.turns, strict=True), 1):
        started = min(max(turn.at or last, last), at)
        last = min(max(turn.ended_at or started, started), at)
        yield Turn(
            id=turn_id,
            session_id=session.id,
            worktree_id=session.worktree_id,
            number=number,
            prompt=mask.text(turn.prompt)[:MAX_PROMPT],
            state=TurnState.DONE,
            model=mask.text(turn.model) if turn.model else None,
            seconds=round((last - started).total_seconds(), 3) if turn.at else None,
            created_at=started,
            created_by=session.created_by,
            started_at=started,
            ended_at=last,
        )


def _entries(past: Past, made: list[Turn], agent: AgentType, at: datetime, mask: Mask) -> Iterator[Entry]:
    session_id = made[0].session_id
    count = f"{len(made)} turn{'' if len(made) == 1 else 's'}"
    missing = " It is longer than what is imported." if past.is_cut else ""
    unread = f" {past.skipped} lines could not be read." if past.skipped else ""
    text = f"Imported from the files of {agent.label}: {count}, in {past.found.folder}.{missing}{unread} What changed then is not known."
    yield Entry(session_id, None, at, Notice(code="imported", text=mask.text(text)))
    for turn, told in zip(made, past.turns, strict=True):
        began, ended = turn.started_at or at, turn.ended_at or at
        yield Entry(session_id, turn.id, began, PromptSent(text=turn.prompt, by=turn.created_by))
        for when, body in told.entries:
            masked = mask.record(body)
            line = _line(masked.text) if isinstance(masked, Text) else None
            yield Entry(session_id, turn.id, min(max(when or began, began), ended), masked, None, line)
        yield Entry(session_id, turn.id, ended, TurnEnded(turn=turn))


def _line(text: str) -> str | None:
    shown = [line for one in reversed(text.splitlines()) if (line := plain(one).strip())]
    return next((one[:LINE] for one in itertools.islice(shown, 1)), None)
