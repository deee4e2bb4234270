"""The live document of a notebook that people have open: cells changed by their ids, each change as small as it can be."""

from collections.abc import Sequence
from typing import Any

from jupyter_ydoc import YNotebook
from pycrdt import Array, Map, Text

from agor_jupyter.documents.notebooks import Json

_CODE = ("outputs", "execution_count")


class LiveNotebook:
    """Never keep it: its room may be gone in the next moment. Nothing here waits, so nobody else changes it meanwhile."""

    is_open = True

    def __init__(self, document: YNotebook) -> None:
        self._document, self._cells = document, document.ycells

    @property
    def notebook(self) -> Json:
        """All of it. Its cells have ids, also where its format has none."""
        metadata = self._document._ymeta.to_py() or {}  # noqa: SLF001 `get` would leave the ids away
        minor = metadata.get("nbformat_minor", 5)
        return {"cells": self.cells(), "metadata": metadata.get("metadata", {}), "nbformat": 4, "nbformat_minor": int(minor)}

    def cells(self) -> list[Json]:
        self._drop_twins()
        return [{**self._document.get_cell(index), "id": str(cell["id"])} for index, cell in enumerate(self._cells)]

    def insert(self, index: int, cell: Json) -> None:
        self._cells.insert(index, self._document.create_ycell(cell))
        self._keep_ids()

    def set_source(self, index: int, source: str) -> None:
        self._document.set_cell(index, source=source)
        self._keep_ids()

    def delete(self, index: int) -> None:
        del self._cells[index]
        self._keep_ids()

    def set_outputs(self, index: int, outputs: Sequence[Json], count: int | None, *, is_running: bool) -> None:  # noqa: ARG002 see below
        """Whether it runs is left to browsers: they set that themselves, and stumble over another one who does at the same time."""
        cell = self._cells[index]
        value = None if count is None else float(count)
        with self._document.ydoc.transaction():
            if cell.get("execution_count") != value:
                cell["execution_count"] = value
            if self._document.get_cell(index).get("outputs") != list(outputs):
                _put_outputs(cell, outputs)

    def apply(self, notebook: Json) -> None:
        """Make it what `notebook` says. What is the same already is not touched, so what others type there just now is not lost."""
        with self._document.ydoc.transaction():
            self._drop_twins()
            self._apply_metadata(notebook["metadata"])
            wanted = {cell["id"] for cell in notebook["cells"]}
            for index in reversed(range(len(self._cells))):
                if self._cells[index]["id"] not in wanted:
                    del self._cells[index]
            for index, cell in enumerate(notebook["cells"]):
                self._apply_cell(index, cell)

    def _apply_metadata(self, wanted: Json) -> None:
        meta = self._document._ymeta  # noqa: SLF001 it has no other door
        held = meta.get("metadata")
        if isinstance(held, Map):
            _apply_map(held, wanted)
        elif held != wanted:
            meta["metadata"] = Map(wanted)

    def _apply_cell(self, index: int, cell: Json) -> None:
        there = [one["id"] for one in self._cells]
        if index >= len(there) or there[index] != cell["id"]:
            if cell["id"] in there:  # browsers know no moving
                del self._cells[there.index(cell["id"])]
            self._cells.insert(index, self._document.create_ycell(cell))
            return
        held = self._document.get_cell(index)
        if {**held, "id": cell["id"]} == cell:
            return
        if held["cell_type"] != cell["cell_type"]:
            self._document.set_cell(index, cell)
            return
        if held["source"] != cell["source"]:
            self._document.set_cell(index, source=cell["source"])
        shared = self._cells[index]
        if isinstance(shared.get("metadata"), Map):
            _apply_map(shared["metadata"], cell.get("metadata", {}))
        if cell["cell_type"] == "code" and any(held.get(key) != cell.get(key) for key in _CODE):
            shared["execution_count"] = cell.get("execution_count")
            if held.get("outputs") != cell.get("outputs"):
                _put_outputs(shared, cell.get("outputs", []))
        if held.get("attachments") != cell.get("attachments"):
            shared["attachments"] = cell.get("attachments", {})

    def _drop_twins(self) -> None:
        """Two cells with one id, which only an error of a client makes: the later ones get ids of their own."""
        known: set[str] = set()
        for cell in self._cells:
            name = cell.get("id")
            if not isinstance(name, str) or name in known:
                number = 2
                while f"{name}-{number}" in known:
                    number += 1
                cell["id"] = name = f"{name}-{number}"
            known.add(name)

    def _keep_ids(self) -> None:
        """The version of the format whose cells have ids in the file, too."""
        meta = self._document._ymeta  # noqa: SLF001 as above
        if int(meta.get("nbformat_minor", 0)) < 5:
            meta["nbformat_minor"] = 5.0


def _apply_map(held: Map[Any], wanted: Json) -> None:
    have = held.to_py() or {}
    for key in have.keys() - wanted.keys():
        del held[key]
    for key, value in wanted.items():
        if key not in have or have[key] != value:
            held[key] = value


def _put_outputs(cell: Map[Any], outputs: Sequence[Json]) -> None:
    """As JupyterLab holds them: a stream's text can grow."""
    made = []
    for output in outputs:
        fields = dict(output)
        if fields.get("output_type") == "stream":
            text = fields.get("text", "")
            fields["text"] = Text("".join(text) if isinstance(text, list) else text)
        made.append(Map(fields))
    held = cell.get("outputs")
    if isinstance(held, Array):
        held.clear()
        held.extend(made)
    else:
        cell["outputs"] = Array(made)
