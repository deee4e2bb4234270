"""Your destinations: places outside of JupyterLab that are told when something needs you. Addresses can be set but are never shown."""

import getpass
from collections.abc import Sequence

from agor_jupyter.domain.destinations import KINDS, DestinationAdd, DestinationChange, DestinationTested, QuietHours
from agor_jupyter.domain.destinations import Destination as DestinationRecord
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link


class Destination:
    """A place. `destination.test()` sends it a message now."""

    def __init__(self, link: Link, record: DestinationRecord) -> None:
        self._link, self.record = link, record

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def _at(self) -> str:
        return f"destinations/{self.record.id}"

    def test(self) -> DestinationTested:
        """Send a test message, and wait for what the place answers: `has_arrived`, and if not the `reason`."""
        return DestinationTested.model_validate(self._link.post(f"{self._at}/test"))

    def pause(self) -> "Destination":
        """Tell it nothing. What waits for it, and what comes meanwhile, is not kept."""
        return self._change(is_paused=True)

    def resume(self) -> "Destination":
        """Tell it what comes from now on."""
        return self._change(is_paused=False)

    def change(
        self,
        *,
        kinds: Sequence[str] | None = None,
        boards: Sequence[str] | None = None,
        quiet: tuple[str, str] | None = None,
        tz: str = "UTC",
    ) -> "Destination":
        """Change what is given. `quiet` is a start and an end, such as `("22:00", "07:00")`, by the clock of `tz`."""
        fields: dict[str, object] = {}
        if kinds is not None:
            fields["kinds"] = list(kinds)
        if boards is not None:
            fields["boards"] = [self._link.board_path(one) for one in boards]
        if quiet is not None:
            fields["quiet"] = _quiet(quiet, tz)
        return self._change(**fields)

    def loud(self) -> "Destination":
        """End its quiet hours."""
        return self._change(quiet=None)

    def remove(self) -> None:
        self._link.delete(self._at)

    def _change(self, **fields: object) -> "Destination":
        with checked():
            body = DestinationChange.model_validate(fields)
        self.record = DestinationRecord.model_validate(self._link.patch(self._at, body))
        return self

    def __repr__(self) -> str:
        record = self.record
        state = "paused, " if record.is_paused else ""
        trouble = f"; {record.trouble}" if record.trouble else ""
        return views.visible(f"Destination {record.name!r}: {state}{record.service}, {', '.join(record.kinds)}{trouble}")


class Destinations(Handles[Destination]):
    """`hub.destinations.add("phone")` asks for an address, so that it does not end up in the notebook."""

    def __init__(self, link: Link) -> None:
        found = [Destination(link, DestinationRecord.model_validate(one)) for one in link.items("destinations")]
        super().__init__("destination", found, lambda one: columns(one.record), lambda one: one.name, kind=DestinationRecord)
        self._link = link

    def add(
        self,
        name: str,
        address: str | None = None,
        *,
        kinds: Sequence[str] = KINDS,
        boards: Sequence[str] = (),
        quiet: tuple[str, str] | None = None,
        tz: str = "UTC",
    ) -> Destination:
        """Name a place. It is stored encrypted, and nothing is sent yet.

        Args:
            name: how you call it.
            address: a URL of Apprise, such as `slack://…`, `mailtos://…` or `jsons://…`. Default: you are asked for it.
            kinds: what it is told of: `question`, `failure`, `slot` and `budget`. Default: all.
            boards: files of boards, relative to this notebook. Default: all.
            quiet: a start and an end, such as `("22:00", "07:00")`. What comes between them is sent afterwards.
            tz: the IANA time zone whose clock counts.

        Raises:
            BadAddress: nothing can be sent there.

        """
        if address is None:
            address = getpass.getpass(f"Address of {name}: ")
        fields: dict[str, object] = {"name": name, "address": address, "kinds": list(kinds)}
        with checked():
            body = DestinationAdd.model_validate(
                {**fields, "boards": [self._link.board_path(one) for one in boards], "quiet": None if quiet is None else _quiet(quiet, tz)}
            )
        return Destination(self._link, DestinationRecord.model_validate(self._link.post("destinations", body)))


def _quiet(hours: tuple[str, str], tz: str) -> QuietHours:
    with checked():
        return QuietHours(start=hours[0], end=hours[1], zone=tz)
