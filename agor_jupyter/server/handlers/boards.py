"""Boards: open, read, join, and lay out. The path of a board is a parameter, because it has slashes."""

from pydantic import Field

from agor_jupyter.domain.boards import (
    Board,
    BoardEntry,
    BoardExtend,
    BoardFile,
    BoardInfo,
    BoardOpen,
    BoardTemplate,
    NoteAdd,
    ObjectMove,
    RoomInfo,
    Snapshot,
    ZoneAdd,
)
from agor_jupyter.domain.ids import ObjectId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.server.handlers import me
from agor_jupyter.server.operations import Call, operation


class BoardQuery(Request):
    path: str = Field(min_length=1, max_length=1000)
    """Relative to the server's root, such as `boards/team.agor`."""


@operation()
async def index(call: Call) -> list[BoardInfo]:
    """List the boards that have worktrees, and those in the server's root folder."""
    return await call.agor.boards.list(call.caller)


@operation(Role.STEERER)
async def open_board(call: Call, body: BoardOpen) -> BoardInfo:
    """Open a board; its file is created if it does not exist."""
    return await call.agor.boards.open(call.caller, body, call.key)


@operation()
async def get(call: Call, query: BoardQuery) -> Board:
    """Get a board's document as it is now."""
    return await call.agor.boards.get(call.caller, query.path)


@operation(answers=Snapshot)
async def snapshot(call: Call, query: BoardQuery) -> bytes:
    """Get everything that a board needs besides its document."""
    return await call.agor.boards.snapshot(call.caller, query.path, await me.me(call))


@operation()
async def room(call: Call, query: BoardQuery) -> RoomInfo:
    """Say how a browser joins the board's room."""
    return await call.agor.boards.room(call.caller, query.path, may_write=await call.may("write", "contents"))


@operation()
async def templates(call: Call) -> list[BoardTemplate]:
    """List the ready boards to begin with."""
    return await call.agor.board_templates.list(call.caller)


@operation()
async def export(call: Call, query: BoardQuery) -> BoardFile:
    """Make a template of a board: its zones and notes, without cards."""
    return await call.agor.board_templates.export(call.caller, query.path)


@operation(Role.STEERER)
async def extend(call: Call, query: BoardQuery, body: BoardExtend) -> list[BoardEntry]:
    """Add the zones and notes of a template to a board; answers them."""
    if body.allow:
        call.caller.require(Role.OWNER, "allow what a zone runs")
    added = await call.agor.board_templates.extend(call.caller, query.path, body, call.key)
    if body.allow:
        await call.agor.zones.allow(call.caller, added)
    return list(added)


@operation(Role.STEERER)
async def add_zone(call: Call, query: BoardQuery, body: ZoneAdd) -> BoardEntry:
    """Add a zone; answers its id and itself."""
    return await call.agor.boards.add_zone(call.caller, query.path, body, call.key)


@operation(Role.STEERER)
async def add_note(call: Call, query: BoardQuery, body: NoteAdd) -> BoardEntry:
    """Add a note; answers its id and itself."""
    return await call.agor.boards.add_note(call.caller, query.path, body, call.key)


@operation(Role.STEERER)
async def move(call: Call, object_id: ObjectId, query: BoardQuery, body: ObjectMove) -> BoardEntry:
    """Move or resize an object."""
    return await call.agor.boards.move(call.caller, query.path, object_id, body)


@operation(Role.STEERER)
async def remove(call: Call, object_id: ObjectId, query: BoardQuery) -> None:
    """Take an object off the board; a card only if its worktree is no longer there."""
    await call.agor.boards.remove(call.caller, query.path, object_id)
