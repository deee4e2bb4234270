"""Turns: look at, cancel, and decide about one that was interrupted or is parked."""

from typing import Literal

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.turns import Patch, Turn, TurnState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.transitions import derive, enqueue, find_session, find_turn, save, stop
from agor_jupyter.storage import patches, sessions, turns
from agor_jupyter.storage.store import Store, Transaction

_RESUMPTION = "Continue where you stopped: the server restarted in the middle of your last turn."
_CONTINUATION = "Continue where you stopped: your last turn ended before it was done."
_AGAIN = frozenset({TurnState.INTERRUPTED, TurnState.FAILED, TurnState.CANCELLED})


class Turns:
    def __init__(self, store: Store, clock: Clock, runner: Runner, budgets: Budgets) -> None:
        self._store, self._clock, self._runner, self._budgets = store, clock, runner, budgets

    async def get(self, turn_id: str) -> Turn:
        turn = await self._store.read(turns.get, turn_id)
        if turn is None:
            raise errors.TurnNotFound(turn_id)
        return turn

    async def list(self, session_id: str) -> list[Turn]:
        """A session's turns in the order in which their prompts were accepted."""
        return await self._store.read(_of_session, session_id)

    async def patch(self, turn_id: str) -> Patch:
        """What changed from before to after the turn, as git sees it. Empty when nothing did, or it did not end yet."""
        await self.get(turn_id)
        return await self._store.read(patches.get, turn_id) or Patch(files=[], text="")

    async def cancel(self, caller: Caller, turn_id: str, key: str | None = None) -> Turn:
        """Take it out of the queue, or stop it. Cancelling what is cancelled changes nothing.

        Errors:
            TurnNotOpen: it ended otherwise.
        """
        caller.require(Role.STEERER, "cancel this turn")
        at = self._clock.now()

        def job(transaction: Transaction) -> Turn:
            return stop(transaction, TurnId(turn_id), caller.person, at)

        if key is None:
            turn = await self._store.write(job)
        else:
            turn = (await self._store.write(lambda t: once(t, key, caller, "turn.cancel", [turn_id], at, job, Turn))).record
        self._runner.cancel(turn)
        return turn

    async def resume(self, caller: Caller, turn_id: str, key: str) -> Turn:
        """Ask the agent, in the same conversation, to go on. Returns the new turn, which is the next in the queue.

        Errors:
            TurnNotOpen: the turn is neither interrupted, failed nor cancelled, or somebody decided about it already.
            BudgetExhausted: a hard limit was reached.
        """
        return await self._again(caller, turn_id, key, "resumed")

    async def retry(self, caller: Caller, turn_id: str, key: str) -> Turn:
        """Send the same prompt again. Returns the new turn, which is the next in the queue. Errors as `resume`, and
            Conflict: no prompt began it.

        A parked turn is tried again now, and is returned itself.
        """
        return await self._again(caller, turn_id, key, "retried")

    async def discard(self, caller: Caller, turn_id: str, key: str) -> Turn:
        """Leave an interrupted turn as it is; the queue goes on. Returns that turn.

        Errors:
            TurnNotOpen: it is not interrupted, or somebody decided about it already.
        """
        caller.require(Role.STEERER, "discard this turn")
        at = self._clock.now()

        def job(transaction: Transaction) -> Turn:
            turn = find_turn(transaction, turn_id)
            if not turn.is_unresolved:
                raise errors.TurnNotOpen(turn_id, turn.resolution or turn.state.value, "discarded")
            turn = save(transaction, turn.replace(resolution="discarded"), at)
            derive(transaction, turn.session_id, at)
            return turn

        outcome = await self._store.write(lambda t: once(t, key, caller, "turn.discard", [turn_id], at, job, Turn))
        self._runner.wake(outcome.record.session_id)
        return outcome.record

    async def _again(self, caller: Caller, turn_id: str, key: str, resolution: Literal["resumed", "retried"]) -> Turn:
        caller.require(Role.STEERER, "prompt this session")
        at, new_id = self._clock.now(), TurnId(self._clock.new_id("turn"))
        spending = self._budgets.spending()

        def job(transaction: Transaction) -> Turn:
            turn = find_turn(transaction, turn_id)
            self._budgets.require(transaction, find_session(transaction, turn.session_id), caller.person.username, spending)
            if turn.state is TurnState.PARKED and resolution == "retried":
                turn = save(transaction, turn.replace(retry_at=at), at)
                derive(transaction, turn.session_id, at)
                return turn
            if turn.state not in _AGAIN or turn.resolution is not None:
                raise errors.TurnNotOpen(turn_id, turn.resolution or turn.state.value, resolution)
            if turn.origin == "continued" and resolution == "retried":
                raise errors.Conflict("This turn did not start with a prompt, so there is none to send again. Resume it.", subject=turn_id)
            session = find_session(transaction, turn.session_id)
            if session.archived_at is not None:
                raise errors.SessionBusy(session.id, "it is archived")
            is_interrupted = turn.state is TurnState.INTERRUPTED
            if is_interrupted:
                save(transaction, turn.replace(resolution=resolution), at)
            prompt = turn.prompt if resolution == "retried" else _RESUMPTION if is_interrupted else _CONTINUATION
            new = Turn(
                attachments=turn.attachments,
                firing_id=turn.firing_id,
                id=new_id,
                session_id=turn.session_id,
                worktree_id=turn.worktree_id,
                number=0,  # given when it is stored
                prompt=prompt,
                state=TurnState.QUEUED,
                report_to=turn.report_to,
                retry_of=turn.id if resolution == "retried" else None,
                created_at=at,
                created_by=caller.person,
            )
            new = enqueue(transaction, session, new, at_head=True)
            derive(transaction, session.id, at)
            return new

        outcome = await self._store.write(lambda t: once(t, key, caller, f"turn.{resolution}", [turn_id], at, job, Turn))
        self._runner.wake(outcome.record.session_id)
        return outcome.record


def _of_session(connection: Connection, session_id: str) -> list[Turn]:
    if sessions.get_encoded(connection, session_id) is None:
        raise errors.SessionNotFound(session_id)
    return turns.of_session(connection, session_id)
