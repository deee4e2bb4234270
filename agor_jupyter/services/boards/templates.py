"""Board templates: begin a board with one, and make one of a board."""

import asyncio
from collections.abc import Sequence

from agor_jupyter.documents import templates
from agor_jupyter.documents.placement import box
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardEntry, BoardExtend, BoardFile, BoardTemplate
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.services.boards.boards import Boards

_GAP = 96
"""Between what is there and what is added, in board units."""


class BoardTemplates:
    def __init__(self, boards: Boards) -> None:
        self._boards = boards

    async def list(self, caller: Caller) -> list[BoardTemplate]:
        """The ready ones, by title."""
        caller.require(Role.VIEWER, "list the board templates")
        return list((await asyncio.to_thread(templates.ready)).values())

    async def extend(self, caller: Caller, path: str, request: BoardExtend, key: str) -> Sequence[BoardEntry]:
        """Add the zones and notes of a template, to the right of what is there. With the same key again they are not added twice.

        Errors:
            BadRequest: there is no such template, or its text is none.
            BadPath, BoardNotFound, BadDocument: as for each edit.
        """
        caller.require(Role.STEERER, "add to a board")
        if bool(request.template) == bool(request.text):
            raise errors.BadRequest(["template: give the name of a ready one, or the `text` of one, and not both"])
        text = request.text or await asyncio.to_thread(templates.text_of, request.template)
        view = await asyncio.to_thread(templates.view_of, text)
        there = (await self._boards.get(caller, path)).objects.values()
        boxes = [box(one) for one in there]
        left = max((right for _, _, right, _ in boxes), default=-_GAP) + _GAP
        top = min((top for _, top, _, _ in boxes), default=0)
        return await self._boards.add_all(caller, path, key, lambda ids: templates.placed(view, ids, left, top))

    async def export(self, caller: Caller, path: str) -> BoardFile:
        """The board's zones and notes as the file of a template.

        Errors:
            BadPath, BoardNotFound.
        """
        caller.require(Role.VIEWER, "read this board")
        board = await self._boards.get(caller, path)
        return BoardFile(text=templates.export(board.meta, board.objects))
