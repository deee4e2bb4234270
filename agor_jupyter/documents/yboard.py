"""The shared document of a board, for the room server of jupyter-collaboration or jupyter-server-documents.

Root maps `meta` and `objects`; each object is a map of its fields. `state.problem` says why the file cannot be read.

A change on disk and one in the room both survive: `set` merges three ways, from what was last read from or written to disk. A
file that cannot be read is left as it is: `get` gives back what is on disk until it is repaired.
"""

import asyncio
import contextlib
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_ydoc.ybasedoc import YBaseDoc
from pycrdt import Array, Awareness, Doc, Map, Text

from agor_jupyter.documents import boards
from agor_jupyter.documents.boards import Json, Unreadable, View

_MAX_DEPTH = 16
_SAVE_AFTER_S = 0.3

_Loaded = tuple[Json, dict[str, str]] | str
"""What was read from disk: `meta` and each object's text; or the text of a file that cannot be read."""

_loaded: OrderedDict[str, _Loaded] = OrderedDict()
"""What a passing document read, for the room's own document that gets its content as an update: jupyter-collaboration loads
a file into a document with client id 0 and applies that to the room. By hash; taken once."""


class YBoard(YBaseDoc):
    def __init__(self, ydoc: Doc[Any] | None = None, awareness: Awareness | None = None) -> None:
        super().__init__(ydoc, awareness)
        self._ymeta: Map[Any] = self._ydoc.get("meta", type=Map)
        self._yobjects: Map[Any] = self._ydoc.get("objects", type=Map)
        self.undo_manager.expand_scope(self._yobjects)
        self._base: tuple[Json, dict[str, str]] | None = None
        self._given: tuple[Json, dict[str, str]] | None = None
        self._unread: str | None = None
        self._texts: dict[str, str] = {}
        self._stale: set[str] | None = None  # None: all
        self._watch = self._yobjects.observe_deep(self._on_objects)
        self._arrival = self._ystate.observe(self._on_state)

    @property
    def version(self) -> str:
        return "1.0.0"

    @property
    def problem(self) -> str | None:
        """Why the file on disk cannot be read, or `None`."""
        value = self._ystate.get("problem")
        return value if isinstance(value, str) and value else None

    @property
    def dirty(self) -> bool | None:
        value: bool | None = self._ystate.get("dirty")
        return value

    @dirty.setter
    def dirty(self, value: bool) -> None:
        if not value and self._given is not None:  # the servers say so after a save that succeeded, and only then
            self._base, self._given = self._given, None
        self._ystate["dirty"] = value

    def get(self) -> str:
        if self._unread is not None:
            return self._unread
        self._given = self._snapshot()
        if self._base is None:
            self._base = self._given
        return boards.dump(*self._given)

    def set(self, value: str) -> None:
        try:
            meta, objects = boards.parse(value if isinstance(value, str) else json.dumps(value))
        except Unreadable as error:
            self._unread, self._given = value, None
            self._publish(value, value)
            self._ystate["problem"] = (
                f"The file cannot be read: {error}. It was left as it is; until it is repaired, changes are not saved."
            )
            return
        base, was_unread = self._base, self._unread is not None
        self._unread = self._given = None
        texts = boards.texts_of(objects)
        if base is None:
            base = ({}, {}) if was_unread or not len(self._yobjects) else self._snapshot()
        with self._ydoc.transaction():
            if was_unread or self.problem:
                self._ystate["problem"] = ""
            _merge(self._ymeta, base[0], meta)
            for key in sorted(base[1].keys() - texts.keys()):
                self._yobjects.pop(key, None)
            for key in sorted(texts):
                before = base[1].get(key)
                if before != texts[key]:
                    _merge_entry(self._yobjects, key, None if before is None else json.loads(before), objects[key])
        self._base = (boards.normalise(meta, is_object=False), texts)
        self._publish(value, self._base)
        if self._ydoc.client_id != 0 and self._snapshot() != self._base:
            self._save_later()

    def observe(self, callback: Callable[[str, Any], None]) -> None:
        self.unobserve()
        self._subscriptions[self._ystate] = self._ystate.observe(partial(callback, "state"))
        self._subscriptions[self._ymeta] = self._ymeta.observe_deep(partial(callback, "meta"))
        self._subscriptions[self._yobjects] = self._yobjects.observe_deep(partial(callback, "objects"))

    # For the server's own reading and editing

    def view(self) -> View:
        """What can be shown, and what is wrong."""
        meta, texts = self._snapshot()
        return boards.view(meta, texts)

    def text(self) -> str:
        """The file for what it holds now. Unlike `get`, no save is on its way."""
        return boards.dump(*self._snapshot())

    def edit(self, changes: dict[str, Json | None], *, title: str | None = None) -> None:
        """In one transaction: add or change an object's fields; `None` takes the object away, or the field."""
        with self._ydoc.transaction():
            if title is not None:
                self._ymeta["title"] = title
            for key, fields in changes.items():
                if fields is None:
                    self._yobjects.pop(key, None)
                elif isinstance(held := self._yobjects.get(key), Map):
                    for name, value in fields.items():
                        if value is None:
                            held.pop(name, None)
                        else:
                            held[name] = value
                else:
                    self._yobjects[key] = Map({name: value for name, value in fields.items() if value is not None})

    def _snapshot(self) -> tuple[Json, dict[str, str]]:
        keys = list(self._yobjects.keys()) if self._stale is None else list(self._stale)
        self._stale = set()
        for key in keys:
            if key in self._yobjects:
                self._texts[key] = boards.dump_object(boards.normalise(_plain(self._yobjects[key])))
            else:
                self._texts.pop(key, None)
        return boards.normalise(_plain(self._ymeta), is_object=False), dict(self._texts)

    def _on_objects(self, events: list[Any]) -> None:
        if self._stale is None:
            return
        for event in events:
            if event.path:
                self._stale.add(str(event.path[0]))
            else:
                self._stale.update(event.keys)

    def _save_later(self) -> None:
        """The room holds edits that are not in the file that was just merged: have it saved, or the next load loses them.

        The servers save when they see a change outside of `set`, which they call under a lock.
        """
        with contextlib.suppress(RuntimeError):  # no loop: a test, or a document that no server holds
            asyncio.get_running_loop().call_later(_SAVE_AFTER_S, self._mark_dirty)

    def _mark_dirty(self) -> None:
        if self._unread is None:
            self._ystate["dirty"] = True

    def _publish(self, value: str, loaded: _Loaded) -> None:
        if self._ydoc.client_id != 0:
            return
        digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
        self._ystate["loaded"] = digest
        _loaded[digest] = loaded
        while len(_loaded) > 8:
            _loaded.popitem(last=False)

    def _on_state(self, event: Any) -> None:
        """Find out what the room was loaded with, at the moment its content arrives. The document cannot be read here."""
        change = event.keys.get("loaded")
        if change is None or self._base is not None or self._unread is not None or self._ydoc.client_id == 0:
            return
        digest = change.get("newValue")
        found = _loaded.pop(digest, None) if isinstance(digest, str) else None
        if isinstance(found, str):
            self._unread = found
        elif found is not None:
            self._base = found


def _merge(target: Map[Any], base: Json, new: Json) -> None:
    """Carry the difference between `base` and `new` over to `target`."""
    for key in sorted(base.keys() - new.keys()):
        target.pop(key, None)
    for key in sorted(new):
        if key not in base or boards.normalise(new[key]) != boards.normalise(base[key]):
            target[key] = new[key]


def _merge_entry(objects: Map[Any], key: str, before: object, after: object) -> None:
    held = objects.get(key)
    if isinstance(before, dict) and isinstance(after, dict) and isinstance(held, Map):
        _merge(held, before, boards.normalise(after))
    elif not isinstance(after, dict):
        objects[key] = after
    else:
        objects[key] = Map({name: after[name] for name in sorted(after)})


def _plain(value: Any, depth: int = 0) -> Any:
    """Plain JSON of whatever a client put into the document."""
    if isinstance(value, Text):
        return str(value)
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Map | dict):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, Array | list):
        return [_plain(inner, depth + 1) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else None
