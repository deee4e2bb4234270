"""A session: one conversation with one agent in one worktree, driven from a cell."""

from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from typing import Any, Protocol

from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.events import Event
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.options import MODE, MODEL, SessionOption
from agor_jupyter.domain.permissions import Permission as PermissionRecord
from agor_jupyter.domain.sessions import Prompt, SessionChange, SessionCreate, SessionFork
from agor_jupyter.domain.sessions import Session as SessionRecord
from agor_jupyter.domain.trees import SessionTree
from agor_jupyter.domain.turns import Turn as TurnRecord
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.notebook import budgets, costs, following
from agor_jupyter.notebook.attachments import Attached, check_length, upload
from agor_jupyter.notebook.budgets import Budget
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns, wait_for
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.options import chosen, table
from agor_jupyter.notebook.permissions import Permission
from agor_jupyter.notebook.rules import Ruled
from agor_jupyter.notebook.trees import Tree
from agor_jupyter.notebook.turns import Turn


class InWorktree(Protocol):
    """A `Worktree`, whose module imports this one."""

    record: WorktreeRecord


class Session(Ruled):
    """Awaitable: `await session` returns the turn of its latest prompt, streaming into the cell until it has ended.

    With `allow=True` it begins with a rule in your name that allows whatever its agent asks. The rule lives on the server until you
    revoke it: `session.rules` and the canvas show it.
    """

    _scope = "session"

    def __init__(self, link: Link, record: SessionRecord, *, turn: TurnRecord | None = None) -> None:
        self._link, self.record, self._turn = link, record, turn

    @property
    def _subject(self) -> str:
        return self.record.id

    def __await__(self) -> Generator[Any, None, Turn]:
        return self._latest().__await__()

    def wait(self, timeout: float | None = None) -> Turn:
        """Like `await session`, for plain code.

        Raises:
            TimeoutError: after `timeout` seconds. The session goes on.

        """
        return self._latest().wait(timeout)

    def __aiter__(self) -> AsyncIterator[Event]:
        """Its events from the first one on, live, until nothing is running or queued."""
        return following.follow(self._link, self.record.id)

    def _latest(self) -> Turn:
        if self._turn is None:
            turns = self.turns
            if not turns:
                raise LookupError(f"Session {self.title!r} has no prompt yet. Send one with session.prompt(…).")
            self._turn = next((turn.record for turn in reversed(turns) if turn.record.origin == "prompt"), turns[-1].record)
        return Turn(self._link, self._turn)

    def refresh(self) -> "Session":
        """Read it again from the server, into `record`."""
        self.record = SessionRecord.model_validate(self._link.get(f"sessions/{self.record.id}"))
        return self

    @property
    def title(self) -> str:
        return self.record.title

    @title.setter
    def title(self, title: str) -> None:
        with checked():
            change = SessionChange(title=title)
        self.record = SessionRecord.model_validate(self._link.patch(f"sessions/{self.record.id}", change))

    @property
    def agent(self) -> str:
        return self.record.agent

    @property
    def model(self) -> str | None:
        """Its model, or the one it will have from its first turn. Set it at any time. `None`: the agent's default, or it reports none."""
        return self._option(MODEL)

    @model.setter
    def model(self, model: str | None) -> None:
        self.choose(model=model or "")

    @property
    def mode(self) -> str | None:
        """What it may do without asking, in the agent's terms. Set it at any time; `None` goes back to the default."""
        return self._option(MODE)

    @mode.setter
    def mode(self, mode: str | None) -> None:
        self.choose(mode=mode or "")

    @property
    def options(self) -> Handles[SessionOption]:
        """Everything the agent lets you choose, with the current values. Empty until the agent has run for the first time."""
        return table(self.refresh().record.options)

    def choose(self, *, model: str | None = None, mode: str | None = None, options: Mapping[str, str] | None = None) -> "Session":
        """Set some of its options. They apply at once if the agent is running, otherwise from its next turn.

        Raises:
            BadOption: the agent does not offer that; it says what it offers.

        """
        with checked():
            change = SessionChange(options=chosen(model, mode, options))
        self.record = SessionRecord.model_validate(self._link.patch(f"sessions/{self.record.id}", change))
        return self

    def _option(self, name: str) -> str | None:
        record = self.refresh().record
        has = next((option.value for option in record.options if option.id == name), None)
        return has if has is not None else record.chosen.get(name)

    @property
    def state(self) -> str:
        """What it is now: `idle`, `queued`, `starting`, `running`, `needs_you`, `stopping` or `parked`, or how its last turn ended."""
        return self.refresh().record.state.value

    @property
    def turns(self) -> Handles[Turn]:
        found = [Turn(self._link, TurnRecord.model_validate(item)) for item in self._link.items(f"sessions/{self.record.id}/turns")]
        return Handles("turn", found, lambda turn: columns(turn.record), lambda turn: str(turn.number), kind=TurnRecord)

    @property
    def queue(self) -> Handles[Turn]:
        """Queued turns, in order. Reorder them with `session.reorder(…)`, take one out with `turn.cancel()`."""
        waiting = self.refresh().record.queue
        by_id = {turn.record.id: turn for turn in self.turns}
        return Handles(
            "turn",
            [by_id[turn] for turn in waiting if turn in by_id],
            lambda turn: columns(turn.record),
            lambda turn: str(turn.number),
            kind=TurnRecord,
        )

    @property
    def events(self) -> Handles[Event]:
        """The transcript so far."""
        found = list(following.read(self._link, self.record.id))
        return Handles("event", found, following.columns_of, lambda event: event.body.kind, following.line_of)

    @property
    def permissions(self) -> Handles[Permission]:
        """Its open questions."""
        found = [Permission(self._link, record) for record in following.open_permissions(self._link, self.record.id)]
        return Handles("permission", found, lambda one: columns(one.record), lambda one: one.title, kind=PermissionRecord)

    @property
    def costs(self) -> Handles[LedgerRow]:
        """What this session's turns cost, one row for each turn and model, newest first."""
        return costs.costs(self._link, session=self.record.id)

    def budget(self, hard: float | None = None, *, soft: float | None = None, tree: bool = False) -> Budget:
        """Set how many dollars it may spend, or with `tree` its whole tree. Above `soft` you are warned; above `hard` nothing starts or
        runs.
        """
        return budgets.put(self._link, "tree" if tree else "session", self.record.id, hard, soft)

    def prompt(self, text: str, *, attach: Sequence[Attached] = ()) -> Turn:
        """Send another prompt. It waits its turn in the queue; `await` the result.

        Args:
            attach: what goes with the text, at most 20: pictures (a path, bytes, a figure of matplotlib, a picture of Pillow), and texts,
                which the agent gets as files.

        """
        check_length(text)
        with checked():
            body = Prompt(text=text, attachments=upload(self._link, self.record.worktree_id, attach))
        self._turn = TurnRecord.model_validate(self._link.post(f"sessions/{self.record.id}/prompt", body))
        return Turn(self._link, self._turn)

    def fork(
        self,
        prompt: str | None = None,
        *,
        turn: Turn | int | None = None,
        worktree: str | None = None,
        carry: bool = True,
        agent: str | None = None,
        title: str | None = None,
        model: str | None = None,
        mode: str | None = None,
        options: Mapping[str, str] | None = None,
        allow: bool = False,
        budget: float | None = None,
    ) -> "Session":
        """A separate session that knows everything said here, so far or until a turn; this one continues unchanged.

        Args:
            turn: a turn of this session, or its number: the last that it knows of. Default: all that has ended.
            worktree: the name of a new worktree to work in, on a branch from the commit after that turn, or from what is there now.
                Default: the same worktree.
            carry: bring uncommitted work into the new worktree, as it was after the turn, or as it is now.
            budget: how many dollars it may spend at most.
            agent: another agent, which is told the transcript. Default: the same, with the same options.
            allow: whatever its agent asks, in your name, by a rule of the session. It counts until you revoke it.

        """
        with checked():
            body = SessionFork(
                prompt=prompt,
                turn=self._turn_id(turn),
                worktree=worktree,
                carry=carry,
                agent=agent,
                title=title,
                options=chosen(model, mode, options),
                allow=allow,
                budget_usd=budget,
            )
        return Session(self._link, SessionRecord.model_validate(self._link.post(f"sessions/{self.record.id}/fork", body)))

    def _turn_id(self, turn: Turn | int | None) -> TurnId | None:
        if turn is None or isinstance(turn, Turn):
            return turn.record.id if turn else None
        numbers = {one.record.number: one.record.id for one in self.turns}
        if turn not in numbers:
            raise LookupError(f"Session {self.title!r} has no turn {turn}. There are: {', '.join(map(str, numbers)) or 'none'}.")
        return numbers[turn]

    def ask(self, question: str, *, agent: str | None = None) -> Turn:
        """Ask a side question: a fork answers it and is archived; this session never hears of it. `await` the result, and read its `text`.

        Args:
            agent: another agent, which is told the transcript. Default: the same.

        """
        check_length(question)
        with checked():
            body = SessionFork(prompt=question, agent=agent, title=f"Side question: {question.strip().splitlines()[0][:80]}", is_side=True)
        made = SessionRecord.model_validate(self._link.post(f"sessions/{self.record.id}/fork", body))
        return Session(self._link, made).turns[0]

    @property
    def tree(self) -> Tree:
        """All sessions that were spawned and forked from the root of this one, with what is reported to whom."""
        return Tree(SessionTree.model_validate(self._link.get(f"sessions/{self.record.id}/tree")))

    def spawn(
        self,
        prompt: str | None = None,
        *,
        agent: str | None = None,
        worktree: InWorktree | None = None,
        title: str | None = None,
        model: str | None = None,
        mode: str | None = None,
        options: Mapping[str, str] | None = None,
        allow: bool = False,
        notify: bool = False,
        budget: float | None = None,
    ) -> "Session":
        """A session below this one that knows nothing of what was said here.

        Args:
            notify: tell this session how the new one ended, with its last message, its changes and its cost, as a queued turn.
            budget: how many dollars it may spend at most.
            agent: default: the same, with the same options.
            worktree: default: the same.
            allow: whatever its agent asks, in your name, by a rule of the session. It counts until you revoke it.

        """
        with checked():
            body = SessionCreate(
                worktree_id=worktree.record.id if worktree else self.record.worktree_id,
                agent=agent or self.agent,
                title=title,
                prompt=prompt,
                parent_id=self.record.id,
                notify=notify,
                budget_usd=budget,
                options=chosen(model, mode, options),
                allow=allow,
            )
        return Session(self._link, SessionRecord.model_validate(self._link.post("sessions", body)))

    def reorder(self, *turns: Turn) -> "Session":
        """Put the queued turns in a new order. Give each of them once."""
        body = SessionChange(queue=[turn.record.id for turn in turns])
        self.record = SessionRecord.model_validate(self._link.patch(f"sessions/{self.record.id}", body))
        return self

    async def question(self) -> Permission | None:
        """Wait for the agent's next question and return it; `None` if its work ended, also in the background, without one."""
        record: PermissionRecord | None = await following.question(self._link, self.record.id)
        return Permission(self._link, record) if record else None

    def wait_question(self, timeout: float | None = None) -> Permission | None:
        """Like `await session.question()`, for plain code.

        Raises:
            TimeoutError: after `timeout` seconds.

        """
        return wait_for(self.question, timeout, f"Session {self.title!r}")

    def cancel(self) -> "Session":
        """Stop the running turn. The queue continues."""
        self._link.post(f"sessions/{self.record.id}/cancel")
        return self.refresh()

    def archive(self) -> "Session":
        """Archive it; its transcript stays."""
        self._link.post(f"sessions/{self.record.id}/archive")
        return self.refresh()

    def __repr__(self) -> str:
        return f"Session {self.title!r} with {self.agent}"

    def _repr_html_(self) -> str:
        return views.card("Session", self.title, None, [("agent", self.agent)])
