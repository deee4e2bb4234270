"""Gives an agent a key by the protocol, where it has one in its environment and does not take it from there."""

import re
from collections.abc import Mapping
from typing import Any

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.records import JsonObject

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")


def request(agent: AgentType, env: Mapping[str, str]) -> JsonObject | None:
    """What to send as `authenticate`: the first of the agent's whose variables are all set. `None`: there is none."""
    for template in agent.sign_in.authenticate:
        try:
            filled: JsonObject = _fill(template, env)
        except KeyError:
            continue
        return filled
    return None


def _fill(value: Any, env: Mapping[str, str]) -> Any:
    """The same JSON with `${NAME}` and `${NAME:-default}` replaced. Raises `KeyError` for one that is empty and has no default."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, env), value)
    if isinstance(value, dict):
        return {name: _fill(each, env) for name, each in value.items()}
    return [_fill(each, env) for each in value] if isinstance(value, list) else value


def _value(found: re.Match[str], env: Mapping[str, str]) -> str:
    value = env.get(found.group(1)) or found.group(2)
    if value is None:
        raise KeyError(found.group(1))
    return value
