"""What an agent lets you choose, and what you prefer, as a cell shows them."""

from collections.abc import Mapping

from agor_jupyter.domain.options import MODE, MODEL, Preference, SessionOption
from agor_jupyter.notebook.handles import Handles, columns


def chosen(model: str | None, mode: str | None, options: Mapping[str, str] | None) -> dict[str, str]:
    """As one mapping. A switch may be given as True or False."""
    named = {name: value for name, value in ((MODEL, model), (MODE, mode)) if value is not None}
    return {**named, **{name: _word(value) for name, value in (options or {}).items()}, **named}


def table(options: list[SessionOption]) -> Handles[SessionOption]:
    return Handles("option", options, _columns, lambda one: one.id, line, kind=SessionOption)


def line(option: SessionOption) -> str:
    others = ", ".join(choice.id for choice in option.choices if choice.id != option.value)
    return f"{option.id} = {option.value}" + (f"  (or {others})" if others else "")


def preferences(found: list[Preference]) -> Handles[Preference]:
    return Handles("preference", found, columns, lambda one: one.agent, _preference_line, kind=Preference)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _columns(option: SessionOption) -> dict[str, object]:
    return columns(option) | {"choices": [choice.id for choice in option.choices]}


def _preference_line(one: Preference) -> str:
    return f"{one.agent}: " + ", ".join(f"{name}={value}" for name, value in one.options.items())
