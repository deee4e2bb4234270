"""Tools about your board: what lies on it, its zones, and notes."""

from pydantic import Field

from agor_jupyter.domain.boards import Card, Note, NoteAdd, Zone
from agor_jupyter.domain.records import Coordinate
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation


class Read(Input):
    pass


class Write(Input):
    text: str = Field(min_length=1, max_length=20_000)
    x: Coordinate | None = None
    y: Coordinate | None = None
    """Where, in board units. Default: a free place."""


async def _list(engine: Delegation, _input: Read) -> object:
    if engine.board is None:
        return []
    board = await engine.document()
    return [{"path": board.path, "title": board.meta.title, "objects": len(board.objects)}]


async def read(engine: Delegation) -> dict[str, object]:
    """What lies on the board."""
    board = await engine.document()
    zones = {key: one for key, one in board.objects.items() if isinstance(one, Zone)}
    cards = [one for one in board.objects.values() if isinstance(one, Card)]

    def zone_of(card: Card) -> str | None:
        inside = (
            key for key, zone in zones.items() if zone.x <= card.x <= zone.x + zone.width and zone.y <= card.y <= zone.y + zone.height
        )
        return next(inside, None)

    return {
        "path": board.path,
        "title": board.meta.title,
        "zones": [{"id": key, "name": zone.name} for key, zone in zones.items()],
        "cards": [{"worktree_id": card.worktree, "title": card.title, "zone": zone_of(card)} for card in cards],
        "notes": [{"id": key, "text": one.text} for key, one in board.objects.items() if isinstance(one, Note)],
    }


async def _read(engine: Delegation, _input: Read) -> object:
    return await read(engine)


async def _zones(engine: Delegation, _input: Read) -> object:
    board = await engine.document()
    return [
        {"id": key, **one.model_dump(mode="json", by_alias=False, exclude={"kind"})}
        for key, one in board.objects.items()
        if isinstance(one, Zone)
    ]


async def _write(engine: Delegation, request: Write) -> object:
    entry = await engine.write_note(NoteAdd(text=request.text, x=request.x, y=request.y))
    return {"id": entry.id}


TOOLS = (
    Tool(name="board_list", description="The board that you see, if any.", input=Read, run=_list, reads_only=True),
    Tool(
        name="board_read",
        description="What lies on your board: its zones, the worktrees in them, and the notes.",
        input=Read,
        run=_read,
        reads_only=True,
    ),
    Tool(
        name="zone_list",
        description="The zones of your board, each with its place and what it does with a card that arrives.",
        input=Read,
        run=_zones,
        reads_only=True,
    ),
    Tool(name="note_write", description="Write a note on your board, for people and agents.", input=Write, run=_write, reads_only=False),
)
