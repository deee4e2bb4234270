"""The prompt of a zone: its template, filled in for one card and one receiver. It is never sent half filled in."""

import dataclasses

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.templates import FiringNames, SessionNames, ZoneNames, make_context
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Firing, ZonePolicy
from agor_jupyter.services.sessions.templates import Templates
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.zones import moves, receivers
from agor_jupyter.services.zones.moves import Arrival
from agor_jupyter.services.zones.receivers import Receiver
from agor_jupyter.storage import worktrees
from agor_jupyter.storage.store import Store


@dataclasses.dataclass(frozen=True)
class Draft:
    """A prompt as it would be sent to its only receiver, as things are at this moment."""

    text: str
    receiver: Receiver | None
    """`None`: there are several, or the text is a person's own."""

    def is_for(self, receiver: Receiver) -> bool:
        """Whether it would be the same for this one."""
        return self.receiver is not None and _names(self.receiver, "") == _names(receiver, "")


class Prompts:
    def __init__(self, store: Store, repos: Repos, templates: Templates) -> None:
        self._store, self._repos, self._templates = store, repos, templates

    async def render(self, firing: Firing, worktree: Worktree, receiver: Receiver) -> str:
        """Raises what `Templates.fill` does."""
        names = FiringNames(arrival=firing.arrival, by=firing.by.username, via=firing.via)
        return await self._fill(firing.policy.prompt, firing.zone, worktree, receiver, firing.by, names)

    async def draft(self, arrival: Arrival, worktree: Worktree, number: int) -> Draft | None:
        """The prompt as it would be sent now to the first of its receivers. `None`: the zone has none.

        Errors:
            Those of `Templates.fill`. SessionNotFound: the chosen session cannot take it.
        """
        policy = arrival.policy
        if arrival.prompt is not None:
            return Draft(arrival.prompt, None)
        if not policy.prompt.strip():
            return None
        chosen = await self.receivers(policy, worktree, arrival)
        names = FiringNames(arrival=number, by=arrival.by.username, via=arrival.via)
        text = await self._fill(policy.prompt, arrival.zone.name, worktree, chosen[0], arrival.by, names)
        return Draft(text, chosen[0] if len(chosen) == 1 else None)

    async def receivers(self, policy: ZonePolicy, worktree: Worktree, arrival: Arrival) -> list[Receiver]:
        found = await self._store.read(receivers.candidates, worktree.id)
        return receivers.choose(found, policy, arrival.session_id, arrival.agent)

    async def with_draft(self, arrival: Arrival, worktree_id: WorktreeId, number: int) -> Arrival:
        """With the prompt, if a person will be asked about it. One that cannot be filled in fails when it is sent."""
        if arrival.is_answered or not (arrival.policy.starts and moves.asks(arrival.policy)):
            return arrival
        worktree = await self._store.read(worktrees.find, worktree_id)
        if worktree is None:
            return arrival
        try:
            draft = await self.draft(arrival, worktree, number)
        except (errors.Invalid, errors.IssueNotFound, errors.IssueRefused, errors.IssueUnavailable):
            return arrival
        return arrival if draft is None else dataclasses.replace(arrival, prompt=draft.text)

    async def _fill(  # noqa: PLR0917
        self, source: str, zone: str, worktree: Worktree, receiver: Receiver, person: Person, names: FiringNames
    ) -> str:
        context = make_context(
            worktree=worktree,
            repo=await self._repos.get(worktree.repo_id),
            session=_names(receiver, zone),
            person=person,
            zone=ZoneNames(name=zone),
            firing=names,
        )
        text = await self._templates.fill(source, context)
        if not text.strip():
            raise errors.BadTemplate("it is empty once its names are filled in")
        return text


def _names(receiver: Receiver, zone: str) -> SessionNames:
    """Of a new session, what is known."""
    return SessionNames(title=receiver.session.title if receiver.session is not None else zone, agent=receiver.agent)
