"""Boards: opening them, editing them for a caller, and all that one view of one needs.

What a caller may do is decided here. `edits` knows how a board is reached, `cards` what lies on it because of the database. Nothing
here acts on a change that somebody made in the document.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from agor_jupyter.documents import boards as document_boards
from agor_jupyter.documents import files, placement
from agor_jupyter.documents.boards import Json, View
from agor_jupyter.documents.placement import free_place
from agor_jupyter.domain import errors, ids
from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.boards import (
    Board,
    BoardEntry,
    BoardInfo,
    BoardObject,
    BoardOpen,
    Card,
    Note,
    NoteAdd,
    ObjectMove,
    RoomInfo,
    Zone,
    ZoneAdd,
)
from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.domain.zones import ZoneChange
from agor_jupyter.services.boards.cards import Cards
from agor_jupyter.services.boards.edits import Edits
from agor_jupyter.services.boards.rooms import Changes, NoRooms, Rooms
from agor_jupyter.services.boards.watches import Watches
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.storage import boards as storage
from agor_jupyter.storage.store import Store

Objects = list[BoardObject]


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
        self.edits = Edits(config.root_dir, self.rooms, self.watches)
        self._root, self._clock, self._store, self._agents = config.root_dir, clock, store, agents
        self._cards = Cards(clock, store, self.edits)

    # For callers

    async def open(self, caller: Caller, request: BoardOpen, key: str = "") -> BoardInfo:  # noqa: ARG002 opening twice is opening once
        """The board at `request.path`, made if it is not there.

        Errors:
            BadPath: it cannot be a board's path.
            NotAllowed: it is not there, and the caller may not make it.
        """
        caller.require(Role.VIEWER, "open this board")
        path = files.check(request.path)
        async with self.edits.alone(path):
            if not await self.edits.is_there(path):
                caller.require(Role.STEERER, "create a board")
                await self.edits.make(path, {"title": request.title} if request.title else {})
        await self.repair(path)
        view = await self.edits.view(path)
        return BoardInfo(path=path, title=view.meta.title, object_count=len(view.objects), problems=view.problems)

    async def list(self, caller: Caller) -> list[BoardInfo]:
        """The boards on which worktrees lie, and those in the server's root folder."""
        caller.require(Role.VIEWER, "list the boards")
        known = await self._store.read(storage.paths)
        found = await asyncio.to_thread(files.in_root, self._root)
        return await asyncio.to_thread(lambda: [self.edits.describe(path) for path in sorted({*known, *found})])

    async def get(self, caller: Caller, path: str) -> Board:
        """The document as it is now. A file that cannot be read gives an empty board that says so.

        Errors:
            BadPath, BoardNotFound.
        """
        caller.require(Role.VIEWER, "read this board")
        view = await self.edits.view(files.check(path))
        return Board(path=path, meta=view.meta, objects=view.objects, problems=view.problems)

    async def room(self, caller: Caller, path: str, *, may_write: bool = True) -> RoomInfo:
        """How the caller's browser joins the board's room. `may_write` is what the server's authorizer says about files."""
        caller.require(Role.VIEWER, "open this board")
        if not await self.edits.is_there(path):
            raise errors.BoardNotFound(path)
        room = self.rooms.info(path)
        if room.kind == "none":
            return room
        if not may_write:
            return room.replace(writable=False, reason="You may view this board but not change it.")
        trouble = await self.edits.trouble(path)
        return room.replace(writable=trouble is None, reason=trouble)

    async def add_zone(self, caller: Caller, path: str, request: ZoneAdd, key: str) -> BoardEntry:
        """A new zone, at its place or a free one."""
        caller.require(Role.STEERER, "add a zone")

        def make(objects: Objects) -> Zone:
            x, y = _place(objects, request.x, request.y, request.width, request.height)
            size = {"width": request.width, "height": request.height}
            return Zone(x=x, y=y, **size, name=request.name, color=request.color, policy=request.policy)

        return await self._add(caller, path, "add a zone", request, key, make=make)

    async def add_note(self, caller: Caller, path: str, request: NoteAdd, key: str) -> BoardEntry:
        """A new note, at its place or a free one."""
        caller.require(Role.STEERER, "add a note")

        def make(objects: Objects) -> Note:
            note = Note(x=0, y=0, text=request.text, color=request.color)
            x, y = _place(objects, request.x, request.y, note.width, note.height)
            return note.replace(x=x, y=y)

        return await self._add(caller, path, "add a note", request, key, make=make)

    async def add_all(self, caller: Caller, path: str, key: str, make: Callable[[Callable[[int], str]], Json]) -> Sequence[BoardEntry]:
        """Several objects in one edit; `make` gets what gives the id of each by its number. Those that are there already stay."""
        caller.require(Role.STEERER, "add to a board")
        files.check(path)
        added = make(lambda number: _id_for(caller, f"{key}/{number}"))
        view = await self.edits.change(path, lambda now: {one: fields for one, fields in added.items() if one not in now.objects})
        return [BoardEntry(id=ObjectId(one), object=view.objects[ObjectId(one)]) for one in added]

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

        view = await self.edits.change(files.check(path), plan)
        return BoardEntry(id=object_id, object=view.objects[object_id])

    async def change_zone(self, caller: Caller, path: str, object_id: ObjectId, change: ZoneChange) -> BoardEntry:
        """Another name, colour or policy.

        Errors:
            ObjectNotFound: there is no such zone.
        """
        caller.require(Role.STEERER, "change zones")
        given = change.model_dump(mode="json", exclude_none=True, include=change.model_fields_set & {"name", "color", "policy"})
        fields: Json = {name: given.get(name) for name in change.model_fields_set & {"name", "color", "policy"}}

        def plan(view: View) -> Changes:
            if not isinstance(view.objects.get(object_id), Zone):
                raise errors.ObjectNotFound(object_id)
            return {object_id: document_boards.normalise(fields)}

        view = await self.edits.change(files.check(path), plan)
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

        await self.edits.change(path, plan)

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

    async def place(self, worktree: Worktree, x: float | None = None, y: float | None = None, card: ObjectId | None = None) -> None:
        """As `Cards.place`."""
        await self._cards.place(worktree, x, y, card)

    async def bring(self, worktree: Worktree, zone_id: ObjectId | None, x: float | None = None, y: float | None = None) -> None:
        """As `Cards.bring`."""
        await self._cards.bring(worktree, zone_id, x, y)

    async def lies_at(self, worktree: Worktree, x: float | None, y: float | None, patience_s: float) -> bool:
        """As `Cards.lies_at`."""
        return await self._cards.lies_at(worktree, x, y, patience_s)

    async def card_at(self, path: str, worktree_id: WorktreeId) -> tuple[float, float] | None:
        """Where the worktree's card lies."""
        card = placement.card_of((await self.edits.view(path)).objects, worktree_id)
        return None if card is None else (card.x, card.y)

    async def mark(self, worktree: Worktree) -> None:
        """As `Cards.mark`."""
        await self._cards.mark(worktree)

    async def take(self, path: str, worktree_id: WorktreeId) -> None:
        """As `Cards.take`."""
        await self._cards.take(path, worktree_id)

    async def repair(self, path: str) -> None:
        """As `Cards.repair`."""
        await self._cards.repair(path)

    async def zone_of(self, worktree: Worktree) -> ObjectId | None:
        """The zone that its card lies in now. `None` also when the board cannot be read."""
        if worktree.board is None:
            return None
        with contextlib.suppress(errors.BoardNotFound, errors.BadPath):
            return placement.zone_of((await self.edits.view(worktree.board)).objects, worktree.id)
        return None

    async def has_zone(self, zone_id: str) -> bool:
        """Whether a board has this zone, of those that are known."""
        known = await self._store.read(storage.paths)
        for path in sorted({*known, *await asyncio.to_thread(files.in_root, self._root)}):
            with contextlib.suppress(errors.BoardNotFound, errors.BadPath):
                if isinstance((await self.edits.view(path)).objects.get(ObjectId(zone_id)), Zone):
                    return True
        return False

    async def _add(
        self, caller: Caller, path: str, action: str, request: Record, key: str, *, make: Callable[[Objects], BoardObject]
    ) -> BoardEntry:
        files.check(path)
        entry_id = _id_for(caller, key)
        async with self.edits.alone(path):
            view = await self.edits.view(path)
            entry = BoardEntry(id=entry_id, object=make(list(view.objects.values())))
            done = await self._store.write(once, key, caller, action, [path, request], self._clock.now(), lambda _: entry, BoardEntry)
            if done.is_new or entry_id not in view.objects:
                await self.edits.change_alone(path, lambda _: {entry_id: _plain(done.record.object)})
        return done.record


def _place(objects: Objects, x: float | None, y: float | None, width: float, height: float) -> tuple[int, int]:
    """Where a person said, or a free place."""
    return (round(x), round(y)) if x is not None and y is not None else free_place(objects, width, height)


def _plain(shown: BoardObject) -> Json:
    fields: dict[str, Any] = document_boards.normalise(shown.model_dump(mode="json", exclude_none=True))
    return fields


def _id_for(caller: Caller, key: str) -> ObjectId:
    """The same id for the same command, so that sending it again after a crash adds nothing twice."""
    digest = hashlib.sha256(json.dumps([caller.person.username, key]).encode()).digest()
    number = int.from_bytes(digest[:16], "big")
    return ObjectId(ids.make("object", (number >> 55) & ((1 << 45) - 1), number))
