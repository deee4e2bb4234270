"""`.devcontainer/devcontainer.json`: `postCreateCommand`, `forwardPorts` and `remoteEnv` of it. What else it says is told."""

import json
import re
import shlex
from typing import Any

from agor_jupyter.documents.settings.marked import MAX_BYTES
from agor_jupyter.domain.environments import MAX_PORTS, Plan
from agor_jupyter.domain.errors import BadSettings

FILES = (".devcontainer/devcontainer.json", ".devcontainer.json")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*\n|/\*.*?\*/)*[}\]])', re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_USED = {"postCreateCommand", "forwardPorts", "remoteEnv"}
_SILENT = {"name", "$schema"}


def plan(content: bytes, file: str = FILES[0]) -> Plan:
    """Errors:
    BadSettings.
    """
    found = _read(content, file)
    left_out = [f"{name[:80]}: there is no container here" for name in found if name not in _USED | _SILENT][:80]
    return Plan(
        source="devcontainer",
        setup=_setup(found.get("postCreateCommand"), left_out),
        env=_env(found.get("remoteEnv"), left_out),
        spare_ports=_ports(found.get("forwardPorts"), left_out),
        left_out=left_out[:100],
    )


def _read(content: bytes, file: str) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise BadSettings(file, f"it is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadSettings(file, "it is not UTF-8") from error
    try:
        found = json.loads(_plain(text), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise BadSettings(file, f"it is not JSON with comments{f' (line {line})' if line else ''}") from error
    if not isinstance(found, dict):
        raise BadSettings(file, "it must be an object")
    return found


def _plain(text: str) -> str:
    """Without comments and last commas; line breaks stay, so that an error names the right line."""
    return _TOKEN.sub(lambda match: match[0] if match[0].startswith('"') else "\n" * match[0].count("\n") or " ", text)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _setup(said: object, left_out: list[str]) -> list[str]:
    """Commands of an object run side by side in a container; here one after the other."""
    lines: list[str] = []
    for command in said.values() if isinstance(said, dict) else [said]:
        if isinstance(command, list) and command and all(isinstance(part, str) for part in command):
            line = shlex.join(command)
        elif isinstance(command, str):
            line = command.strip()
        else:
            line = ""
        if line and len(line) <= 4000 and len(lines) < 50 and "\0" not in line:
            lines.append(line)
        elif command is not None:
            left_out.append(f"postCreateCommand: {str(command)[:80]!r} is no command of at most 4,000 characters, or one too many")
    return lines


def _env(said: object, left_out: list[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, value in said.items() if isinstance(said, dict) else ():
        if not _VARIABLE.fullmatch(name) or not isinstance(value, str) or len(value) > 32_000:
            left_out.append(f"remoteEnv: {name[:80]!r} is no variable with a text")
        elif "${" in value or "{{" in value or "{%" in value or "{#" in value:
            left_out.append(f"remoteEnv: {name}: it refers to something else")
        else:
            made[name] = value
    return made


def _ports(said: object, left_out: list[str]) -> list[str]:
    names: dict[str, None] = {}
    for port in said if isinstance(said, list) else ():
        if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65_536 and len(names) < MAX_PORTS:
            names[f"forward-{port}"] = None
            left_out.append(f"forwardPorts: {port}: no service listens there; what you start finds its port in $PORT_FORWARD_{port}")
        else:
            left_out.append(f"forwardPorts: {str(port)[:80]!r}: only {MAX_PORTS} ports of the container itself are used")
    return list(names)
