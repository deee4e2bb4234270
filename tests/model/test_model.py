"""Worktrees, sessions, queue and permissions against a model that fits on a screen.

Each prompt is one block of shell, so its turn always stops at a question first: the model knows where everything stands without
a clock. Real git, real SQLite, the real `script` agent.
"""

import asyncio
import subprocess
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agor_jupyter.domain import errors
from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Answer, Prompt, SessionChange, SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage import ledger

OWNER = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
OUTCOMES = {"true": "done", "false": "failed"}
SETTLE_S = 20


def key() -> str:
    return uuid.uuid4().hex


@dataclass
class ModelTurn:
    id: str
    command: str
    state: str = "queued"
    resolved: bool = False


@dataclass
class ModelSession:
    id: str
    worktree: str
    turns: list[ModelTurn] = field(default_factory=list)
    queue: list[ModelTurn] = field(default_factory=list)
    asked: ModelTurn | None = None
    parked: ModelTurn | None = None
    exhausted: bool = False
    """Its budget is used up."""
    last: str = "idle"
    """How the turn that ended last did."""

    def end(self, turn: ModelTurn, state: str) -> None:
        turn.state = self.last = state
        if turn is self.asked:
            self.asked = None
        elif turn is self.parked:
            self.parked = None
        elif turn in self.queue:
            self.queue.remove(turn)

    def advance(self) -> None:
        """The next turn in line asks its question, unless an interrupted one stands before it; without a budget it is parked."""
        blocked = any(turn.state == "interrupted" and not turn.resolved for turn in self.turns)
        if self.parked and not self.exhausted:
            self.asked, self.parked = self.parked, None
            self.asked.state = "waiting"
        elif self.asked is None and self.parked is None and self.queue and not blocked:
            turn = self.queue.pop(0)
            if self.exhausted:
                self.parked, turn.state = turn, "parked"
            else:
                self.asked, turn.state = turn, "waiting"

    @property
    def state(self) -> str:
        if self.asked:
            return "needs_you"
        if self.parked:
            return "parked"
        if any(turn.state == "interrupted" and not turn.resolved for turn in self.turns):
            return "interrupted"
        return "queued" if self.queue else self.last


class Machine(RuleBasedStateMachine):
    sessions = Bundle("sessions")
    worktrees = Bundle("worktrees")
    archived = Bundle("archived")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.repository = root / "repo"
        self.repository.mkdir()
        for argv in (
            ["init", "-q", "-b", "main"],
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "first"],
        ):
            subprocess.run(["git", *argv], cwd=self.repository, check=True)
        self.config = Config(data_dir=root / "data", root_dir=root, allowed_roots=(root,), max_running=20)
        self.loop = asyncio.new_event_loop()
        self.app = self._open()
        self.model: dict[str, ModelSession] = {}
        self.kept: dict[str, str] = {}  # worktree id to the state the model expects
        self.names: set[str] = set()

    def _run(self, awaitable):  # noqa: ANN001, ANN202 a test's helper
        return self.loop.run_until_complete(asyncio.wait_for(awaitable, SETTLE_S))

    def _open(self) -> Agor:
        async def enter() -> Agor:
            return await Agor(self.config).__aenter__()

        return self.loop.run_until_complete(enter())

    def teardown(self) -> None:
        self.loop.run_until_complete(self.app.__aexit__(None, None, None))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()

    @initialize()
    def register(self) -> None:
        self.repo = self._run(self.app.repos.add(OWNER, RepoAdd(path=str(self.repository)), key()))

    # Worktrees

    @rule(target=worktrees, name=st.sampled_from(["a", "b", "c", "A", "d"]))
    def create_worktree(self, name: str):  # noqa: ANN201
        request = WorktreeCreate(repo=self.repo.id, name=name, branch=f"work/{key()[:8]}")
        if name.lower() in self.names:
            with pytest.raises(errors.AlreadyExists):
                self._run(self.app.worktrees.create(OWNER, request, key()))
            return None
        worktree = self._run(self.app.worktrees.create(OWNER, request, key()))
        self._run(self.app.worktrees.wait_ready(worktree.id))
        self.names.add(name.lower())
        self.kept[worktree.id] = "ready"
        return worktree.id

    def _is_live(self, worktree: str) -> bool:
        return any(session.worktree == worktree and (session.asked or session.parked or session.queue) for session in self.model.values())

    @rule(target=archived, worktree=consumes(worktrees))
    def archive(self, worktree: str | None):  # noqa: ANN201
        if worktree is None:
            return None
        if self._is_live(worktree):
            with pytest.raises(errors.Conflict):
                self._run(self.app.worktrees.archive(OWNER, worktree, key()))
            return None
        self._run(self.app.worktrees.archive(OWNER, worktree, key()))
        self.kept[worktree] = "archived"
        return worktree

    @rule(target=worktrees, worktree=consumes(archived))
    def restore(self, worktree: str | None):  # noqa: ANN201
        if worktree is None:
            return None
        self._run(self.app.worktrees.restore(OWNER, worktree, key()))
        self._run(self.app.worktrees.wait_ready(worktree))
        self.kept[worktree] = "ready"
        return worktree

    # Sessions and their queue

    @precondition(lambda self: len(self.model) < 6)
    @rule(target=sessions, worktree=worktrees)
    def start_session(self, worktree: str | None):  # noqa: ANN201
        if worktree is None:
            return None
        request = SessionCreate(worktree_id=worktree, agent="script", title="s")
        if self.kept[worktree] != "ready":
            with pytest.raises(errors.WorktreeNotReady):
                self._run(self.app.sessions.create(OWNER, request, key()))
            return None
        session = self._run(self.app.sessions.create(OWNER, request, key()))
        self.model[session.id] = ModelSession(session.id, worktree)
        return session.id

    @rule(session=sessions, command=st.sampled_from(sorted(OUTCOMES)), again=st.booleans())
    def prompt(self, session: str | None, command: str, *, again: bool) -> None:
        if session is None or self.kept[self.model[session].worktree] != "ready":
            return
        once, text = key(), Prompt(text=f"```sh\n{command}\n```")
        if self.model[session].exhausted:
            with pytest.raises(errors.BudgetExhausted):
                self._run(self.app.sessions.prompt(OWNER, session, text, once))
            return
        turn = self._run(self.app.sessions.prompt(OWNER, session, text, once))
        if again:
            assert self._run(self.app.sessions.prompt(OWNER, session, text, once)).id == turn.id
        model = ModelTurn(turn.id, command)
        self.model[session].turns.append(model)
        self.model[session].queue.append(model)

    @rule(session=sessions, choice=st.sampled_from(["allow_once", "reject_once"]))
    def answer(self, session: str | None, choice: str) -> None:
        if session is None or self.model[session].asked is None:
            return
        model = self.model[session]
        [question] = [one for one in self._run(self.app.permissions.list()) if one.session_id == session]
        option = next(one.id for one in question.options if one.kind == choice)
        answered = self._run(self.app.permissions.answer(OWNER, question.id, Answer(option_id=option), key()))
        assert answered.answered_by == OWNER.person
        with pytest.raises(errors.AlreadyAnswered):
            self._run(self.app.permissions.answer(OWNER, question.id, Answer(option_id=option), key()))
        model.end(model.asked, OUTCOMES[model.asked.command] if choice == "allow_once" else "cancelled")

    @rule(session=sessions, data=st.data())
    def cancel(self, session: str | None, data: st.DataObject) -> None:
        if session is None:
            return
        model = self.model[session]
        open_turns = [*(turn for turn in (model.asked, model.parked) if turn), *model.queue]
        if not open_turns:
            return
        turn = data.draw(st.sampled_from(open_turns))
        self._run(self.app.turns.cancel(OWNER, turn.id, key()))
        model.end(turn, "cancelled")

    @rule(session=sessions, data=st.data())
    def reorder(self, session: str | None, data: st.DataObject) -> None:
        if session is None or len(self.model[session].queue) < 2:
            return
        model = self.model[session]
        model.queue = data.draw(st.permutations(model.queue))
        self._run(self.app.sessions.change(OWNER, session, SessionChange(queue=[turn.id for turn in model.queue])))
        with pytest.raises(errors.Conflict):
            self._run(self.app.sessions.change(OWNER, session, SessionChange(queue=[model.queue[0].id])))

    @rule()
    def restart(self) -> None:
        self.loop.run_until_complete(self.app.__aexit__(None, None, None))
        self.app = self._open()
        for session in self.model.values():
            if session.asked:
                session.end(session.asked, "interrupted")

    @rule(session=sessions, action=st.sampled_from(["retry", "discard"]))
    def resolve(self, session: str | None, action: str) -> None:
        if session is None:
            return
        model = self.model[session]
        stuck = [turn for turn in model.turns if turn.state == "interrupted" and not turn.resolved]
        if not stuck:
            return
        if action == "retry" and model.exhausted:
            with pytest.raises(errors.BudgetExhausted):
                self._run(self.app.turns.retry(OWNER, stuck[0].id, key()))
            return
        answer = self._run(getattr(self.app.turns, action)(OWNER, stuck[0].id, key()))
        stuck[0].resolved = True
        if action == "retry":
            again = ModelTurn(answer.id, stuck[0].command)
            model.turns.append(again)
            model.queue.insert(0, again)

    # Budgets

    @rule(session=sessions)
    def use_up(self, session: str | None) -> None:
        if session is None:
            return
        record = self._run(self.app.sessions.get(session))
        row = LedgerRow(
            turn_id=TurnId("tu_elsewhere"),
            session_id=record.id,
            worktree_id=record.worktree_id,
            board=None,
            username="ann",
            agent="script",
            model=None,
            at=self.app.clock.now(),
            cost_usd=2.0,
        )
        self._run(self.app.store.write(ledger.insert, row))
        budget = self._run(self.app.budgets.set(OWNER, BudgetSet(scope="session", subject=session, hard_usd=1.0), key()))
        assert budget.state == "exhausted"
        model = self.model[session]
        model.exhausted = True
        if model.asked is not None:  # a turn at work is stopped, and its question withdrawn
            model.end(model.asked, "failed")

    @rule(session=sessions)
    def use_up_at_work(self, session: str | None) -> None:
        """What waits behind the turn at work will be parked."""
        if session is None or self.kept[self.model[session].worktree] != "ready" or self.model[session].exhausted:
            return
        for _ in range(2):
            self.prompt(session, "true", again=False)
            self.model[session].advance()
            self._run(self._settled(self.model[session]))
        self.use_up(session)

    @rule(session=sessions, gone=st.booleans())
    def raise_budget(self, session: str | None, *, gone: bool) -> None:
        if session is None or not self.model[session].exhausted:
            return
        [budget] = self._run(self.app.budgets.list("session", session))
        if gone:
            self._run(self.app.budgets.remove(OWNER, budget.id, key()))
        else:
            self._run(self.app.budgets.set(OWNER, BudgetSet(scope="session", subject=session, hard_usd=1e6), key()))
        self.model[session].exhausted = False

    @rule(session=sessions)
    def retry_parked(self, session: str | None) -> None:
        if session is None or self.model[session].parked is None:
            return
        with pytest.raises(errors.BudgetExhausted):
            self._run(self.app.turns.retry(OWNER, self.model[session].parked.id, key()))

    # What must hold after each step

    @invariant()
    def everything_agrees(self) -> None:
        for session in self.model.values():
            session.advance()
            self._run(self._settled(session))
            record = self._run(self.app.sessions.get(session.id))
            assert record.state == session.state, (record, session)
            assert list(record.queue) == [turn.id for turn in session.queue]
            turns = {turn.id: turn for turn in self._run(self.app.turns.list(session.id))}
            assert {turn.id: turn.state for turn in session.turns} == {one: turn.state.value for one, turn in turns.items()}
            assert sorted(turn.number for turn in turns.values()) == list(range(1, len(turns) + 1))
        if self.kept:
            listed = subprocess.run(
                ["git", "worktree", "list", "--porcelain"], cwd=self.repository, capture_output=True, text=True, check=True
            )
            ready = sum(state == "ready" for state in self.kept.values())
            assert listed.stdout.count("worktree ") - 1 == ready

    async def _settled(self, session: ModelSession) -> None:
        while (await self.app.sessions.get(session.id)).state != session.state:
            await asyncio.sleep(0.005)
        for turn in session.turns:
            while (await self.app.turns.get(turn.id)).state.value != turn.state:
                await asyncio.sleep(0.005)


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_the_services_behave_like_the_model() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            print_blob=True,
        ),
    )
