"""Maps what a step wants done onto the tools that the calling agent declared.

A CALL is `{"do": "write", "path": …, "content": …}`, `{"do": "shell", "cmd": …, "asks": true}`, `{"do": "read", "path": …}`, or
`{"do": "mcp", "server": …, "tool": …, "args": {…}}`. Each agent has its own names for these. `asks` wants a person's leave also of
an agent that decides by itself what it asks for. `background` lets a command go on after its tool has ended, where the agent can.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tool:
    """As the agent declared it. `is_free` takes text instead of JSON; `namespace` is Codex's group of an MCP server's tools."""

    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    is_free: bool = False
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class Called:
    """`arguments` is text for a tool that takes free text."""

    id: str
    name: str
    arguments: dict[str, Any] | str
    namespace: str | None = None


ASKS = "sandbox_permissions"
"""Codex's argument by which the model asks a person, when it may."""

_SHELL = {
    "Bash": "command",
    "run_shell_command": "command",
    "bash": "command",
    "exec_command": "cmd",
    "shell_command": "command",
    "shell": "command",
}
_WRITE = {"Write": "file_path", "write_file": "file_path", "write": "filePath"}
_READ = {"Read": "file_path", "read_file": "file_path", "read": "filePath"}


def call(wanted: dict[str, Any], tools: Iterable[Tool]) -> Called:
    """The declared tool that does what is `wanted`, with its arguments. Raises `LookupError` when the agent declared none."""
    known = {tool.name if tool.namespace is None else f"{tool.namespace}.{tool.name}": tool for tool in tools}
    tool, arguments = {"shell": _shell, "write": _write, "read": _read, "mcp": _mcp}[wanted["do"]](wanted, known)
    return Called(id=f"call_{uuid.uuid4().hex[:20]}", name=tool.name, arguments=arguments, namespace=tool.namespace)


Chosen = tuple[Tool, dict[str, Any] | str]


def _shell(wanted: dict[str, Any], tools: dict[str, Tool]) -> Chosen:
    command = wanted["cmd"]
    for name, key in _SHELL.items():
        if name in tools:
            tool = tools[name]
            is_list = tool.properties.get(key, {}).get("type") == "array"
            arguments: dict[str, Any] = {key: ["bash", "-lc", command] if is_list else command}
            if "description" in tool.properties:
                arguments["description"] = wanted.get("description", "A step of the script")
            if wanted.get("background") and "run_in_background" in tool.properties:
                arguments["run_in_background"] = True
            if "yield_time_ms" in tool.properties:
                arguments |= _codex(wanted, tool)
            return tool, arguments
    return _code(tools, "tools.exec_command({})", lambda tool: {"cmd": command, **_codex(wanted, tool)})


def _codex(wanted: dict[str, Any], tool: Tool) -> dict[str, Any]:
    """It asks a person only when the model wants out of its sandbox, and would go on after ten seconds while a command runs."""
    asks = {ASKS: "require_escalated", "justification": "May it?"} if wanted.get("asks") and ASKS in tool.properties else {}
    return {"yield_time_ms": 30_000, **asks}


def _write(wanted: dict[str, Any], tools: dict[str, Tool]) -> Chosen:
    path, content = wanted["path"], wanted["content"]
    for name, key in _WRITE.items():
        if name in tools:
            return tools[name], {key: path, "content": content}
    added = "".join(f"+{line}\n" for line in content.splitlines())
    patch = f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch"
    if "apply_patch" in tools:
        tool = tools["apply_patch"]
        return tool, patch if tool.is_free else {"patchText" if "patchText" in tool.properties else "input": patch}
    if "exec" in tools:
        return _code(tools, "tools.apply_patch({})", lambda _tool: patch)
    return _shell({"cmd": f"cat > '{path}' <<'END_OF_FILE'\n{content.rstrip()}\nEND_OF_FILE"}, tools)


def _read(wanted: dict[str, Any], tools: dict[str, Tool]) -> Chosen:
    for name, key in _READ.items():
        if name in tools:
            return tools[name], {key: wanted["path"]}
    return _shell({"cmd": f"cat '{wanted['path']}'"}, tools)


def _mcp(wanted: dict[str, Any], tools: dict[str, Tool]) -> Chosen:
    end, arguments = f"{_plain(wanted['server'])}_{_plain(wanted['tool'])}", wanted.get("args", {})
    for name, tool in tools.items():
        if _plain(name).endswith(end):
            return tool, arguments
    return _code(tools, f"tools.mcp__{wanted['server']}__{wanted['tool']}({{}})", lambda _tool: arguments)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _code(tools: dict[str, Tool], call: str, argument: Callable[[Tool], object]) -> Chosen:
    """Codex with a model it knows offers one tool only, which takes JavaScript."""
    tool = tools.get("exec")
    if tool is None or not tool.is_free:
        raise LookupError(f"None of {sorted(tools)} does that.")
    return tool, f"text(JSON.stringify(await {call.format(json.dumps(argument(tool)))}));"
