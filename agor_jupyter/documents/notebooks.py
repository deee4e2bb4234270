"""What a notebook's file holds: cells that are known by their ids, outputs as text, and what stands after two changed it at once.

Nothing here reads a file, and nothing in a notebook is trusted: it is whatever its JSON says.
"""

import copy
import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from agor_jupyter.domain.text import plain

Json = dict[str, Any]
"""Of a notebook, a cell or an output. `Any` because its format allows whatever a kernel says."""

MAX_BYTES = 64 << 20
KINDS = ("code", "markdown", "raw")
_FORMAT, _WITH_IDS = 4, 5
_RESULT = ("outputs", "execution_count")
_ASIDE = "The file had this version of the cell above. Both were changed at the same time, and nothing was thrown away."


class Unreadable(ValueError):
    """It is no notebook that cells can be found in. The message says why."""


def name_aside(name: str) -> str:
    """For what an unreadable file of this name holds."""
    return f"{name.removesuffix('.ipynb')[:200]}.unreadable-{secrets.token_hex(3)}.txt"


def parse(text: str) -> Json:
    """A notebook whose cells all have ids, each once, and sources in one piece. Raises `Unreadable`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({error})"[:200]) from None
    return normal(found)


def normal(found: object) -> Json:
    """As `parse` gives it. A cell without an id gets one by its position, `cell-3`, and the format's version that has ids."""
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise Unreadable("it has no list of cells")
    if found.get("nbformat") != _FORMAT:
        raise Unreadable(f"its nbformat is {str(found.get('nbformat'))[:20]!r}, and 4 is needed; open it in JupyterLab and save it")
    taken: set[str] = set()
    cells = []
    for number, cell in enumerate(found["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") not in KINDS:
            raise Unreadable(f"its cell {number} is none of {', '.join(KINDS)}")
        given = cell.get("id")
        name = given if isinstance(given, str) and given and given not in taken else _free(f"cell-{number}", taken)
        taken.add(name)
        cells.append(_fit({**cell, "id": name, "source": joined(cell.get("source"))}))
    metadata = found.get("metadata")
    minor = found.get("nbformat_minor")
    return {
        "cells": cells,
        "metadata": metadata if isinstance(metadata, dict) else {},
        "nbformat": _FORMAT,
        "nbformat_minor": max(_WITH_IDS, minor if isinstance(minor, int) else 0),
    }


def dump(notebook: Json) -> str:
    """The file, written as Jupyter writes it."""
    import nbformat  # loads jsonschema and its grammars, which takes longer than all of ours

    return str(nbformat.v4.writes(nbformat.from_dict(copy.deepcopy(notebook)))) + "\n"  # type: ignore[no-untyped-call]


def joined(text: object) -> str:
    """Notebooks keep texts in one piece or as lines."""
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


def seen(cell: Json) -> str:
    """Changes with the cell's source and kind, and with nothing else."""
    return hashlib.sha256(f"{cell.get('cell_type')}\n{joined(cell.get('source'))}".encode(errors="surrogatepass")).hexdigest()[:12]


def new_cell(cell_id: str, kind: str, source: str) -> Json:
    return _fit({"id": cell_id, "cell_type": kind, "source": source, "metadata": {}})


class FileNotebook:
    """Cells of a file that nobody has open, to be changed before it is written."""

    is_open = False

    def __init__(self, notebook: Json) -> None:
        self.notebook = notebook

    def cells(self) -> list[Json]:
        return list(self.notebook["cells"])

    def insert(self, index: int, cell: Json) -> None:
        self.notebook["cells"].insert(index, cell)

    def set_source(self, index: int, source: str) -> None:
        self.notebook["cells"][index]["source"] = source

    def delete(self, index: int) -> None:
        del self.notebook["cells"][index]

    def set_outputs(self, index: int, outputs: Sequence[Json], count: int | None, *, is_running: bool) -> None:  # noqa: ARG002 nobody sees it
        self.notebook["cells"][index] |= {"outputs": copy.deepcopy(list(outputs)), "execution_count": count}


# Two versions at once


@dataclass(frozen=True, kw_only=True)
class Merged:
    notebook: Json
    conflicts: list[str]
    """Ids of the cells whose source both had changed: the live one stayed, and the file's stands in a cell of its own beneath."""


def merge(base: Json, disk: Json, live: Json) -> Merged:
    """What stands after a file was written while people had it open.

    Args:
        base: What was last read from the disk or written to it.
        disk: What the file holds now.
        live: What people see. Where both changed the same, this stays, but no source of the file is lost.

    A cell that one side deleted and the other one changed is kept.

    """
    olds, news, ours = _by_id(base), _by_id(disk), _by_id(live)
    cells: dict[str, Json] = {}
    asides: dict[str, Json] = {}
    for key, our in ours.items():
        old, new = olds.get(key), news.get(key)
        if new is not None:
            cells[key], is_conflict = _merge_cell(old or {}, new, our)
            if is_conflict:
                asides[key] = _aside(new, our)
        elif old is None or seen(old) != seen(our):
            cells[key] = our
    cells |= {key: new for key, new in news.items() if key not in ours and (key not in olds or seen(olds[key]) != seen(new))}
    order = []
    for key in _order(list(olds), list(news), list(ours), cells):
        order.append(cells[key])
        if key in asides and asides[key]["id"] not in cells:
            order.append(asides[key])
    metadata = _merge_fields(base.get("metadata", {}), disk.get("metadata", {}), live.get("metadata", {}))
    return Merged(notebook={**live, "cells": order, "metadata": metadata}, conflicts=list(asides))


def with_ids_of(notebook: Json, like: Json) -> Json:
    """`notebook` with ids for its cells that have none: those of the cells of `like` that are the same, or stand in the same place."""
    cells, others = list(notebook.get("cells", [])), list(like.get("cells", []))
    if all("id" in cell for cell in cells):
        return notebook
    given: dict[int, str] = {}
    matcher = SequenceMatcher(a=[seen(one) for one in others], b=[seen(one) for one in cells], autojunk=False)
    for _, a1, a2, b1, b2 in matcher.get_opcodes():
        given |= {there: others[here]["id"] for here, there in zip(range(a1, a2), range(b1, b2), strict=False)}
    taken = {*given.values(), *(cell["id"] for cell in cells if "id" in cell)}
    named = []
    for number, cell in enumerate(cells):
        name = cell.get("id") or given.get(number)
        if name is None:
            name = _free(f"cell-{number + 1}", taken)
            taken.add(name)
        named.append({**cell, "id": name})
    return {**notebook, "cells": named}


def _merge_cell(old: Json, new: Json, our: Json) -> tuple[Json, bool]:
    merged = dict(our)
    for key in [key for key in {**old, **new, **our} if key not in {"id", "metadata", *_RESULT}]:
        before, theirs, mine = old.get(key), new.get(key), our.get(key)
        if theirs not in (before, mine) and mine == before:
            _put(merged, key, theirs)
    is_conflict = new.get("source") not in {old.get("source"), our.get("source")} and our.get("source") != old.get("source")
    metadata = _merge_fields(_metadata(old), _metadata(new), _metadata(our))
    before, theirs, mine = ([one.get(key) for key in _RESULT] for one in (old, new, our))
    if theirs not in (before, mine) and mine == before:
        for key, value in zip(_RESULT, theirs, strict=True):
            _put(merged, key, value)
        metadata = _with_trust(metadata, new)  # whoever wrote them, they run in a browser only if Jupyter says so
    else:
        metadata = _with_trust(metadata, our)
    return _fit({**merged, "metadata": metadata}), is_conflict


def _merge_fields(old: Json, new: Json, our: Json) -> Json:
    merged = dict(our)
    for key in {**old, **new}:
        if new.get(key) not in (old.get(key), our.get(key)) and our.get(key) == old.get(key):
            _put(merged, key, new.get(key))
    return merged


def _metadata(cell: Json) -> Json:
    found = cell.get("metadata")
    return {key: value for key, value in found.items() if key != "trusted"} if isinstance(found, dict) else {}


def _with_trust(metadata: Json, cell: Json) -> Json:
    found = cell.get("metadata")
    return {**metadata, "trusted": found["trusted"]} if isinstance(found, dict) and "trusted" in found else metadata


def _put(target: Json, key: str, value: object) -> None:
    if value is None and key != "execution_count":
        target.pop(key, None)
    else:
        target[key] = value


def _aside(new: Json, our: Json) -> Json:
    """Made of what it holds, so that two who merge the same make the same cell."""
    note = f"# {_ASIDE}" if new.get("cell_type") == "code" else f"*{_ASIDE}*\n"
    name = hashlib.sha256(f"{our['id']} {seen(new)} {seen(our)}".encode()).hexdigest()[:8]
    return new_cell(name, str(new.get("cell_type")), f"{note}\n{joined(new.get('source'))}")


def _order(old: list[str], new: list[str], our: list[str], kept: Iterable[str]) -> list[str]:
    """As people see it, unless only the file's cells were put into another order."""
    there = set(kept)
    in_all = there & set(old) & set(new) & set(our)
    was, is_new, is_ours = ([key for key in keys if key in in_all] for keys in (old, new, our))
    first, second = (new, our) if is_new != was and is_ours == was else (our, new)
    found = [key for key in first if key in there]
    for number, key in enumerate(second):
        if key in there and key not in found:
            before = next((one for one in reversed(second[:number]) if one in found), None)
            found.insert(0 if before is None else found.index(before) + 1, key)
    return found


def _by_id(notebook: Json) -> dict[str, Json]:
    return {cell["id"]: cell for cell in notebook.get("cells", [])}


def _fit(cell: Json) -> Json:
    """With the fields that its kind has."""
    if not isinstance(cell.get("metadata"), dict):
        cell = {**cell, "metadata": {}}
    if cell["cell_type"] == "code":
        outputs = cell.get("outputs")
        outputs = [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
        return {**cell, "outputs": outputs, "execution_count": cell.get("execution_count")}
    return {key: value for key, value in cell.items() if key not in _RESULT}


def _free(name: str, taken: set[str]) -> str:
    number = 2
    wanted = name
    while wanted in taken:
        wanted, number = f"{name}-{number}", number + 1
    return wanted


# Outputs


class Outputs:
    """What one run of a cell shows, collected from a kernel's messages."""

    def __init__(self, limit: int) -> None:
        self.items: list[Json] = []
        self.count: int | None = None
        self._room, self._clears = limit, False

    def take(self, kind: str, content: Json) -> bool:
        """Whether anything changed. Over the limit, nothing more is kept, and the last output says so."""
        match kind:
            case "execute_input":
                self.count = content.get("execution_count")
                return True
            case "clear_output":
                self._clears = True
                if not content.get("wait"):
                    self._clear()
                return True
            case "stream":
                return self._add({"output_type": kind, "name": str(content.get("name")), "text": str(content.get("text", ""))})
            case "display_data" | "execute_result" | "error":
                fields = ("data", "metadata", "execution_count", "ename", "evalue", "traceback")
                output = {"output_type": kind, **{key: content[key] for key in fields if key in content}}
                if kind == "display_data":
                    output.pop("execution_count", None)
                if (name := _display(content)) is not None:
                    output["transient"] = {"display_id": name}
                return self._add(output)
            case "update_display_data":
                changed = [one for one in self.items if _display(one) == _display(content) is not None]
                for one in changed:
                    one |= {"data": content.get("data", {}), "metadata": content.get("metadata", {})}
                return bool(changed)
        return False

    def final(self) -> list[Json]:
        """As a notebook keeps them."""
        return [{key: value for key, value in one.items() if key != "transient"} for one in self.items]

    def _add(self, output: Json) -> bool:
        if self._clears:
            self._clear()
        if self._room <= 0:
            return False
        self._room -= len(json.dumps(output, default=str))
        if self._room <= 0:
            output = {"output_type": "stream", "name": "stderr", "text": "[More was shown than is kept of one run.]\n"}
        last = self.items[-1] if self.items else {}
        if output["output_type"] == "stream" and (last.get("output_type"), last.get("name")) == ("stream", output["name"]):
            last["text"] += output["text"]
        else:
            self.items.append(output)
        return True

    def _clear(self) -> None:
        self.items, self._clears = [], False


def shown(output: Json, limit: int) -> Json:
    """An output as an agent reads it: text of at most `limit` characters, without colours; of pictures and their like, kind and size."""
    kind = output.get("output_type")
    if kind == "stream":
        return {"kind": str(output.get("name") or "stdout"), "text": cut(joined(output.get("text")), limit)}
    if kind == "error":
        lines = output.get("traceback")
        trace = "\n".join(str(line) for line in lines) if isinstance(lines, list) else ""
        name, value = cut(str(output.get("ename", "")), 200), cut(str(output.get("evalue", "")), limit)
        return {"kind": "error", "ename": name, "evalue": value, "traceback": cut(trace, limit)}
    found = output.get("data")
    data: Json = found if isinstance(found, dict) else {}
    answer: Json = {"kind": "result" if kind == "execute_result" else "display"}
    text = next((joined(data[mime]) for mime in ("text/plain", "text/markdown", "text/html") if mime in data), None)
    if text is not None:
        answer["text"] = cut(text, limit)
    others = {plain(str(mime))[:100]: _size(value) for mime, value in list(data.items())[:20] if not str(mime).startswith("text/plain")}
    if others:
        answer["also"] = [f"{mime}, {size} characters" for mime, size in others.items()]
    return answer


def cut(text: str, limit: int) -> str:
    """Plain, and its beginning and end where it is too long."""
    text = plain(text)
    if len(text) <= limit:
        return text
    half = max(limit // 2, 1)
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _display(content: Json) -> str | None:
    transient = content.get("transient")
    name = transient.get("display_id") if isinstance(transient, dict) else None
    return name if isinstance(name, str) else None


def _size(value: object) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))
