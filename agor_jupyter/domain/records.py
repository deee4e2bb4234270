"""The base of every record: frozen, keyword-only, strict about unknown names, camelCase on the wire."""

import json
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, PlainSerializer
from pydantic.alias_generators import to_camel


def _isoformat(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(_isoformat, return_type=str, when_used="json")]
"""An aware UTC time, written as ISO 8601 with milliseconds."""

JsonObject = dict[str, Any]
"""Free JSON. `Any` because JSON has no narrower type that Pydantic can serialise quickly."""


def _finite(value: JsonObject) -> JsonObject:
    try:
        json.dumps(value, allow_nan=False)
    except TypeError as error:
        raise ValueError(str(error)) from None  # Pydantic turns only this one into a problem of the field
    return value


Context = Annotated[JsonObject, AfterValidator(_finite)]
"""Free JSON that somebody sends. NaN and Infinity are none, and would be kept as null."""

Coordinate = Annotated[FiniteFloat, Field(ge=-1_000_000, le=1_000_000)]
"""On a board, in board units."""


class Record(BaseModel):
    """A saved or sent thing. A change makes a new record with `replace`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    def replace(self, **changes: object) -> Self:
        """The same record with some fields changed, validated again."""
        return type(self).model_validate({**dict(self), **changes})

    def encode(self) -> bytes:
        """The wire form."""
        return self.model_dump_json().encode()


class Request(Record):
    """What a client asks for. Unknown names are refused."""
