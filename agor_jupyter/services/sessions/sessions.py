"""Sessions: create, look at, prompt, order the queue, cancel, put away.

It is long because it is what all callers meet: each command checks a right, writes once for its key, and leaves the rest to a neighbour.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.attachments import Attachment
from agor_jupyter.domain.events import SessionChanged
from agor_jupyter.domain.ids import FiringId, RuleId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.sessions import Prompt, Session, SessionChange, SessionCreate, SessionFork, SessionState, derive_state
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options, merge
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.consent import rules
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.money.ledger import root_of
from agor_jupyter.services.sessions import trees
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.sessions.templates import Templates
from agor_jupyter.services.sessions.trees import TreeLimits
from agor_jupyter.services.transitions import derive, enqueue, find_session, find_turn, find_worktree, stop
from agor_jupyter.services.worktrees.attachments import Attachments
from agor_jupyter.services.worktrees.branching import Branching
from agor_jupyter.storage import events, sessions, turns
from agor_jupyter.storage.store import Store, Transaction

_TITLE = 120
_SIDE = "\n\nThis is a side question: answer it, and change no file."


class Sessions:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        agents: Agents,
        options: Options,
        runner: Runner,
        templates: Templates,
        budgets: Budgets,
        attachments: Attachments,
        branching: Branching,
        limits: TreeLimits,
        *,
        is_alone: bool,
    ) -> None:
        """`is_alone`: only one session at a time may work in a worktree."""
        self._store, self._clock, self._agents, self._options = store, clock, agents, options
        self._runner, self._templates, self._budgets, self._attachments = runner, templates, budgets, attachments
        self._branching, self._limits, self._is_alone = branching, limits, is_alone

    async def create(self, caller: Caller, request: SessionCreate, key: str) -> Session:
        """Start a session, with a first prompt or without.

        Errors:
            AgentNotFound, AgentNotInstalled, WorktreeNotFound, WorktreeNotReady, SessionNotFound (its parent or origin), BadOption,
            BudgetExhausted, TreeFull, WorktreeInUse.
        """
        job, at = await self.creation(caller, request), self._clock.now()
        outcome = await self._store.write(lambda t: once(t, key, caller, "session.create", request, at, job, Session))
        crash_point("prompt.after_commit")
        if outcome.is_new and request.prompt:
            self._runner.wake(outcome.record.id)
        return outcome.record

    async def creation(self, caller: Caller, request: SessionCreate, firing_id: FiringId | None = None) -> Callable[[Transaction], Session]:
        """What `create` does, as part of a larger transaction. Whoever commits it wakes the runner."""
        caller.require(
            Role.OWNER if request.allow else Role.STEERER, "start a session that asks nobody" if request.allow else "start a session"
        )
        agent = self._agents.require_installed(request.agent)
        self._options.check_mode(caller, agent.name, request.options)
        self._options.check_start(agent, request.options)
        at = self._clock.now()
        session_id, turn_id = SessionId(self._clock.new_id("session")), TurnId(self._clock.new_id("turn"))
        rule_id = RuleId(self._clock.new_id("rule"))
        prompt = Prompt(text=request.prompt + (_SIDE if request.is_side else "")) if request.prompt else None
        if request.notify and request.parent_id is None:
            raise errors.BadRequest(["notify: there is nobody to be told, since parent_id is not given"])
        spending = self._budgets.spending()
        attachments = await self._attached(agent, request.worktree_id, request.attachments) if prompt else []

        def job(transaction: Transaction) -> Session:
            worktree = _ready_worktree(transaction, request.worktree_id)
            relatives = [find_session(transaction, one) for one in (request.origin_id, request.parent_id) if one is not None]
            relative = relatives[0] if relatives else None
            if request.parent_id is not None:
                trees.require_room(transaction.connection, relatives[-1], self._limits, request.budget_usd, spending)
            default = f"Fork of {relatives[0].title}" if request.origin_id else agent.name
            session = Session(
                id=session_id,
                worktree_id=worktree.id,
                board=worktree.board,
                agent=agent.name,
                title=_title(request.title) or (_headline(prompt.text) if prompt else "") or _title(default),
                parent_id=request.parent_id,
                origin_id=request.origin_id,
                origin_turn_id=request.origin_turn_id,
                root_id=root_of(relatives[-1]) if relatives else None,
                notify=request.notify,
                is_side=request.is_side,
                state=derive_state([]),
                state_since=at,
                chosen=self._options.initial(transaction.connection, caller, agent.name, request.options, relative),
                created_at=at,
                created_by=caller.person,
                updated_at=at,
            )
            sessions.insert(transaction, session)
            if request.allow:
                rules.allow_anything(transaction, rule_id, session_id, caller, at)
            if request.budget_usd is not None:
                self._budgets.limit(transaction, session, request.budget_usd, caller, at)
            if prompt:
                self._budgets.require(transaction, session, caller.person.username, spending)
                self._require_alone(transaction, session, worktree)
                turn = _turn(turn_id, session, prompt.text, attachments, caller, at, firing_id)
                enqueue(transaction, session, turn.replace(report_to=request.parent_id) if request.notify else turn)
                session = derive(transaction, session_id, at)
            else:
                transaction.append(at, SessionChanged(session=session))
            crash_point("prompt.before_commit")
            return session

        return job

    async def fork(self, caller: Caller, session_id: str, request: SessionFork, key: str) -> Session:
        """A new session that knows what was said in this one until one of its turns, or so far, as `create`.

        What it knows it learns at its first turn. A turn that runs in the origin just now is not part of it. A new worktree is waited for.

        Errors:
            TurnNotFound, Conflict: it has not ended. WorkNotKept. Those of a new worktree, and WorktreeNotReady when it could not be made.
        """
        caller.require(Role.STEERER, "fork this session")
        origin = await self.get(session_id)
        turn = await self._store.read(_turn_to_fork_at, origin, request.turn) if request.turn else None
        worktree_id, agent = origin.worktree_id, self._agents.require_installed(request.agent or origin.agent)
        self._options.check_mode(caller, agent.name, request.options)
        self._options.check_start(agent, request.options)
        if request.worktree is not None:
            made = await self._branching.branch(caller, origin.worktree_id, request.worktree, turn, key, carry=request.carry)
            worktree_id = made.id
        create = SessionCreate(
            worktree_id=worktree_id,
            agent=agent.name,
            title=request.title,
            prompt=request.prompt,
            origin_id=origin.id,
            origin_turn_id=request.turn,
            parent_id=request.parent_id,
            notify=request.notify,
            is_side=request.is_side,
            budget_usd=request.budget_usd,
            options=request.options,
            allow=request.allow,
        )
        return await self.create(caller, create, key)

    async def get(self, session_id: str) -> Session:
        session = await self._store.read(sessions.get, session_id)
        if session is None:
            raise errors.SessionNotFound(session_id)
        return session

    async def page(
        self,
        *,
        board: str | None = None,
        state: SessionState | None = None,
        agent: str | None = None,
        worktree: str | None = None,
        person: str | None = None,
        include_archived: bool = False,
        limit: int = 50,
        before: str | None = None,
    ) -> tuple[bytes, str | None]:
        """The newest change first: a JSON array of sessions, and the cursor of the next page or `None`."""
        given = {"board": board, "state": state.value if state else None, "agent": agent, "worktree": worktree, "person": person}
        filters = {name: value for name, value in given.items() if value is not None}
        cursor = _read_cursor(before) if before else None
        items, following = await self._store.read(sessions.page, filters, include_archived=include_archived, limit=limit, before=cursor)
        return f"[{','.join(items)}]".encode(), "~".join(following) if following else None

    async def events(self, session_id: str, after: int = 0, limit: int = 1000) -> tuple[bytes, int]:
        """The transcript after the entry `after`: a JSON array of events, and the number of the newest entry."""
        last_seq, items = await self._store.read(_transcript, session_id, after, limit)
        return b"[" + b",".join(items) + b"]", last_seq

    async def prompt(self, caller: Caller, session_id: str, prompt: Prompt, key: str) -> Turn:
        """Accept a prompt. It runs when its turn comes.

        Errors:
            SessionNotFound, SessionBusy (it is archived), WorktreeNotReady, BadTemplate, BudgetExhausted, WorktreeInUse.
        """
        caller.require(Role.STEERER, "prompt this session")
        given = prompt
        if prompt.is_template:
            prompt = prompt.replace(text=(await self._templates.render(caller, session_id, prompt.text)).text or " ")
        job, at = await self.prompting(caller, session_id, prompt), self._clock.now()
        await self._runner.prefetch_checkpoint(SessionId(session_id))
        outcome = await self._store.write(lambda t: once(t, key, caller, "session.prompt", [session_id, given], at, job, Turn))
        crash_point("prompt.after_commit")
        if outcome.is_new:
            self._runner.wake(SessionId(session_id))
        return outcome.record

    async def prompting(
        self, caller: Caller, session_id: str, prompt: Prompt, firing_id: FiringId | None = None
    ) -> Callable[[Transaction], Turn]:
        """What `prompt` does with a text that is no template, as part of a larger transaction. Whoever commits it wakes the runner."""
        caller.require(Role.STEERER, "prompt this session")
        attachments: list[Attachment] = []
        if prompt.attachments:
            addressed = await self.get(session_id)
            attachments = await self._attached(self._agents.get(addressed.agent), addressed.worktree_id, prompt.attachments)
        at, turn_id, spending = self._clock.now(), TurnId(self._clock.new_id("turn")), self._budgets.spending()

        def job(transaction: Transaction) -> Turn:
            session = find_session(transaction, session_id)
            if session.archived_at is not None:
                raise errors.SessionBusy(session_id, "it is archived")
            self._require_alone(transaction, session, _ready_worktree(transaction, session.worktree_id))
            if prompt.report_to and prompt.report_to not in {one.id for one in trees.ancestors(transaction.connection, session)}:
                raise errors.BadRequest([f"report_to: {prompt.report_to[:60]!r} is not above this session in its tree"])
            self._budgets.require(transaction, session, caller.person.username, spending)
            turn = _turn(turn_id, session, prompt.text, attachments, caller, at, firing_id).replace(report_to=prompt.report_to)
            turn = enqueue(transaction, session, turn)
            is_untitled = turn.number == 1 and session.title == session.agent
            derive(transaction, session.id, at, **({"title": _headline(prompt.text)} if is_untitled else {}))
            crash_point("prompt.before_commit")
            return turn

        return job

    def _require_alone(self, transaction: Transaction, session: Session, worktree: Worktree) -> None:
        """Raises `WorktreeInUse`. Of those whose prompts are accepted at the same moment the first is."""
        if not self._is_alone or session.is_side:
            return
        beside = turns.at_work_beside(transaction.connection, worktree.id, session.id, or_waits=True)
        if titles := [one.title for one in beside if not one.is_side]:
            raise errors.WorktreeInUse(worktree.name, titles)

    async def _attached(self, agent: AgentType, worktree_id: WorktreeId, ids: Sequence[str]) -> list[Attachment]:
        """Raises `AttachmentNotFound`, and `ImagesNotTaken` where the agent is known to see none."""
        found = await self._attachments.find(worktree_id, ids)
        if agent.capabilities.takes_images is False and any(one.kind == "image" for one in found):
            raise errors.ImagesNotTaken(agent.label)
        return found

    async def change(self, caller: Caller, session_id: str, change: SessionChange) -> Session:
        """Rename it, give its queue another order, or choose options: at once if its agent is there, else from the next turn.

        Errors:
            Conflict: `queue` does not name exactly the turns that wait now.
            BadOption: the agent does not offer what is chosen. Nothing was changed.
        """
        caller.require(Role.STEERER, "change this session")
        if change.options:
            session = await self.get(session_id)
            self._options.check_mode(caller, session.agent, change.options)
            self._options.check_change(session, change.options)
            await self._runner.set_options(SessionId(session_id), change.options)
        at = self._clock.now()

        def job(transaction: Transaction) -> Session:
            session = find_session(transaction, session_id)
            if change.queue is not None:
                waiting = [turn.id for turn in turns.line(transaction.connection, session_id).queue]
                if sorted(waiting) != sorted(change.queue):
                    raise errors.Conflict("The queue has changed. Reload it, then reorder it.", subject=session_id, queue=list(waiting))
                turns.place(transaction, session.id, change.queue)
            title = _title(change.title)
            changes: dict[str, object] = {"title": title} if title else {}
            if change.options:
                changes["chosen"] = merge(session.chosen, change.options)
            return derive(transaction, session.id, at, **changes)

        return await self._store.write(job)

    async def cancel(self, caller: Caller, session_id: str, key: str | None = None) -> Turn:
        """Cancel the turn it works on. What waits in the queue comes next.

        Between two turns, end what its agent does in the background, and its process with it. Returns the last turn then.

        Errors:
            Conflict: it works on nothing.
        """
        caller.require(Role.STEERER, "cancel this turn")
        at = self._clock.now()
        at_rest: list[Session] = []

        def job(transaction: Transaction) -> Turn:
            at_rest.clear()
            session = find_session(transaction, session_id)
            if session.current_turn_id is None and session.background and session.last_turn_id:
                at_rest.append(session)
                return find_turn(transaction, session.last_turn_id)
            if session.current_turn_id is None:
                raise errors.Conflict("This session has no running turn to cancel.", subject=session_id, state=session.state)
            return stop(transaction, session.current_turn_id, caller.person, at)

        if key is None:
            turn = await self._store.write(job)
        else:
            turn = (await self._store.write(lambda t: once(t, key, caller, "session.cancel", [session_id], at, job, Turn))).record
        for session in at_rest:
            self._runner.stop_soon(session.id)
        if not at_rest:
            self._runner.cancel(turn)
        return turn

    async def archive(self, caller: Caller, session_id: str, key: str | None = None) -> Session:
        """Put it away; its transcript stays, and its process ends.

        Errors:
            SessionBusy: it works or has something in its queue.
        """
        caller.require(Role.STEERER, "archive this session")
        at = self._clock.now()

        def job(transaction: Transaction) -> Session:
            session = find_session(transaction, session_id)
            if session.archived_at is not None:
                return session
            if session.current_turn_id or session.queue:
                raise errors.SessionBusy(session_id, "cancel its turn and its queue first")
            if session.background:
                raise errors.SessionBusy(session_id, f"it works in the background ({session.background[0]}); cancel that first")
            return derive(transaction, session.id, at, archived_at=at)

        if key is None:
            session = await self._store.write(job)
        else:
            done = await self._store.write(lambda t: once(t, key, caller, "session.archive", [session_id], at, job, Session))
            session = done.record
        self._runner.stop_soon(session.id)
        return session


def _turn_to_fork_at(connection: Connection, origin: Session, turn_id: str) -> Turn:
    turn = turns.get(connection, turn_id)
    if turn is None or turn.session_id != origin.id:
        raise errors.TurnNotFound(turn_id)
    if turn.ended_at is None or turn.started_at is None:
        what = "never started" if turn.ended_at else "has not ended yet"
        raise errors.Conflict(f"Turn {turn.number} {what}, so nothing can be forked at it. Name a turn that ran.", subject=turn_id)
    return turn


def _ready_worktree(transaction: Transaction, worktree_id: WorktreeId) -> Worktree:
    worktree = find_worktree(transaction.connection, worktree_id)
    if worktree.state is not WorktreeState.READY:
        raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
    return worktree


def _turn(  # noqa: PLR0917  # the parts of one record
    turn_id: TurnId,
    session: Session,
    text: str,
    attachments: list[Attachment],
    caller: Caller,
    at: datetime,
    firing_id: FiringId | None = None,
) -> Turn:
    return Turn(
        id=turn_id,
        session_id=session.id,
        worktree_id=session.worktree_id,
        number=0,  # given when it is stored
        prompt=text,
        attachments=attachments,
        firing_id=firing_id,
        state=TurnState.QUEUED,
        created_at=at,
        created_by=caller.person,
    )


def _title(given: str | None) -> str:
    return " ".join(plain(given or "").encode("utf-8", "replace").decode().split())[:_TITLE]


def _headline(prompt: str) -> str:
    """The first line that says something: not empty, not the fence of a block."""
    lines = [line.strip().lstrip("#").strip() for line in plain(prompt).splitlines()]
    return next((line[:_TITLE] for line in lines if line and not line.startswith("```")), "")


def _read_cursor(text: str) -> sessions.Cursor:
    updated_at, separator, session_id = text.partition("~")
    if not separator:
        raise errors.BadRequest([f"“before” is not a cursor of a page: {text[:60]!r}"])
    return sessions.Cursor(updated_at, session_id)


def _transcript(connection: Connection, session_id: str, after: int, limit: int) -> tuple[int, list[bytes]]:
    session = sessions.get(connection, session_id)
    if session is None:
        raise errors.SessionNotFound(session_id)
    return session.last_seq, events.page(connection, session.id, after, limit)
