"""A card that shall come to a zone: what is known of it beforehand, and what is refused before anything moves."""

import dataclasses

from agor_jupyter.documents.boards import View
from agor_jupyter.documents.placement import card_of
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.ids import FiringId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import ZoneDrop, ZonePolicy
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.zones import gates, moves
from agor_jupyter.services.zones.moves import Arrival
from agor_jupyter.services.zones.prompts import Draft, Prompts


class Arrivals:
    def __init__(self, clock: Clock, agents: Agents, options: Options, prompts: Prompts) -> None:
        self._clock, self._agents, self._options, self._prompts = clock, agents, options, prompts

    def arrival(self, caller: Caller, worktree: Worktree, request: ZoneDrop, view: View, *, is_person: bool, hops: int) -> Arrival:
        """Raises `ObjectNotFound`."""
        assert request.zone_id is not None
        zone, card = view.objects.get(request.zone_id), card_of(view.objects, worktree.id)
        if not isinstance(zone, Zone):
            raise errors.ObjectNotFound(request.zone_id)
        is_answered = bool(request.prompt is not None or request.session_id or request.agent or request.options)
        return Arrival(
            zone_id=request.zone_id,
            zone=zone,
            firing_id=FiringId(self._clock.new_id("firing")),
            by=caller.person,
            role=caller.role,
            via=request.via,
            run=request.run,
            is_answered=is_person and is_answered,
            prompt=request.prompt,
            session_id=request.session_id,
            agent=request.agent or "",
            options=request.options,
            hops=hops,
            place=(card.x, card.y) if card is not None else None,
        )

    async def ready(self, caller: Caller, worktree: Worktree, arrival: Arrival) -> tuple[Arrival, Draft | None]:
        """Refuse what could not start. With the prompt as it would be now; where a person will be asked, the arrival has it to read."""
        policy = arrival.policy
        if not (arrival.run and policy.starts):
            return arrival, None
        self.check_agent(caller, policy.replace(agent=arrival.agent or policy.agent, options={**policy.options, **arrival.options}))
        if gates.needs_papermill(policy) and not gates.has_papermill():
            raise errors.NotebookGate(arrival.zone.name)
        draft = await self._prompts.draft(arrival, worktree, worktree.arrival + 1)
        if draft is not None and moves.asks(policy) and not arrival.is_answered:
            return dataclasses.replace(arrival, prompt=draft.text), None
        return arrival, draft

    def check_agent(self, caller: Caller, policy: ZonePolicy) -> None:
        if policy.agent:
            agent = self._agents.get(policy.agent)
            self._options.check_mode(caller, agent.name, policy.options)
            self._options.check_start(agent, policy.options)
        elif policy.options.get("mode"):
            raise errors.BadRequest(["policy.options.mode: name the agent too; each has modes of its own"])
