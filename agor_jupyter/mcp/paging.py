"""Small answers: some of a list, and of each only the fields that were asked for."""

from collections.abc import Sequence

from pydantic import Field

from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.records import Record
from agor_jupyter.mcp.tool import Input


class Choosing(Input):
    fields: list[str] | None = Field(default=None, max_length=60)
    """Which fields of each to answer with. Default: the most useful ones. `["all"]`: every one."""


class Paged(Choosing):
    limit: int = Field(default=20, ge=1, le=200)
    next: str | None = Field(default=None, max_length=20)
    """The `next` of the previous answer, for more."""


def chosen(record: Record, request: Choosing, usual: Sequence[str]) -> dict[str, object]:
    """Raises `BadRequest` for a field that there is not."""
    known = list(type(record).model_fields)
    wanted = request.fields if request.fields is not None else list(usual)
    if wanted == ["all"]:
        wanted = known
    for name in wanted:
        if name not in known:
            raise BadRequest([f"fields: there is no {name[:60]!r}; there are {', '.join(known)}"])
    return record.model_dump(mode="json", by_alias=False, include=set(wanted))


def shown(record: Record, *fields: str) -> dict[str, object]:
    """Those fields of a record."""
    return record.model_dump(mode="json", by_alias=False, include=set(fields))


def page(items: Sequence[Record], request: Paged, usual: Sequence[str]) -> dict[str, object]:
    """The answer of a tool that lists. `total` is how many there are; `next` is `None` at the end."""
    try:
        start = int(request.next) if request.next is not None else 0
    except ValueError:
        start = -1
    if start < 0:
        raise BadRequest(["next: it is not the `next` of an answer; leave it away to begin anew"])
    shown = items[start : start + request.limit]
    end = start + len(shown)
    return {
        "items": [chosen(one, request, usual) for one in shown],
        "total": len(items),
        "next": str(end) if end < len(items) else None,
    }
