"""What a shell prints: plain aligned text, or with `--json` exactly the records of the wire.

What an agent wrote is only ever shown: nothing printed here commands a terminal.
"""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from agor_jupyter.domain.records import Record
from agor_jupyter.notebook.display.views import visible

AsJson = Annotated[bool, typer.Option("--json", help="Print the records as JSON.")]


def show_json(value: object) -> None:
    """Records, lists of them, or plain JSON."""
    if isinstance(value, Record):
        value = value.model_dump(mode="json")
    elif isinstance(value, list):
        value = [item.model_dump(mode="json") if isinstance(item, Record) else item for item in value]
    print(_plain(json.dumps(value, indent=2, ensure_ascii=False)))


def show_line(record: Record) -> None:
    """A record as JSON on one line, at once."""
    print(_plain(record.encode().decode()), flush=True)


def _plain(text: str) -> str:
    """The same JSON, with escapes for what a terminal would obey."""
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    if not rows:
        print(empty, file=sys.stderr)
        return
    cells = [
        tuple(map(str, header)),
        *(tuple("" if cell is None else " ".join(visible(str(cell)).split()) for cell in row) for row in rows),
    ]
    widths = [min(max(len(row[column]) for row in cells), 60) for column in range(len(header))]
    for row in cells:
        print("  ".join(cell[:60].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def facts(pairs: Sequence[tuple[str, object]]) -> None:
    shown = [(name, visible(str(value))) for name, value in pairs if value not in (None, "", [])]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name.ljust(width)}  {value}")


def changed(files: int, added: int, deleted: int) -> str:
    return f"{files} file{'' if files == 1 else 's'} +{added} -{deleted}" if files else "no files"


_OPTIONS = {"force=True": "--force", "existing_branch": "--existing-branch"}
"""What a sentence of the API calls by its keyword is an option here."""


def fail(error: BaseException) -> int:
    sentence = visible(str(error))
    for keyword, option in _OPTIONS.items():
        sentence = sentence.replace(keyword, option)
    print(sentence, file=sys.stderr)
    return 1
