"""How a board is read and changed: in its live document while somebody has it open, else in its file. Knows no caller and no worktree.

One change of a board is made at a time.
"""

import asyncio
import functools
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from weakref import WeakValueDictionary

from agor_jupyter.documents import boards as document_boards
from agor_jupyter.documents import files
from agor_jupyter.documents.boards import Json, View
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardInfo, Problem
from agor_jupyter.services.boards.rooms import Changes, Rooms
from agor_jupyter.services.boards.watches import Watches

log = logging.getLogger(__name__)

_TRIES = 5

Plan = Callable[[View], Changes]
"""What is to be changed of the board as it is now. May be asked again when another program changed the file meanwhile."""


class Edits:
    def __init__(self, root: Path, rooms: Rooms, watches: Watches) -> None:
        self.root, self.rooms, self.watches = root, rooms, watches
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, path: str) -> AbstractAsyncContextManager[None]:
        """Within it nobody else changes the board at `path`."""
        return self._locks.setdefault(path, asyncio.Lock())

    # Read

    async def is_there(self, path: str) -> bool:
        """Raises `BadPath`."""
        return await asyncio.to_thread(files.is_there, self.root, files.check(path))

    async def view(self, path: str) -> View:
        """A file that cannot be read gives an empty view that says so. Raises `BoardNotFound`."""
        if not await asyncio.to_thread(files.is_there, self.root, path):
            raise errors.BoardNotFound(path)
        document = await self.rooms.get_document(path)
        if document is not None:
            view = document.view()
            trouble = document.problem
            return view if trouble is None else View(view.meta, view.objects, [Problem(text=trouble), *view.problems])
        return await asyncio.to_thread(self._read, path)

    async def trouble(self, path: str) -> str | None:
        """Why the board cannot be changed now."""
        document = await self.rooms.get_document(path)
        if document is not None:
            return document.problem
        view = await asyncio.to_thread(self._read, path)
        return next((problem.text for problem in view.problems if problem.object_id is None and not view.objects), None)

    def describe(self, path: str) -> BoardInfo:
        """From the file: looking at a list opens no room. Blocks."""
        try:
            view = self._read(path)
        except (errors.BoardNotFound, errors.BadPath) as error:
            return BoardInfo(path=path, title="", object_count=0, problems=[Problem(text=error.message)])
        return BoardInfo(path=path, title=view.meta.title, object_count=len(view.objects), problems=view.problems)

    def _read(self, path: str) -> View:
        try:
            return _view_of(files.read(self.root, path))
        except document_boards.Unreadable as error:
            return View(problems=[Problem(text=f"The file cannot be read: {error}. It was left as it is.")])
        except errors.BadDocument as error:
            return View(problems=[Problem(text=error.message)])

    # Change

    async def make(self, path: str, meta: Json | None = None) -> None:
        """The file of a board that has none. What somebody still has open of a board whose file was taken away is put back."""
        document = await self.rooms.get_document(path)
        is_open = document is not None and document.problem is None and bool(document.view().objects)
        text = document.text() if document is not None and is_open else document_boards.write(meta or {}, {})
        await asyncio.to_thread(files.create, self.root, path, text)
        await self.watches.tell(path)

    async def change(self, path: str, plan: Plan) -> View:
        """Carry out what `plan` makes of the board as it is. What is returned shows the changes.

        Errors:
            BoardNotFound.
            BadDocument: it cannot be read, or another program keeps changing it.
        """
        async with self.alone(path):
            return await self.change_alone(path, plan)

    async def attempt(self, path: str, plan: Plan) -> None:
        """As `change`; on a board that cannot be changed now it waits until the board is repaired."""
        try:
            await self.change(path, plan)
        except (errors.BadDocument, errors.BoardNotFound) as error:
            log.warning("The cards of a board wait until it is repaired: %s", error)

    async def change_alone(self, path: str, plan: Plan) -> View:
        """As `change`, by one who holds the board `alone`."""
        document = await self.rooms.get_document(path)
        if document is None:
            return await asyncio.to_thread(self._change_file, path, plan)
        if document.problem is not None:
            raise errors.BadDocument(path, document.problem)
        if changes := plan(document.view()):
            document.edit(changes)
        return document.view()

    def _change_file(self, path: str, plan: Plan) -> View:
        for _ in range(_TRIES):
            text = files.read(self.root, path)
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
                    merged = {**held, **fields} if isinstance(held, dict) else fields
                    objects[key] = {name: value for name, value in merged.items() if name not in fields or value is not None}
            if files.replace(self.root, path, document_boards.write(meta, objects), expected=text):
                return document_boards.view(meta, document_boards.texts_of(objects))
        raise errors.BadDocument(path, "another program keeps changing it")


@functools.lru_cache(4)
def _view_of(text: str) -> View:
    """What of a file can be shown. Nobody changes a view, and most files are as they were. Raises `Unreadable`."""
    meta, objects = document_boards.parse(text)
    return document_boards.view(meta, document_boards.texts_of(objects))
