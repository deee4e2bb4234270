"""A firing, from a cell: one run of a zone's policy for one card that arrived."""

import asyncio
from collections.abc import Generator
from contextlib import aclosing

from agor_jupyter.domain.errors import FiringFailed
from agor_jupyter.domain.turns import Turn as TurnRecord
from agor_jupyter.domain.zones import LIVE, FiringStart, FiringState, How
from agor_jupyter.domain.zones import Firing as FiringRecord
from agor_jupyter.notebook.display import live, views
from agor_jupyter.notebook.handles import Handles, checked, columns, wait_for
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.sessions import Session
from agor_jupyter.notebook.turns import Turn

_FOR_A_PERSON = {
    FiringState.ASKING: "waits for you to start it: firing.start(), or on the board",
    FiringState.APPROVAL: "waits for your approval: firing.approve(), or on the board",
}

_PAGE = 200


class Firing:
    """`await firing` waits for its end. It passed, failed, or was withdrawn."""

    def __init__(self, link: Link, record: FiringRecord) -> None:
        self._link, self.record = link, record

    def refresh(self) -> "Firing":
        """Read it again from the server."""
        self.record = FiringRecord.model_validate(self._link.get(self._at))
        return self

    @property
    def _at(self) -> str:
        return f"firings/{self.record.id}"

    @property
    def state(self) -> str:
        """As it is now: `waiting`, `asking`, `checking`, `running`, `verifying`, `approval`, `passed`, `failed` or `withdrawn`."""
        return self.refresh().record.state.value

    @property
    def zone(self) -> str:
        """The zone's name, as it was."""
        return self.record.zone

    @property
    def prompt(self) -> str | None:
        """As it was sent, with all names filled in."""
        return self.record.prompt

    @property
    def reason(self) -> str | None:
        """Why it failed, was withdrawn, or what it waits for."""
        return self.record.reason or self.record.waits_for

    @property
    def progress(self) -> str:
        """What it does or waits for, as it was when it was last read."""
        return f"{self.zone}: {_FOR_A_PERSON.get(self.record.state) or self.record.waits_for or self.record.state.value}"

    @property
    def cost(self) -> float:
        """In US dollars, of all its turns."""
        return self.refresh().record.cost_usd

    @property
    def turns(self) -> list[Turn]:
        """Of its gates and its prompt, in the order in which they started."""
        return [
            Turn(self._link, TurnRecord.model_validate(self._link.get(f"turns/{one.turn_id}")))
            for one in self.refresh().record.runs
            if one.turn_id is not None
        ]

    def start(
        self, *, prompt: str | None = None, session: Session | None = None, how: How | None = None, agent: str | None = None
    ) -> "Firing":
        """Let one that asks start, perhaps with another prompt, in another session or with another agent.

        Args:
            how: whether the session gets the prompt itself, in a fork of it, or in a session below it. Default: as the zone says.

        """
        with checked():
            body = FiringStart.model_validate(
                {"prompt": prompt, "session_id": session.record.id if session is not None else None, "how": how, "agent": agent}
            )
        return self._take(self._link.post(f"{self._at}/start", body))

    def approve(self) -> "Firing":
        """Let the card move on."""
        return self._take(self._link.post(f"{self._at}/approve"))

    def reject(self) -> "Firing":
        """Do not let the card move on: the firing failed, by your word."""
        return self._take(self._link.post(f"{self._at}/reject"))

    def retry(self) -> "Firing":
        """Run it again for the same card, which still has to be in the zone. Returns the new firing."""
        return Firing(self._link, FiringRecord.model_validate(self._link.post(f"{self._at}/retry")))

    def withdraw(self) -> "Firing":
        """Take it back: what waits is withdrawn, what runs is cancelled, and the card returns to where it was."""
        return self._take(self._link.post(f"{self._at}/withdraw"))

    def _take(self, answer: object) -> "Firing":
        self.record = FiringRecord.model_validate(answer)
        return self

    async def _end(self) -> "Firing":
        line = live.line()
        async with aclosing(self._link.changes(self.record.id)) as changes:
            async for _ in changes:
                await asyncio.to_thread(self.refresh)
                if self.record.state not in LIVE:
                    break
                line.say(self.progress)
        line.clear()
        return self

    def __await__(self) -> Generator[object, None, "Firing"]:
        return self._end().__await__()

    def wait(self, timeout: float | None = None) -> "Firing":
        """Wait for its end from plain code. Raises `TimeoutError` after `timeout` seconds; it goes on then."""
        return wait_for(self._end, timeout, f"The firing of {self.zone!r}")

    def require(self) -> "Firing":
        """Itself, if it passed.

        Raises:
            FiringFailed: it failed or was withdrawn; it says why.

        """
        if self.record.state not in LIVE and self.record.state is not FiringState.PASSED:
            raise FiringFailed(self.zone, self.record.reason or self.record.state.value)
        return self

    def __repr__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return views.visible(f"Firing of {self.zone!r} by {self.record.by.name}, {self.record.state.value}{reason}")

    def _repr_html_(self) -> str:
        record = self.record
        facts = [("by", record.by.name), ("prompt", views.headline(record.prompt or "")), ("cost", f"${record.cost_usd:.2f}")]
        return views.card("Firing", record.zone, record.state.value, [(name, value) for name, value in facts if value])


def listed(link: Link, **query: object) -> Handles[Firing]:
    """Firings, newest first."""
    found: list[Firing] = []
    while True:
        page = link.get("firings", **query, after=found[-1].record.id if found else None, limit=_PAGE)
        found += [Firing(link, FiringRecord.model_validate(item)) for item in page]
        if len(page) < _PAGE:
            return handles_of(found)


def handles_of(found: list[Firing]) -> Handles[Firing]:
    return Handles("firing", found, lambda one: columns(one.record), lambda one: one.record.id, kind=FiringRecord)
