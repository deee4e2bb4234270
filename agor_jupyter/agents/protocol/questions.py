"""Reads an agent's question for permission, together with what it has told of the tool call that the question is about."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from pydantic import Field

from agor_jupyter.agents.protocol import updates
from agor_jupyter.agents.protocol.calls import Calls, has_ended, merged
from agor_jupyter.domain import words
from agor_jupyter.domain.agents import AgentType, Lasting
from agor_jupyter.domain.events import ToolCall
from agor_jupyter.domain.permissions import McpTool, PermissionOption, Reach
from agor_jupyter.domain.records import JsonObject, Record
from agor_jupyter.domain.trust import ProjectFile

_KINDS = get_args(PermissionOption.model_fields["kind"].annotation)
_MAX_OPTIONS = 20
_MAX_PATHS = 100
_MAX_ARGUMENTS = 2000
_PLACE = ("file_path", "filePath", "filepath", "path", "abs_path", "url")
"""Where agents put what they are about to look at or to change, in their tools' inputs."""
_REACHES = get_args(Reach)
_SESSION = re.compile(r"(?:^|[^a-z])(?:session|conversation)$", re.IGNORECASE)
UNTITLED = "The agent asks for permission"


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
    mcp_tool: McpTool | None = None
    paths: list[str] = field(default_factory=list)
    is_masked: bool = False
    """A secret stood in it, so what it says is not all that it asks for."""
    is_stale: bool = False
    """What it leaves out is known only of a call that had ended, so it may be about something else."""
    call: ToolCall | None = None
    """The tool call as it is known, for the transcript."""
    asked_by: str | None = None
    """The subagent that asks, by its kind or by what it was asked to do. `None`: the agent itself."""
    files: list[ProjectFile] | None = None
    """What the server asks about, before the agent is there."""

    @property
    def is_bare(self) -> bool:
        """It does not say what it is about."""
        return self.title == UNTITLED


def read_question(
    params: dict[str, Any],
    *,
    agent: AgentType | None = None,
    calls: Calls | None = None,
    mcp_titles: Sequence[str] = (),
    is_masked: bool = False,
) -> Question | None:
    """The question of a `session/request_permission`, or `None` when nobody could answer it. `Any`: nothing in it can be trusted.

    What it does not say of its tool call is taken from `calls`. `mcp_titles` as in `updates.normalise`.
    """
    options = _options(params.get("options"), agent.permissions.lasting if agent else ())
    if not options:
        return None
    told = params.get("toolCall")
    told = told if isinstance(told, dict) else {}
    read = updates.normalise({**told, "sessionUpdate": "tool_call_update"}, mcp_titles)
    said = next((body for body in read if isinstance(body, ToolCall)), None)
    known = calls.get(said.tool_call_id) if said and calls else None
    call = merged(known, said) if said and known else said
    whole = told.get("title")
    if (
        agent and agent.permissions.command_is_title and call and not call.input and call.tool_kind == "execute" and call.title == whole
    ):  # not cut
        call = call.replace(input={"command": whole})
    is_stale = known is not None and has_ended(known)
    was_masked = known is not None and calls is not None and calls.is_masked(known.tool_call_id)
    return Question(options=options, is_masked=is_masked or was_masked, is_stale=is_stale, call=said and call, **dict(about(call)))


class About(Record):
    """What a call is about, as a question says it."""

    title: str = UNTITLED
    tool_call_id: str | None = None
    tool_kind: str = "other"
    command: str | None = None
    input: JsonObject = Field(default_factory=dict)
    mcp_tool: McpTool | None = None
    paths: list[str] = Field(default_factory=list)


def about(call: ToolCall | None) -> About:
    if call is None:
        return About()
    given, places = call.input or {}, _places(call)
    same = {"tool_call_id": call.tool_call_id, "input": given, "paths": places}
    if (tool := call.mcp_tool) is not None:
        arguments = {name: value for name, value in words.inner(given).items() if value not in (tool.server, tool.tool)}
        command = updates.cut(f"{tool.tool} {json.dumps(arguments, ensure_ascii=False)}", _MAX_ARGUMENTS)
        return About(title=f"{tool.tool} of the MCP server {tool.server}", command=command, mcp_tool=tool, **same)
    told = _command(given) or (places[0] if places else None)
    return About(title=call.title or told or UNTITLED, tool_kind=call.tool_kind or "other", command=told, **same)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _places(call: ToolCall | None) -> list[str]:
    """The files that the call names, each once."""
    found = [*(call.locations or []), *(change.path for change in call.changes or [])] if call else []
    return list(dict.fromkeys(path for path in found if path))[:_MAX_PATHS]


def _command(given: JsonObject) -> str | None:
    found = words.spoken(given)
    if found is None:
        found = next((value for name in _PLACE if isinstance(value := given.get(name), str) and value), None)
    return updates.cut(found if isinstance(found, str) else " ".join(found), 10_000) if found else None


# Its options


def _options(listed: object, lasting: Sequence[Lasting]) -> list[PermissionOption]:
    """Those that can be read, those of one kind from the narrowest to the widest."""
    found = [one for item in _list(listed)[:_MAX_OPTIONS] if (one := _option(item, lasting))]
    if not lasting and sum(option.reach == "session" for _, option in found) > 1:  # which of them says more nobody knows
        found = [(place, option.replace(reach="unknown") if option.reach == "session" else option) for place, option in found]
    return [option for _, option in sorted(found, key=lambda one: (_KINDS.index(one[1].kind), _REACHES.index(one[1].reach), one[0]))]


def _option(item: object, lasting: Sequence[Lasting]) -> tuple[int, PermissionOption] | None:
    """With its place among those of its reach."""
    if not isinstance(item, dict):
        return None
    option_id, name, kind = item.get("optionId"), item.get("name"), item.get("kind")
    if not isinstance(option_id, str) or not isinstance(name, str) or kind not in _KINDS:
        return None
    option = PermissionOption(id=option_id, name=name[:200], kind=cast("Any", kind), reach="once")  # one of _KINDS, which is all there are
    if kind not in ("allow_always", "reject_always"):
        return 0, option
    for place, one in enumerate(lasting):
        if re.search(one.pattern, f"{option_id}: {name}"):
            return place, option.replace(reach=one.reach, kept_in=one.file)
    is_session = not lasting and (_SESSION.search(option_id) or _SESSION.search(name.rstrip(" .!")))
    return len(lasting), option.replace(reach="session" if is_session else "unknown")
