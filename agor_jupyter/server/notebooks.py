"""The Jupyter server's side of notebooks: the live document of one that people have open, and the kernels that notebooks have."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.websocket import WebSocketClosedError

from agor_jupyter.documents.notebooks import Json
from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.text import plain
from agor_jupyter.server.rooms import ServerApp, active, collaboration_document
from agor_jupyter.services.notebooks.rooms import Kernel, Notebook

ROOM = "json:notebook:"
_READY_S = 30.0
_LOOK_S = 1.0
_MOST_SHOWN = 200


class JupyterNotebooks:
    """People may have a notebook open below a link, so that files are compared by what their paths lead to."""

    def __init__(self, app: ServerApp) -> None:
        self._app = app
        self._shown: dict[tuple[str, str], Any] = {}

    async def get_document(self, file: Path) -> Notebook | None:
        kind = active(self._app)
        if kind is None:
            return None
        settings = self._app.web_app.settings
        if kind == "jupyter-server-documents":
            path = self._path_of(file)
            file_id = settings["file_id_manager"].get_id(path) if path else None
            room = settings["yroom_manager"].get_room(f"{ROOM}{file_id}") if file_id else None
            document = await room.get_jupyter_ydoc() if room is not None else None
        else:
            room_id = self._room_of(file)
            document = await collaboration_document(self._extension, room_id) if room_id else None
        from jupyter_ydoc import YNotebook

        from agor_jupyter.documents.ynotebook import LiveNotebook

        return LiveNotebook(document) if isinstance(document, YNotebook) else None

    async def show(self, file: Path, person: Person) -> None:
        """As one of those at work on the document. Browsers forget somebody of whom they hear nothing for 30 s."""
        if active(self._app) != "jupyter-collaboration" or (room_id := self._room_of(file)) is None:
            return
        from pycrdt import Awareness, Doc, create_awareness_message

        awareness = self._shown.setdefault((room_id, person.username), Awareness(Doc()))
        while len(self._shown) > _MOST_SHOWN:
            self._shown.pop(next(iter(self._shown)))
        name = plain(person.name)[:100]
        user = {"username": person.username, "name": name, "display_name": name, "initials": name[:1].upper(), "avatar_url": None}
        awareness.set_local_state({"user": {**user, "color": "var(--jp-collaborator-color3)"}})
        frame = create_awareness_message(awareness.encode_awareness_update([awareness.client_id]))
        room = await self._extension.ywebsocket_server.get_room(room_id)
        for client in list(room.clients):  # not to the room itself, which would save by it whether people want that or not
            with contextlib.suppress(WebSocketClosedError):
                client.write_message(frame, binary=True)

    async def get_kernel(self, file: Path) -> Kernel | None:
        wanted = os.path.realpath(file)
        for session in await ensure_async(self._app.session_manager.list_sessions()):
            path, kernel = session.get("path"), session.get("kernel")
            if session.get("type") == "notebook" and path and kernel and self._real(path.removeprefix("RTC:")) == wanted:
                return _Kernel(self._app.kernel_manager, kernel["id"], kernel["name"])
        return None

    async def start_kernel(self, file: Path, spec: str) -> Kernel:
        """In a session as JupyterLab makes one, so that who opens the notebook has this kernel."""
        path = self._open_path(file) or self._path_of(file) or str(file).lstrip("/")
        try:
            session = await self._app.session_manager.create_session(path=path, name=file.name, type="notebook", kernel_name=spec)
        except Exception as error:
            raise errors.Unavailable(f"The kernel {spec!r} could not be started: {str(error)[:300]}.") from error
        return _Kernel(self._app.kernel_manager, session["kernel"]["id"], spec)

    @property
    def _extension(self) -> Any:
        """Of jupyter-collaboration."""
        return self._app.web_app.settings["jupyter_server_ydoc"]

    def _room_of(self, file: Path) -> str | None:
        """The id of the room of this very file, by whatever path people opened it."""
        wanted, ids = os.path.realpath(file), self._app.web_app.settings["file_id_manager"]
        rooms: list[str] = list(self._extension.ywebsocket_server.rooms)
        for room_id in rooms:
            path = ids.get_path(room_id.removeprefix(ROOM)) if room_id.startswith(ROOM) else None
            if path is not None and self._real(path) == wanted:
                return room_id
        return None

    def _open_path(self, file: Path) -> str | None:
        if active(self._app) != "jupyter-collaboration" or (room_id := self._room_of(file)) is None:
            return None
        path: str | None = self._app.web_app.settings["file_id_manager"].get_path(room_id.removeprefix(ROOM))
        return path

    def _real(self, path: str) -> str:
        return os.path.realpath(Path(self._app.root_dir) / path.strip("/"))

    def _path_of(self, file: Path) -> str | None:
        """Below the server's root. `None`: it does not lie there."""
        real, root = Path(os.path.realpath(file)), Path(os.path.realpath(self._app.root_dir))
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


class _Kernel:
    def __init__(self, manager: Any, kernel_id: str, name: str) -> None:
        self._manager, self._id, self.name = manager, kernel_id, name

    @property
    def is_busy(self) -> bool:
        kernel = self._manager.get_kernel(self._id) if self._id in self._manager else None
        return getattr(kernel, "execution_state", None) == "busy"

    async def interrupt(self) -> None:
        if self._id in self._manager:
            await ensure_async(self._manager.interrupt_kernel(self._id))

    async def run(self, source: str, tell: Callable[[str, Json], None]) -> None:
        if self._id not in self._manager:
            raise errors.Unavailable("The notebook's kernel is gone.")
        kernel = self._manager.get_kernel(self._id)
        client = kernel.client()
        client.start_channels(stdin=False, hb=False, control=False)
        try:
            try:
                await client.wait_for_ready(timeout=_READY_S)
            except RuntimeError as error:
                raise errors.Unavailable(f"The notebook's kernel does not answer: {error}.") from error
            # Others may have cells in the queue, and an error of this one is none of theirs.
            sent = client.execute(source, allow_stdin=False, stop_on_error=False)
            looked = time.monotonic()
            while True:
                try:
                    message = await client.get_iopub_msg(timeout=_LOOK_S)
                except Empty:
                    message = None
                if message is None or time.monotonic() - looked > _LOOK_S:
                    looked = time.monotonic()
                    if self._id not in self._manager or not await ensure_async(kernel.is_alive()):
                        raise errors.Unavailable("The notebook's kernel ended.")
                    await asyncio.sleep(0)
                if message is None or message["parent_header"].get("msg_id") != sent:
                    continue
                if message["msg_type"] == "status" and message["content"].get("execution_state") == "idle":
                    return
                tell(message["msg_type"], message["content"])
        finally:
            client.stop_channels()
