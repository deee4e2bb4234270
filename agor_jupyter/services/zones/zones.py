"""Zones that act, for callers: bring a card, decide about a firing, look at what came of it, and change what a zone does.

However a card comes, and however often the command is sent, each arrival fires at most once: the database counts arrivals.
"""

import asyncio
import dataclasses
from collections.abc import Sequence

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardEntry, Zone
from agor_jupyter.domain.ids import ObjectId, RuleId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.domain.zones import (
    MAX_HOPS,
    FiringState,
    ZoneChange,
    ZoneDrop,
    ZoneDropped,
    ZonePolicy,
    ZonePreview,
)
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once, stored
from agor_jupyter.services.consent import rules
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.transitions import find_worktree
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.services.zones import allowances, gates, moves, previews
from agor_jupyter.services.zones.arrivals import Arrivals
from agor_jupyter.services.zones.engine import Engine
from agor_jupyter.services.zones.prompts import Prompts
from agor_jupyter.storage import firings
from agor_jupyter.storage.store import Store, Transaction

_CANVAS_S = 1.0
"""How long a page's own move of a card is waited for before the server lays it there."""


class Zones:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        boards: Boards,
        worktrees: Worktrees,
        agents: Agents,
        arrivals: Arrivals,
        prompts: Prompts,
        engine: Engine,
    ) -> None:
        self._store, self._clock, self._boards, self._worktrees = store, clock, boards, worktrees
        self._agents, self._arrivals, self._prompts, self._engine = agents, arrivals, prompts, engine

    # What a zone does

    async def change(self, caller: Caller, path: str, object_id: ObjectId, change: ZoneChange) -> BoardEntry:
        """Another name, colour or policy. What was paused goes on. Cards that are in work keep the policy as it was.

        Errors:
            ObjectNotFound, NotAllowed: for `allow`, and for a mode in which the agent asks less. AgentNotFound, BadOption.
            BadRequest: the next zone is not on this board.
        """
        caller.require(Role.OWNER if change.allow else Role.STEERER, "allow what a zone runs" if change.allow else "change zones")
        path = self._boards.check(path)
        policy = change.policy
        if policy is not None:
            self._arrivals.check_agent(caller, policy)
            view = await self._boards.edits.view(path)
            missing = [
                name for name in ("next", "on_failure") if (one := getattr(policy, name)) and not isinstance(view.objects.get(one), Zone)
            ]
            if missing:
                raise errors.BadRequest([f"policy.{name}: there is no such zone on this board" for name in missing])
        entry = await self._boards.change_zone(caller, path, object_id, change)
        if change.allow:
            await self.allow(caller, [entry])
        self._engine.poke_zone(path, object_id)
        return entry

    async def allow(self, caller: Caller, entries: Sequence[BoardEntry]) -> None:
        """Rules of these zones that allow their commands without a question, in the caller's name. What is no zone is passed over."""
        caller.require(Role.OWNER, "allow what a zone runs")
        agent = next((one.agent.name for one in self._agents.list() if one.agent.runs_blocks), None)
        for entry in entries:
            if isinstance(entry.object, Zone) and entry.object.policy is not None:
                made = [(RuleId(self._clock.new_id("rule")), one) for one in allowances.of(entry.object.policy, agent)]
                await self._store.write(rules.allow_in_zone, entry.id, made, caller, self._clock.now())

    # Cards

    async def drop(self, caller: Caller, name: str, request: ZoneDrop, key: str) -> ZoneDropped:
        """Bring a worktree's card to a zone of its board, or out of any. Where it is already, nothing happens.

        Errors:
            WorktreeNotFound, WorktreeNotReady: it is archived. CardElsewhere: it is on no board. ObjectNotFound: no such zone.
            BadTemplate, NotAllowed, AgentNotFound, NotebookGate, SessionNotFound: what would start could not. Nothing was moved.
        """
        caller.require(Role.STEERER, "move this card")
        if request.via in {"agent", "zone"}:  # which only the server can say of itself
            request = request.replace(via="api")
        return await self._drop(caller, name, request, key, is_person=True)

    async def drop_as_agent(self, caller: Caller, worktree: Worktree, zone_id: ObjectId | None, key: str) -> ZoneDropped:
        """As an agent does it, whose right to this card was asked elsewhere.

        Errors:
            NotAllowed: the zone starts something and does not let agents in, or the card is at a gate or waits for a person.
        """
        who = caller.person.name
        zone = (await self._boards.edits.view(worktree.board)).objects.get(zone_id) if worktree.board and zone_id else None
        policy = (zone.policy if isinstance(zone, Zone) else None) or ZonePolicy()
        live = [one for one in await self._store.read(firings.live_of, worktree.id) if one.arrival == worktree.arrival]
        held = {FiringState.ASKING, FiringState.CHECKING, FiringState.VERIFYING, FiringState.APPROVAL}
        if any(one.state in held for one in live):
            raise errors.NotAllowed(who=who, action="move a card past a gate or a person's approval", needs=Role.STEERER.value)
        if any(one.state is FiringState.RUNNING and (one.policy.needs_approval or _has_gate_after(one.policy)) for one in live):
            raise errors.NotAllowed(who=who, action="move a card past a gate or a person's approval", needs=Role.STEERER.value)
        if policy.starts and not policy.agents_may_enter:
            raise errors.NotAllowed(
                who=who, action="bring a card to a zone that starts something and does not let agents in", needs=Role.STEERER.value
            )
        hops = max((one.hops + 1 for one in live), default=0)
        if hops > MAX_HOPS:
            raise errors.NotAllowed(who=who, action=f"move a card that passed {MAX_HOPS} zones without a person", needs=Role.STEERER.value)
        request = ZoneDrop(zone_id=zone_id, via="agent")
        return await self._drop(caller, worktree.id, request, key, is_person=False, hops=hops)

    async def _drop(self, caller: Caller, name: str, request: ZoneDrop, key: str, *, is_person: bool, hops: int = 0) -> ZoneDropped:
        mark = [name, request]
        answered = self._store.read(_answered, key, caller, "zone.drop", mark)
        known, worktree = await asyncio.gather(answered, self._worktrees.get(name))
        if known is not None:
            await self._bring(worktree, known, request)
            return known
        if worktree.board is None:
            raise errors.CardElsewhere(worktree.name, "is on no board", "Put the worktree on a board first.")
        at, arrival, draft = self._clock.now(), None, None
        if request.zone_id is not None:
            view = await self._boards.edits.view(worktree.board)
            arrival = self._arrivals.arrival(caller, worktree, request, view, is_person=is_person, hops=hops)
            if worktree.zone_id != request.zone_id:
                arrival, draft = await self._arrivals.ready(caller, worktree, arrival)
        cancelled: moves.Cancelled = []

        def job(transaction: Transaction) -> ZoneDropped:
            cancelled.clear()
            now = _on_board(transaction.connection, worktree)
            if now.zone_id == request.zone_id:
                firing = firings.of_arrival(transaction.connection, now.id, now.arrival) if now.zone_id else None
                return ZoneDropped(zone_id=now.zone_id, arrival=now.arrival, firing=firing)
            cancelled.extend(moves.depart(transaction, now, caller.person, at))
            if arrival is None:
                now, firing = moves.put(transaction, now, None, at), None
            else:
                now, firing = moves.arrive(transaction, now, arrival, at)
            return ZoneDropped(zone_id=now.zone_id, arrival=now.arrival, firing=firing)

        outcome = await self._store.write(lambda t: once(t, key, caller, "zone.drop", mark, at, job, ZoneDropped))
        crash_point("zone.dropped")
        self._engine.tell(cancelled)
        dropped = outcome.record
        if outcome.is_new and dropped.firing is not None:
            self._engine.poke(dropped.firing, draft)
            await self._engine.admitted(dropped.firing)
        await self._bring(worktree, dropped, request)
        return dropped

    async def _bring(self, worktree: Worktree, dropped: ZoneDropped, request: ZoneDrop) -> None:
        """On the board too, unless the card was moved on since. A canvas has laid it there itself, and can undo that as long as nobody else
        writes it.
        """
        now = await self._worktrees.get(worktree.id)
        if now.zone_id == dropped.zone_id and now.arrival == dropped.arrival:
            if request.via != "canvas" or not await self._boards.lies_at(now, request.x, request.y, _CANVAS_S):
                await self._boards.bring(now, now.zone_id, request.x, request.y)
            crash_point("zone.placed")
            await self._store.write(firings.placed, now.id, now.arrival)

    async def preview(self, caller: Caller, name: str, request: ZoneDrop, tried: ZonePolicy | None = None) -> ZonePreview:
        """What bringing this card there would do now, or with another policy. Nothing is changed.

        Errors:
            WorktreeNotFound, CardElsewhere, ObjectNotFound. BadRequest: no zone is named.
        """
        if tried is None:
            caller.require(Role.VIEWER, "read this board")
        else:
            caller.require(Role.STEERER, "try what this zone would do")
        worktree = await self._worktrees.get(name)
        if worktree.board is None:
            raise errors.CardElsewhere(worktree.name, "is on no board", "Put the worktree on a board first.")
        if request.zone_id is None:
            raise errors.BadRequest(["zone_id: name a zone"])
        view = await self._boards.edits.view(worktree.board)
        arrival = self._arrivals.arrival(caller, worktree, request, view, is_person=True, hops=0)
        if tried is not None:
            arrival = dataclasses.replace(arrival, zone=arrival.zone.replace(policy=tried))
        policy, zone = arrival.policy, arrival.zone
        count = await self._store.read(firings.in_work, worktree.board, arrival.zone_id)
        is_there = worktree.zone_id == arrival.zone_id and tried is None
        prompt, problem, line = None, None, None
        starts = policy.starts and request.run and not is_there
        # What is tried is read even where the zone is off.
        if starts or (tried is not None and policy.prompt.strip()):
            try:
                self._arrivals.check_agent(
                    caller, policy.replace(agent=arrival.agent or policy.agent, options={**policy.options, **arrival.options})
                )
                if gates.needs_papermill(policy) and not gates.has_papermill():
                    raise errors.NotebookGate(zone.name)
                draft = await self._prompts.draft(arrival, worktree, worktree.arrival + 1)
                prompt = draft.text if draft is not None else None
            except errors.AgorError as error:
                problem, line = error.message, error.details.get("line")
        chosen = await self._prompts.receivers(policy, worktree, arrival) if problem is None else []
        labels = {one.agent.name: one.agent.label for one in self._agents.list()}
        text = previews.text(policy, chosen, labels, view, is_there=is_there, starts=starts)
        waits = previews.waits(policy, worktree, count) if starts else None
        return ZonePreview(
            zone_id=arrival.zone_id, starts=starts, text=text, waits=waits, prompt=prompt, problem=problem, problem_line=line
        )


def _on_board(connection: Connection, worktree: Worktree) -> Worktree:
    """As it is now. Raises `WorktreeNotReady`, `CardElsewhere`."""
    now = find_worktree(connection, worktree.id)
    if now.state is WorktreeState.ARCHIVED:
        raise errors.WorktreeNotReady(now.name, now.state.value, now.reason)
    if now.board != worktree.board:
        raise errors.CardElsewhere(now.name, "was put on another board meanwhile", "Look at that board, and try again.")
    return now


def _has_gate_after(policy: ZonePolicy) -> bool:
    return any(gate.when == "after" for gate in policy.gates)


def _answered(connection: Connection, key: str, caller: Caller, action: str, request: object) -> ZoneDropped | None:
    found = stored(connection, key, caller, action, request)
    return ZoneDropped.model_validate_json(found) if found is not None else None
