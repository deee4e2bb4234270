"""Where a board's live document is, while somebody has the board open: what the services need of a collaboration server."""

from collections.abc import Mapping
from typing import Protocol

from agor_jupyter.documents.boards import Json, View
from agor_jupyter.domain.boards import RoomInfo

Changes = Mapping[str, Json | None]
"""Object id to the fields that are added or changed; `None` takes the object away, or the field."""


class Document(Protocol):
    """A board's document while somebody has it open."""

    @property
    def problem(self) -> str | None: ...

    def view(self) -> View: ...

    def text(self) -> str:
        """The file that would be written now."""

    def edit(self, changes: Changes, *, title: str | None = None) -> None:
        """In one transaction."""


class Rooms(Protocol):
    """The collaboration server, if there is one. Never keep a document: its room may be gone in the next moment."""

    async def get_document(self, path: str) -> Document | None:
        """`None`: nobody has it open, so its file is the truth."""

    def info(self, path: str) -> RoomInfo:
        """How a browser joins. `writable` is not decided here."""


class NoRooms:
    """Where no collaboration server runs."""

    async def get_document(self, path: str) -> Document | None:  # noqa: ARG002
        return None

    def info(self, path: str) -> RoomInfo:  # noqa: ARG002
        return RoomInfo(
            kind="none",
            writable=False,
            reason="Boards are shared by jupyter-collaboration or jupyter-server-documents. Neither is enabled.",
        )
