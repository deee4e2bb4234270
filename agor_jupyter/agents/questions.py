"""Reads an agent's question for permission."""

from dataclasses import dataclass
from typing import Any, cast, get_args

from agor_jupyter.agents import updates
from agor_jupyter.domain.events import ToolCall
from agor_jupyter.domain.permissions import PermissionOption
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.trust import ProjectFile

_KINDS = get_args(PermissionOption.model_fields["kind"].annotation)
_MAX_OPTIONS = 20
_COMMAND = ("command", "cmd", "code", "script", "file_path", "filePath", "path", "abs_path", "url")
"""Where agents put what they are about to do, in their tools' inputs."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What an agent asks before it acts. The fields are those of a `Permission`."""

    title: str
    options: list[PermissionOption]
    tool_call_id: str | None = None
    tool_kind: str = "other"
    command: str | None = None
    """From the tool call's input, not from prose."""
    input: JsonObject
    is_masked: bool = False
    """A secret stood in it, so what it says is not all that it asks for."""
    call: ToolCall | None = None
    """The tool call as the question tells it, for the transcript."""
    files: list[ProjectFile] | None = None
    """What the server asks about, before the agent is there."""


def read_question(params: dict[str, Any], *, is_masked: bool = False, command_is_title: bool = False) -> Question | None:
    """The question of a `session/request_permission`, or `None` when nobody could answer it. `Any`: nothing in it can be trusted."""
    options = [option for item in _list(params.get("options"))[:_MAX_OPTIONS] if (option := _option(item))]
    if not options:
        return None
    told = params.get("toolCall")
    told = told if isinstance(told, dict) else {}
    call = next((body for body in updates.normalise({**told, "sessionUpdate": "tool_call_update"}) if isinstance(body, ToolCall)), None)
    given = (call.input if call else None) or {}
    whole = told.get("title")
    if command_is_title and not given and call and call.tool_kind == "execute" and call.title == whole:  # not cut
        given = {"command": whole}
    locations = (call.locations if call else None) or []
    command = _command(given) or (locations[0] if locations else None)
    title = (call.title if call else None) or command or "The agent asks for permission"
    return Question(
        title=title,
        options=options,
        tool_call_id=call.tool_call_id if call else None,
        tool_kind=(call.tool_kind if call else None) or "other",
        command=command,
        input=given,
        is_masked=is_masked,
        call=call,
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _option(item: object) -> PermissionOption | None:
    if not isinstance(item, dict):
        return None
    option_id, name, kind = item.get("optionId"), item.get("name"), item.get("kind")
    if not isinstance(option_id, str) or not isinstance(name, str) or kind not in _KINDS:
        return None
    return PermissionOption(id=option_id, name=name[:200], kind=cast("Any", kind))  # one of _KINDS, which is all there are


def _command(given: JsonObject) -> str | None:
    for name in _COMMAND:
        value = given.get(name)
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            return " ".join(value)
        if isinstance(value, str) and value:
            return updates.cut(value, 10_000)
    return None
