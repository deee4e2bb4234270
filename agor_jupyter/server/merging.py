"""What happens to an open notebook whose file is written by somebody else: both are kept.

jupyter-collaboration puts the file's content in place of the document, so what people had typed within the last second is lost. Here, for
notebooks only, the document becomes what stands after both: see `documents.notebooks.merge`. A file that cannot be read is put aside before
the document is written over it.

It replaces methods of `DocumentRoom` and `FileLoader`, which have no hook for this. The tests against a real server notice when they
change.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from jupyter_core.utils import ensure_async
from tornado import web

from agor_jupyter.documents import notebooks
from agor_jupyter.documents.notebooks import Json

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """The services. Files are named by absolute paths, as people opened them."""

    def tell(self, file: Path, conflicts: Sequence[str]) -> None:
        """It was merged; both had changed these cells."""

    async def leads_out(self, file: Path) -> bool:
        """It is a link out of its worktree, or lies behind one, so it is neither read nor written."""

    async def put_aside(self, file: Path) -> bool:
        """Keep what it holds. `False`: it is in no worktree."""


KEEPERS: dict[Path, Keeper] = {}
"""Of the servers of this process, by their roots."""

_TYPE = "notebook"
_SAVE_AFTER_S = 0.1
_MOST_TRIES = 100


def install() -> None:
    """Doing it twice does it once. Does nothing without jupyter-collaboration."""
    try:
        from jupyter_server_ydoc.loaders import FileLoader
        from jupyter_server_ydoc.rooms import DocumentRoom
        from jupyter_server_ydoc.utils import OutOfBandChanges
    except ImportError:
        return
    if getattr(DocumentRoom, "_agor_merges", False):
        return
    DocumentRoom._agor_merges = True  # noqa: SLF001 a name of ours
    _remember(FileLoader)
    _merge_while_saving(FileLoader, OutOfBandChanges)
    on_change = DocumentRoom._on_outofband_change  # noqa: SLF001 what is replaced

    @wraps(on_change)
    async def changed(self: Any) -> None:
        if self._file_type == _TYPE:
            await _merge(self)
        else:
            await on_change(self)

    DocumentRoom._on_outofband_change = changed  # noqa: SLF001


def _remember(loader_class: Any) -> None:
    """What was last read from a notebook's file, or written to it."""
    load, save = loader_class.load_content, loader_class._save_content_at_path  # noqa: SLF001

    @wraps(load)
    async def loaded(self: Any, format: str, file_type: str) -> Any:  # noqa: A002 their name
        if file_type == _TYPE:
            await _require_inside(self)
        model = await load(self, format, file_type)
        if file_type == _TYPE:
            self._agor_base, self._agor_is_unread = model["content"], False
        return model

    @wraps(save)
    async def saved(self: Any, model: Any, path: str) -> Any:
        answer = await save(self, model, path)
        if model.get("type") == _TYPE:
            self._agor_base = model["content"]
        return answer

    loader_class.load_content, loader_class._save_content_at_path = loaded, saved  # noqa: SLF001


def _merge_while_saving(loader_class: Any, changed: type[Exception]) -> None:
    save = loader_class.maybe_save_content

    @wraps(save)
    async def merged(self: Any, model: Any) -> Any:
        if model["type"] != _TYPE:
            return await save(self, model)
        await _require_inside(self)
        if getattr(self, "_agor_is_unread", False):
            await _put_aside(self)
        try:
            return await save(self, model)
        except changed:  # somebody wrote it since it was read
            for callback in list(self._subscriptions.values()):
                await callback()
            return None

    loader_class.maybe_save_content = merged


async def _merge(room: Any) -> None:
    loader, document = room._file, room._document  # noqa: SLF001 there is no other way to them
    base = getattr(loader, "_agor_base", None)
    try:
        content = (await loader.load_content(room.file_format, room.file_type))["content"]
        disk = json.loads(json.dumps(content))  # plain
        disk = notebooks.normal(disk) if _has_ids(disk) else disk
    except Exception as error:  # noqa: BLE001 whatever reading it raises, the document stays
        loader._agor_is_unread, loader._agor_base = True, base  # noqa: SLF001
        log.warning("The file of an open notebook cannot be read, so the document stays as it is: %s", error)
        return
    async with room._update_lock:  # noqa: SLF001 the lock under which they do it
        conflicts = _apply(document, base, disk)
        is_ahead = document.get() != content
        if not is_ahead:
            document.dirty = False
    if is_ahead:
        _save_soon(room)
    for root, keeper in KEEPERS.items():
        keeper.tell(root / loader.path, conflicts)


async def _require_inside(loader: Any) -> None:
    """Raises tornado's 403 for a notebook of a worktree that is a link to somewhere else."""
    for root, keeper in list(KEEPERS.items()):
        if await keeper.leads_out(root / loader.path):
            raise web.HTTPError(HTTPStatus.FORBIDDEN, f"{loader.path} is a link that leads out of its worktree.")


def _apply(document: Any, base: Json | None, disk: Json) -> list[str]:
    """Nothing waits here: nobody's edit comes between what is read and what is written."""
    from agor_jupyter.documents.ynotebook import LiveNotebook

    live = LiveNotebook(document)
    now = live.notebook
    old = notebooks.with_ids_of(base if base is not None else {"cells": [], "metadata": {}}, now)
    merged = notebooks.merge(old, notebooks.with_ids_of(disk, old), now)
    live.apply(merged.notebook)
    return merged.conflicts


def _has_ids(content: object) -> bool:
    cells = content.get("cells") if isinstance(content, dict) else None
    return isinstance(cells, list) and any(isinstance(cell, dict) and "id" in cell for cell in cells)


def _save_soon(room: Any, tries: int = _MOST_TRIES) -> None:
    """The room saves when it sees a change, but not one that is made under the lock."""

    def save() -> None:
        if room._update_lock.locked() and tries:  # noqa: SLF001
            _save_soon(room, tries - 1)
        else:
            room._save_to_disc()  # noqa: SLF001 as a person who saves

    asyncio.get_running_loop().call_later(_SAVE_AFTER_S, save)


async def _put_aside(loader: Any) -> None:
    """Keep what is in the file, which is no notebook, under another name: the document is about to be written there."""
    contents, path = loader._contents_manager, loader.path  # noqa: SLF001
    try:
        if not [True for root, keeper in list(KEEPERS.items()) if await keeper.put_aside(root / path)]:
            model = await ensure_async(contents.get(path, type="file", format="text", content=True))
            folder, slash, name = path.rpartition("/")
            aside = f"{folder}{slash}{notebooks.name_aside(name)}"
            await ensure_async(contents.save({"type": "file", "format": "text", "content": model["content"]}, aside))
        log.warning("The file of an open notebook could not be read, so what it held was kept beside it: %s", path)
    except Exception:
        log.exception("What the unreadable file of an open notebook held could not be kept: %s", path)
    loader._agor_is_unread = False  # noqa: SLF001
