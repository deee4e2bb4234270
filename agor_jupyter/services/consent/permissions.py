"""Permissions: an agent asks, a named person answers, once.

A question waits without a limit unless the administrator set one; then the answer is no. It is withdrawn when its turn ends.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agor_jupyter.agents.protocol.questions import About
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import PermissionAsked, PermissionChanged, PermissionSettled, ToolCall
from agor_jupyter.domain.ids import PermissionId, TurnId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.permissions import McpTool, Permission, PermissionOption, PermissionState, choose
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.rules import Asked
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.domain.trust import ProjectFile
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent import rules
from agor_jupyter.services.consent.rules import Rules
from agor_jupyter.services.consent.trusts import DECIDED, Trusts
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.transitions import derive, find_turn, move, settle
from agor_jupyter.storage import permissions
from agor_jupyter.storage.store import Store, Transaction

_ALLOWS = frozenset({"allow_once", "allow_always"})


class Question(Protocol):
    """What an agent asks; `agents.protocol.questions.Question` is one."""

    @property
    def title(self) -> str: ...
    @property
    def options(self) -> list[PermissionOption]: ...
    @property
    def tool_call_id(self) -> str | None: ...
    @property
    def asked_by(self) -> str | None: ...
    @property
    def tool_kind(self) -> str: ...
    @property
    def command(self) -> str | None: ...
    @property
    def input(self) -> JsonObject: ...
    @property
    def mcp_tool(self) -> McpTool | None: ...
    @property
    def is_bare(self) -> bool: ...
    @property
    def paths(self) -> Sequence[str]: ...
    @property
    def is_masked(self) -> bool: ...
    @property
    def is_stale(self) -> bool: ...
    @property
    def call(self) -> ToolCall | None: ...
    @property
    def files(self) -> list[ProjectFile] | None: ...


class Permissions:
    def __init__(self, store: Store, clock: Clock, config: Config, rules: Rules, trusts: Trusts) -> None:
        self._store, self._clock, self._config, self._rules, self._trusts = store, clock, config, rules, trusts
        self._asking: dict[PermissionId, asyncio.Future[str | None]] = {}
        self._bare: dict[tuple[TurnId, str], PermissionId] = {}
        trusts.on_decided = self.recheck

    async def list(self) -> list[Permission]:
        """The open questions, the oldest first."""
        return await self._store.read(permissions.all_open)

    async def get(self, permission_id: str) -> Permission:
        permission = await self._store.read(permissions.get, permission_id)
        if permission is None:
            raise errors.PermissionNotFound(permission_id)
        return permission

    async def answer(self, caller: Caller, permission_id: str, answer: Answer, key: str) -> Permission:
        """Choose an option. The first answer counts. With `answer.remember` it makes a rule, or neither counts.

        Errors:
            AlreadyAnswered: someone was faster, or the question was withdrawn.
            BadRequest: the question has no such option, or cannot be remembered so.
        """
        caller.require(Role.OWNER, "answer this question")
        at, make_rule = self._clock.now(), None
        if answer.remember is not None:
            make_rule = await self._rules.maker(caller, await self.get(permission_id), answer.remember)

        def job(transaction: Transaction) -> Permission:
            permission = permissions.get(transaction.connection, permission_id)
            if permission is None:
                raise errors.PermissionNotFound(permission_id)
            turn = find_turn(transaction, permission.turn_id)
            is_current = turn.run_id == permission.run_id and turn.state is TurnState.WAITING
            if permission.state is not PermissionState.OPEN or not is_current:
                who = permission.answered_by.name if permission.answered_by else None
                raise errors.AlreadyAnswered(permission_id, permission.state.value, who)
            option = _chosen(permission, answer)
            state = PermissionState.ALLOWED if option.kind in _ALLOWS else PermissionState.REJECTED
            permission = permission.replace(state=state, option_id=option.id, answered_at=at, answered_by=caller.person, note=answer.note)
            if make_rule is not None:
                if state is not PermissionState.ALLOWED:
                    raise errors.BadRequest(["remember: only a yes can be remembered"])
                permission = permission.replace(remembered=answer.remember, made_rule_id=make_rule(transaction, at).id)
            self._settle(transaction, permission, turn)
            if permission.files is not None:
                self._trusts.answer(transaction, permission, is_trusted=state is PermissionState.ALLOWED)
            return permission

        request = [permission_id, answer]
        outcome = await self._store.write(lambda t: once(t, key, caller, "permission.answer", request, at, job, Permission))
        crash_point("permission.answered")
        if outcome.is_new:
            self._release(outcome.record.id, outcome.record.option_id)
        return outcome.record

    async def ask(self, turn: Turn, question: Question) -> str | None:
        """Put a question of a running turn to the people, and wait. Returns the id of the chosen option.

        A rule that says yes answers at once, in its author's name. `None`: the turn does not run any more, or the question expired and
        has no option that says no. Cancelling withdraws it.
        """
        assert turn.run_id is not None
        asked = await self._rules.read(turn.session_id, question, turn.firing_id)
        permission = Permission(
            id=PermissionId(self._clock.new_id("permission")),
            session_id=turn.session_id,
            worktree_id=turn.worktree_id,
            turn_id=turn.id,
            run_id=turn.run_id,
            tool_call_id=question.tool_call_id,
            asked_by=question.asked_by,
            title=question.title,
            tool_kind=question.tool_kind,
            command=question.command,
            input=question.input,
            mcp_tool=question.mcp_tool,
            paths=list(question.paths),
            files=question.files,
            options=question.options,
            rule_words=list(asked.words) if asked.words is not None else None,
            rule_kind=asked.kind,
            state=PermissionState.OPEN,
            asked_at=self._clock.now(),
        )
        if question.is_bare and question.tool_call_id:
            self._bare[turn.id, question.tool_call_id] = permission.id
        answer = self._asking[permission.id] = asyncio.get_running_loop().create_future()
        try:
            opened = await self._store.write(_open, permission, asked)
            if opened is None or opened.state is not PermissionState.OPEN:
                return opened.option_id if opened else None
            crash_point("permission.asked")
            limit = self._config.permission_timeout
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                chosen: str | None = await answer
        except TimeoutError:
            chosen = await self._give_up(permission, PermissionState.EXPIRED)
        except asyncio.CancelledError:
            await self._give_up(permission, PermissionState.WITHDRAWN)
            raise
        finally:
            del self._asking[permission.id]
            self._bare.pop((turn.id, question.tool_call_id or ""), None)
        return chosen

    def is_bare(self, turn_id: TurnId, tool_call_id: str) -> bool:
        """An open question of the turn names this call, and says nothing of it."""
        return (turn_id, tool_call_id) in self._bare

    async def learn(self, turn_id: TurnId, about: About) -> None:
        """What the agent tells of a call only after it asked. Nothing that a question said is ever changed under a reader's eyes."""
        permission_id = self._bare.pop((turn_id, about.tool_call_id or ""), None)

        def job(transaction: Transaction) -> None:
            known = permissions.get(transaction.connection, permission_id) if permission_id else None
            if known is not None and known.state is PermissionState.OPEN:
                told = known.replace(**{name: value for name, value in about if value})
                permissions.amend(transaction, told)
                transaction.append(self._clock.now(), PermissionChanged(permission=told))

        await self._store.write(job)

    async def recheck(self) -> None:
        """Take back the questions about files that were decided about elsewhere. Whoever asked looks again."""
        for permission in await self.list():
            is_open = permission.files is not None and await self._trusts.is_decided(permission)
            if is_open and await self._give_up(permission, PermissionState.WITHDRAWN) is None:
                self._release(permission.id, DECIDED)

    async def _give_up(self, permission: Permission, state: PermissionState) -> str | None:
        refusal = next((option.id for option in permission.options if option.kind.startswith("reject")), None)
        option_id = refusal if state is PermissionState.EXPIRED else None
        given_up = permission.replace(state=state, option_id=option_id, answered_at=self._clock.now())

        def job(transaction: Transaction) -> str | None:
            turn = find_turn(transaction, permission.turn_id)
            if self._settle(transaction, given_up, turn):
                return option_id
            answered = permissions.get(transaction.connection, permission.id)  # someone was faster
            return answered.option_id if answered else None

        return await asyncio.shield(self._store.write(job))

    def _settle(self, transaction: Transaction, permission: Permission, turn: Turn) -> bool:
        assert permission.answered_at is not None
        if not settle(transaction, permission, permission.answered_at):
            return False
        if turn.state is TurnState.WAITING:
            move(transaction, turn, _asked_in(permission), permission.answered_at, permission_id=None)
            derive(transaction, turn.session_id, permission.answered_at)
        return True

    def _release(self, permission_id: PermissionId, option_id: str | None) -> None:
        waiting = self._asking.get(permission_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(option_id)


def _asked_in(permission: Permission) -> TurnState:
    return TurnState.RUNNING if permission.files is None else TurnState.STARTING


def _chosen(permission: Permission, answer: Answer) -> PermissionOption:
    """The option that the agent is told: “once” where a rule of ours says the rest."""
    option = next((option for option in permission.options if option.id == answer.option_id), None)
    if option is None:
        known = ", ".join(option.id for option in permission.options)
        raise errors.BadRequest([f"the question has no option {answer.option_id!r}; it has {known}"])
    once_only = choose(permission.options, "once") if answer.remember is not None and option.kind in _ALLOWS else None
    return once_only.option if once_only else option


def _open(transaction: Transaction, permission: Permission, asked: Asked) -> Permission | None:
    """Ask, or let a rule answer. `None`: the turn does not run any more."""
    turn = find_turn(transaction, permission.turn_id)
    if turn.state is not _asked_in(permission) or turn.run_id != permission.run_id:
        return None
    at = permission.asked_at
    if (allowed := _by_rule(transaction, permission, asked, at)) is not None:
        return allowed
    permissions.insert(transaction, permission)
    move(transaction, turn, TurnState.WAITING, at, permission_id=permission.id)
    transaction.append(at, PermissionAsked(permission=permission), session_id=turn.session_id, turn_id=turn.id)
    transaction.append(at, PermissionChanged(permission=permission))
    derive(transaction, turn.session_id, at)
    return permission


def _by_rule(transaction: Transaction, permission: Permission, asked: Asked, at: datetime) -> Permission | None:
    """Store the question as one that a rule allowed: with the agent's own “once”, since our rules end when we say so.

    Where it has none, people are asked: whatever else it offers may go further than the rule.
    """
    choice = choose(permission.options, "once") if permission.files is None else None
    rule = rules.first(transaction, asked, at) if choice is not None else None
    if choice is None or rule is None:
        return None
    option = choice.option
    permission = permission.replace(
        state=PermissionState.ALLOWED, option_id=option.id, answered_at=at, answered_by=rule.created_by, rule_id=rule.id
    )
    permissions.insert(transaction, permission)
    rules.use(transaction, rule, at)
    transaction.append(at, PermissionSettled(permission=permission), session_id=permission.session_id, turn_id=permission.turn_id)
    transaction.append(at, PermissionChanged(permission=permission))
    return permission
