"""What a kind of host has to be able to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from agor_jupyter.domain.issues import IssueCopy
from agor_jupyter.providers.client import Client


@dataclass(frozen=True)
class Place:
    """One issue or pull request of a host."""

    project: str
    kind: Literal["issue", "pull_request"]
    number: int
    url: str
    """Its address as the host writes it."""


class Provider(Protocol):
    kind: str
    home: str
    """The host that it is known from. It needs no configuration."""
    headers: dict[str, str]

    def base_url(self, host: str) -> str:
        """Where the API of a host of this kind is."""

    def find(self, host: str, path: str) -> Place | None:
        """What the path of an address names. `None`: neither an issue nor a pull request."""

    async def read(self, client: Client, place: Place, known: IssueCopy | None, at: datetime) -> IssueCopy:
        """It, as it is now. Raises what `Client.get` does, and `LookupError`, `TypeError` or `ValueError` for nonsense."""
