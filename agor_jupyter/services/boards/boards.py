"""Boards: opening them, editing them for a caller, placing worktrees on them, repairing them, and all that one view of one needs.

A board that somebody has open is edited in its live document, else its file is edited. What the database says wins: which
worktrees lie on a board is known there, and a document that lost a card gets it back. Nothing here acts on a change that
somebody made in the document.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

from agor_jupyter.documents import boards as document_boards
from agor_jupyter.documents import files, placement
from agor_jupyter.documents.boards import Json, View
from agor_jupyter.documents.placement import free_place
from agor_jupyter.domain import errors, ids
from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.boards import (
    CARD_HEIGHT,
    CARD_WIDTH,
    Board,
    BoardEntry,
    BoardInfo,
    BoardObject,
    BoardOpen,
    Card,
    Note,
    NoteAdd,
    ObjectMove,
    Problem,
    RoomInfo,
    Zone,
    ZoneAdd,
)
from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.boards.watches import Watches
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.storage import boards as storage
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

_TRIES = 5

Objects = list[BoardObject]
Changes = dict[str, Json | None]
"""Object id to the fields that are added or changed; `None` takes the object away."""


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


class Boards:
    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: Store,
        rooms: Rooms | None = None,
        agents: Callable[[], Awaitable[Sequence[AgentStatus]]] | None = None,
    ) -> None:
        self.rooms = rooms or NoRooms()
        self.watches = Watches(config.root_dir, clock, store)
        self._root = config.root_dir
        self._clock = clock
        self._store = store
        self._agents = agents
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # For callers

    async def open(self, caller: Caller, request: BoardOpen, key: str = "") -> BoardInfo:  # noqa: ARG002 opening twice is opening once
        """The board at `request.path`, made if it is not there.

        Errors:
            BadPath: it cannot be a board's path.
            NotAllowed: it is not there, and the caller may not make it.
        """
        caller.require(Role.VIEWER, "open this board")
        path = files.check(request.path)
        async with self._lock(path):
            if not await asyncio.to_thread(files.is_there, self._root, path):
                caller.require(Role.STEERER, "create a board")
                await self._make(path, {"title": request.title} if request.title else {})
        await self.repair(path)
        view = await self._view(path)
        return BoardInfo(path=path, title=view.meta.title, object_count=len(view.objects), problems=view.problems)

    async def list(self, caller: Caller) -> list[BoardInfo]:
        """The boards on which worktrees lie, and those in the server's root folder."""
        caller.require(Role.VIEWER, "list the boards")
        known = await self._store.read(storage.paths)
        found = await asyncio.to_thread(files.in_root, self._root)
        return await asyncio.to_thread(lambda: [self._describe(path) for path in sorted({*known, *found})])

    async def get(self, caller: Caller, path: str) -> Board:
        """The document as it is now. A file that cannot be read gives an empty board that says so.

        Errors:
            BadPath, BoardNotFound.
        """
        caller.require(Role.VIEWER, "read this board")
        view = await self._view(files.check(path))
        return Board(path=path, meta=view.meta, objects=view.objects, problems=view.problems)

    async def room(self, caller: Caller, path: str, *, may_write: bool = True) -> RoomInfo:
        """How the caller's browser joins the board's room. `may_write` is what the server's authorizer says about files."""
        caller.require(Role.VIEWER, "open this board")
        if not await asyncio.to_thread(files.is_there, self._root, files.check(path)):
            raise errors.BoardNotFound(path)
        room = self.rooms.info(path)
        if room.kind == "none":
            return room
        if not may_write:
            return room.replace(writable=False, reason="You may view this board but not change it.")
        trouble = await self._trouble(path)
        return room.replace(writable=trouble is None, reason=trouble)

    async def add_zone(self, caller: Caller, path: str, request: ZoneAdd, key: str) -> BoardEntry:
        """A new zone, at its place or a free one."""
        caller.require(Role.STEERER, "add a zone")

        def make(objects: Objects) -> Zone:
            x, y = _place(objects, request.x, request.y, request.width, request.height)
            return Zone(x=x, y=y, width=request.width, height=request.height, name=request.name, color=request.color)

        return await self._add(caller, path, "add a zone", request, key, make=make)

    async def add_note(self, caller: Caller, path: str, request: NoteAdd, key: str) -> BoardEntry:
        """A new note, at its place or a free one."""
        caller.require(Role.STEERER, "add a note")

        def make(objects: Objects) -> Note:
            note = Note(x=0, y=0, text=request.text, color=request.color)
            x, y = _place(objects, request.x, request.y, note.width, note.height)
            return note.replace(x=x, y=y)

        return await self._add(caller, path, "add a note", request, key, make=make)

    async def move(self, caller: Caller, path: str, object_id: ObjectId, request: ObjectMove) -> BoardEntry:
        """Another place or size.

        Errors:
            ObjectNotFound: no such object can be shown.
        """
        caller.require(Role.STEERER, "move objects")

        def plan(view: View) -> Changes:
            if (shown := view.objects.get(object_id)) is None:
                raise errors.ObjectNotFound(object_id)
            fields: Json = {"x": round(request.x), "y": round(request.y)}
            if not isinstance(shown, Card):
                fields |= {name: round(value) for name in ("width", "height") if (value := getattr(request, name)) is not None}
            return {object_id: fields}

        view = await self._change(files.check(path), plan)
        return BoardEntry(id=object_id, object=view.objects[object_id])

    async def remove(self, caller: Caller, path: str, object_id: ObjectId) -> None:
        """Take an object off the board. One that is gone already is no error.

        Errors:
            CardInUse: it is the card of a worktree that lies on this board.
        """
        caller.require(Role.STEERER, "remove objects")
        path = files.check(path)
        placed = {each.id for each in await self._store.read(storage.placed, path) if each.state != WorktreeState.ARCHIVED}

        def plan(view: View) -> Changes:
            shown = view.objects.get(object_id)
            if isinstance(shown, Card) and shown.worktree in placed:
                twins = [key for key, other in view.objects.items() if isinstance(other, Card) and other.worktree == shown.worktree]
                if twins == [object_id]:
                    raise errors.CardInUse(shown.title or shown.branch)
            return {object_id: None}

        await self._change(path, plan)

    async def snapshot(self, caller: Caller, path: str, me: Record | None = None) -> bytes:
        """The wire form of `Snapshot`: all that a view of the board needs besides its document. Repairs the board on the way."""
        caller.require(Role.VIEWER, "read this board")
        await self.repair(files.check(path))
        agents = await self._agents() if self._agents else []
        encoded = b"[" + b",".join(agent.encode() for agent in agents) + b"]"
        return await self._store.read(storage.snapshot, path, me.encode() if me else b"null", encoded)

    # For other services

    def check(self, path: str) -> str:
        """`path` if a board may lie there. Raises `BadPath`."""
        return files.check(path)

    async def place(self, worktree: Worktree, x: float | None = None, y: float | None = None) -> None:
        """Give a worktree its card, at the place or a free one. A board that cannot be read gets it when it is repaired."""
        if worktree.board is None:
            return
        path = files.check(worktree.board)
        if not await asyncio.to_thread(files.is_there, self._root, path):
            await self._make(path)

        def plan(view: View) -> Changes:
            held = [key for key, shown in view.objects.items() if isinstance(shown, Card) and shown.worktree == worktree.id]
            if held:
                return {held[0]: _fields(worktree)}
            return {self._clock.new_id("object"): _card(worktree, list(view.objects.values()), x, y)}

        await self._try(path, plan)

    async def mark(self, worktree: Worktree) -> None:
        """Have the board at `worktree.board` show what is stored of the worktree now: a fresh card, or none if it is not there any more."""
        if worktree.board is None:
            return
        placed = {each.id: each for each in await self._store.read(storage.placed, files.check(worktree.board))}
        if worktree.id not in placed:
            await self.take(worktree.board, worktree.id)
        elif placed[worktree.id].state != WorktreeState.ARCHIVED:
            await self.place(worktree)

    async def take(self, path: str, worktree_id: WorktreeId) -> None:
        """Take a worktree's cards off the board at `path`: it was removed, or lies on another board now."""

        def plan(view: View) -> Changes:
            return {key: None for key, shown in view.objects.items() if isinstance(shown, Card) and shown.worktree == worktree_id}

        if await asyncio.to_thread(files.is_there, self._root, files.check(path)):
            await self._try(path, plan)

    async def repair(self, path: str) -> None:
        """Put back the cards that should be there, and leave one of each worktree.

        Errors:
            BadPath, BoardNotFound: there is no such board, and no worktree lies on it.
        """
        placed = {each.id: each for each in await self._store.read(storage.placed, files.check(path))}
        if not await asyncio.to_thread(files.is_there, self._root, path):
            if not placed:
                raise errors.BoardNotFound(path)
            await self._make(path)

        def plan(view: View) -> Changes:
            changes: Changes = {}
            seen: set[str] = set()
            for key, shown in view.objects.items():
                if isinstance(shown, Card) and shown.worktree in seen:
                    changes[key] = None
                elif isinstance(shown, Card):
                    seen.add(shown.worktree)
            objects = [shown for key, shown in view.objects.items() if key not in changes]
            for worktree_id in sorted(placed.keys() - seen) if len(view.objects) < document_boards.MAX_OBJECTS else ():
                if placed[worktree_id].state == WorktreeState.ARCHIVED:
                    continue
                card = _card(Worktree.model_validate_json(placed[worktree_id].record), objects, None, None)
                objects.append(Card.model_validate(card))
                changes[self._clock.new_id("object")] = card
            return changes

        await self._try(path, plan)

    # How a document is reached

    async def zone_of(self, worktree: Worktree) -> ObjectId | None:
        """The zone that its card lies in now. `None` also when the board cannot be read."""
        if worktree.board is None:
            return None
        with contextlib.suppress(errors.BoardNotFound, errors.BadPath):
            return placement.zone_of((await self._view(worktree.board)).objects, worktree.id)
        return None

    async def has_zone(self, zone_id: str) -> bool:
        """Whether a board has this zone, of those that are known."""
        known = await self._store.read(storage.paths)
        for path in sorted({*known, *await asyncio.to_thread(files.in_root, self._root)}):
            with contextlib.suppress(errors.BoardNotFound, errors.BadPath):
                if isinstance((await self._view(path)).objects.get(ObjectId(zone_id)), Zone):
                    return True
        return False

    def _lock(self, path: str) -> asyncio.Lock:
        return self._locks.setdefault(path, asyncio.Lock())

    async def _make(self, path: str, meta: Json | None = None) -> None:
        """The file of a board that has none. What somebody still has open of a board whose file was taken away is put back."""
        document = await self.rooms.get_document(path)
        is_open = document is not None and document.problem is None and bool(document.view().objects)
        text = document.text() if document is not None and is_open else document_boards.write(meta or {}, {})
        await asyncio.to_thread(files.create, self._root, path, text)
        await self.watches.tell(path)

    async def _view(self, path: str) -> View:
        if not await asyncio.to_thread(files.is_there, self._root, path):
            raise errors.BoardNotFound(path)
        document = await self.rooms.get_document(path)
        if document is not None:
            view = document.view()
            trouble = document.problem
            return view if trouble is None else View(view.meta, view.objects, [Problem(text=trouble), *view.problems])
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> View:
        try:
            meta, objects = document_boards.parse(files.read(self._root, path))
        except document_boards.Unreadable as error:
            return View(problems=[Problem(text=f"The file cannot be read: {error}. It was left as it is.")])
        except errors.BadDocument as error:
            return View(problems=[Problem(text=error.message)])
        return document_boards.view(meta, document_boards.texts_of(objects))

    async def _trouble(self, path: str) -> str | None:
        """Why the board cannot be changed now."""
        document = await self.rooms.get_document(path)
        if document is not None:
            return document.problem
        view = await asyncio.to_thread(self._read, path)
        return next((problem.text for problem in view.problems if problem.object_id is None and not view.objects), None)

    def _describe(self, path: str) -> BoardInfo:
        """From the file: looking at a list opens no room."""
        try:
            view = self._read(path)
        except (errors.BoardNotFound, errors.BadPath) as error:
            return BoardInfo(path=path, title="", object_count=0, problems=[Problem(text=error.message)])
        return BoardInfo(path=path, title=view.meta.title, object_count=len(view.objects), problems=view.problems)

    async def _add(
        self, caller: Caller, path: str, action: str, request: Record, key: str, *, make: Callable[[Objects], BoardObject]
    ) -> BoardEntry:
        files.check(path)
        entry_id = _id_for(caller, key)
        async with self._lock(path):
            view = await self._view(path)
            entry = BoardEntry(id=entry_id, object=make(list(view.objects.values())))
            done = await self._store.write(once, key, caller, action, [path, request], self._clock.now(), lambda _: entry, BoardEntry)
            if done.is_new or entry_id not in view.objects:
                await self._edit(path, lambda _: {entry_id: _plain(done.record.object)})
        return done.record

    async def _change(self, path: str, plan: Callable[[View], Changes]) -> View:
        """Carry out what `plan` makes of the board as it is. What is returned shows the changes."""
        async with self._lock(path):
            return await self._edit(path, plan)

    async def _try(self, path: str, plan: Callable[[View], Changes]) -> None:
        try:
            await self._change(path, plan)
        except (errors.BadDocument, errors.BoardNotFound) as error:
            log.warning("The cards of a board wait until it is repaired: %s", error)

    async def _edit(self, path: str, plan: Callable[[View], Changes]) -> View:
        """Under the board's lock."""
        document = await self.rooms.get_document(path)
        if document is None:
            return await asyncio.to_thread(self._edit_file, path, plan)
        if document.problem is not None:
            raise errors.BadDocument(path, document.problem)
        if changes := plan(document.view()):
            document.edit(changes)
        return document.view()

    def _edit_file(self, path: str, plan: Callable[[View], Changes]) -> View:
        for _ in range(_TRIES):
            text = files.read(self._root, path)
            try:
                meta, objects = document_boards.parse(text)
            except document_boards.Unreadable as error:
                raise errors.BadDocument(path, str(error)) from error
            view = document_boards.view(meta, document_boards.texts_of(objects))
            changes = plan(view)
            if not changes:
                return view
            for key, fields in changes.items():
                held = objects.get(key)
                if fields is None:
                    objects.pop(key, None)
                else:
                    objects[key] = {**held, **fields} if isinstance(held, dict) else fields
            if files.replace(self._root, path, document_boards.write(meta, objects), expected=text):
                return document_boards.view(meta, document_boards.texts_of(objects))
        raise errors.BadDocument(path, "another program keeps changing it")


def _place(objects: Objects, x: float | None, y: float | None, width: float, height: float) -> tuple[int, int]:
    """Where a person said, or a free place."""
    return (round(x), round(y)) if x is not None and y is not None else free_place(objects, width, height)


def _fields(worktree: Worktree) -> Json:
    return {
        "worktree": worktree.id,
        "repo": worktree.repo[:200],
        "branch": worktree.branch[:200],
        "title": worktree.name[:400],
        "base": worktree.base_ref[:200],
    }


def _card(worktree: Worktree, objects: Objects, x: float | None, y: float | None) -> Json:
    near = (x, y) if x is not None and y is not None else None
    left, top = free_place(objects, CARD_WIDTH, CARD_HEIGHT, near)
    return {"kind": "card", "x": left, "y": top, **_fields(worktree)}


def _plain(shown: BoardObject) -> Json:
    fields: dict[str, Any] = document_boards.normalise(shown.model_dump(mode="json"))
    return fields


def _id_for(caller: Caller, key: str) -> ObjectId:
    """The same id for the same command, so that sending it again after a crash adds nothing twice."""
    digest = hashlib.sha256(json.dumps([caller.person.username, key]).encode()).digest()
    number = int.from_bytes(digest[:16], "big")
    return ObjectId(ids.make("object", (number >> 55) & ((1 << 45) - 1), number))
