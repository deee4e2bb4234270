"""The board's room: jupyter-collaboration's, or that of jupyter-server-documents where it is active. We have none of our own."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Literal, Protocol

from tornado import web

from agor_jupyter.domain.boards import RoomInfo
from agor_jupyter.services.boards.rooms import Document, NoRooms

log = logging.getLogger(__name__)

FORMAT, TYPE = "text", "agor-board"
Kind = Literal["jupyter-collaboration", "jupyter-server-documents"]


class ServerApp(Protocol):
    """What is used of Jupyter's `ServerApp`. `Any` because it has no types."""

    web_app: Any
    extension_manager: Any
    session_manager: Any
    kernel_manager: Any
    root_dir: str


def active(app: ServerApp) -> Kind | None:
    """The collaboration server whose rooms are served. Both may be enabled; then jupyter-server-documents answers the socket."""

    def is_on(name: str) -> bool:
        extension = app.extension_manager.extensions.get(name)
        return bool(extension and extension.enabled)

    settings = app.web_app.settings
    if "file_id_manager" not in settings:
        return None
    if is_on("jupyter_server_documents") and "yroom_manager" in settings:
        return "jupyter-server-documents"
    return "jupyter-collaboration" if is_on("jupyter_server_ydoc") and "jupyter_server_ydoc" in settings else None


class JupyterRooms:
    def __init__(self, app: ServerApp) -> None:
        self._app = app

    def info(self, path: str) -> RoomInfo:
        kind = active(self._app)
        if kind is None:
            return NoRooms().info(path)
        params: dict[str, str] = {}
        if kind == "jupyter-collaboration":
            from jupyter_server_ydoc.utils import SERVER_SESSION

            params["sessionId"] = SERVER_SESSION
        return RoomInfo(kind=kind, room=self._room_id(path), params=params, writable=True)

    async def get_document(self, path: str) -> Document | None:
        kind = active(self._app)
        if kind is None:
            return None
        settings = self._app.web_app.settings
        if kind == "jupyter-server-documents":
            room = settings["yroom_manager"].get_room(self._room_id(path))
            document = await room.get_jupyter_ydoc() if room is not None else None
        else:
            document = await collaboration_document(settings["jupyter_server_ydoc"], self._room_id(path))
        return document if hasattr(document, "view") else None

    def _room_id(self, path: str) -> str:
        return f"{FORMAT}:{TYPE}:{self._app.web_app.settings['file_id_manager'].index(path)}"


async def collaboration_document(extension: Any, room_id: str) -> Any:
    """The document of a room that is there. A room is not made: without a client nothing would ever take it away."""
    document = await extension.get_document(room_id=room_id, copy=False, create=False)
    if document is None:
        return None
    room = await extension.ywebsocket_server.get_room(room_id)
    if not room.ready:  # its first client is just coming in: the content is not there yet
        try:
            async with extension._room_locks[room_id]:  # noqa: SLF001 the very lock under which a client loads it
                async with asyncio.timeout(10):
                    await room.initialize()
        except web.HTTPError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:  # its file is gone
                return None
            raise
    return document
