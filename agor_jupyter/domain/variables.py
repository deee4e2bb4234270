"""A variable: an environment variable that a person hands to the agents of their sessions. Its value is kept encrypted."""

from pydantic import Field

from agor_jupyter.domain.records import Moment, Record, Request

MAX_VALUE = 32_768
"""Characters."""


class Variable(Record):
    """*Saved.* The value is never part of a record."""

    username: str
    name: str
    updated_at: Moment


class VariableSet(Request):
    value: str = Field(min_length=1, max_length=MAX_VALUE, repr=False)
