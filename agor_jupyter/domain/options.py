"""An option: what an agent lets a person choose for a session, such as its model or its mode."""

from typing import Annotated, Literal

from pydantic import Field

from agor_jupyter.domain.records import Moment, Record, Request

MODEL, MODE = "model", "mode"
"""The ids of these two options, by whatever way the agent offers them."""

OptionValues = Annotated[dict[str, str], Field(max_length=50)]
"""An option's id and the id of the chosen value."""


class OptionChoice(Record):
    id: str
    name: str
    description: str | None = None


class SessionOption(Record):
    """As the agent advertised it last: a list to choose from, or a switch, whose choices are `true` and `false`."""

    id: str
    name: str
    description: str | None = None
    category: Literal["model", "mode", "thought_level", "other"] = "other"
    value: str
    choices: list[OptionChoice]


class Preference(Record):
    """*Saved.* What a person wants from an agent, unless a session says otherwise."""

    username: str
    agent: str
    options: dict[str, str]
    updated_at: Moment


class PreferenceChange(Request):
    """`options` replaces all that were there; an empty one forgets them."""

    options: OptionValues
