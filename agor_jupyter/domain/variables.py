"""A variable: an environment variable that a person hands to the agents of their sessions. Its value is kept encrypted."""

from pydantic import Field

from agor_jupyter.domain.records import Moment, Record, Request

MIN_VALUE = 8
"""Characters. A shorter value stands in ordinary text too often to be masked, so it is refused."""
MAX_VALUE = 32_768
"""Bytes: the kernel takes 128 KiB for one variable, and 2 MiB for all."""
MAX_VARIABLES = 50
"""For each person."""


class Variable(Record):
    """*Saved.* The value is never part of a record."""

    username: str
    name: str
    updated_at: Moment


class VariableSet(Request):
    value: str = Field(min_length=MIN_VALUE, max_length=MAX_VALUE, repr=False)
    """At least 8 characters, since a shorter one could not be masked."""
