"""Agor's own `.agor.yml`, versions 1 and 2: commands that bring an environment up and down, an address that shows its health.

Its templates become environment variables, since a value is never put into a line of shell here: `{{add 9000 worktree.unique_id}}` is a
port of ours. A line with any other template is left out, and the plan says so.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from agor_jupyter.documents.settings.fields import nearest
from agor_jupyter.domain.errors import BadSettings

_NAMES = {
    "start": ("start", "up", "up_command"),
    "stop": ("stop", "down", "down_command"),
    "nuke": ("nuke", "nuke_command"),
    "health": ("health", "health_check", "health_check_url"),
    "app": ("app", "app_url"),
    "logs": ("logs", "logs_command"),
}
_TELLING = {name for names in _NAMES.values() for name in names} - {"stop"}
_SKIPPED = ("description",)
_TEMPLATE = re.compile(r"\{\{\{?\s*(.*?)\s*\}?\}\}", re.DOTALL)
_PORT = re.compile(r"add\s+(\d{1,5})\s+(?:worktree|branch)\.unique_id|add\s+(?:worktree|branch)\.unique_id\s+(\d{1,5})")
_WORDS = {
    f"{noun}.{field}": variable
    for noun in ("worktree", "branch")
    for field, variable in {"name": "AGOR_WORKTREE_NAME", "path": "AGOR_WORKTREE_PATH", "ref": "AGOR_BRANCH"}.items()
}
_MAX_VARIANTS = 50
_HERE = "127.0.0.1"
SERVICE = "app"


def is_earlier(file: dict[str, Any], section: dict[str, Any]) -> bool:
    """Whether it is written for Agor, not for this server."""
    if file.get("version") in {1, 2}:
        return True
    variants = section.get("variants")
    inside = variants.values() if isinstance(variants, dict) else ()
    return any(_TELLING & each.keys() for each in (section, *inside) if isinstance(each, dict))


def variants(file: str, section: dict[str, Any], chosen: str | None) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """As sections of ours, by name, the default first. And what of the chosen one is left out.

    Errors:
        BadSettings.
    """
    given = section.get("variants")
    if given is None:
        written = {"default": {name: value for name, value in section.items() if name not in {"variants", "default"}}}
    elif isinstance(given, dict) and given:
        written = dict(given)
    else:
        raise BadSettings(file, "environment.variants has no variant")
    if len(written) > _MAX_VARIANTS:
        raise BadSettings(file, f"it has more than {_MAX_VARIANTS} variants")
    first = section.get("default")
    if isinstance(first, str) and first in written:
        written = {first: written[first], **written}
    names = {name: re.sub(r"[^a-z0-9_-]", "-", name.lower())[:40] for name in written}
    made: dict[str, dict[str, Any]] = {}
    left_out: list[str] = []
    for number, (name, value) in enumerate(written.items()):
        fields = _with_extended(file, written, name, value)
        made[names[name]], said = _variant(fields)
        if names[name] == chosen or (number == 0 and (chosen is None or chosen not in names.values())):
            left_out = said
    return made, left_out


def _with_extended(file: str, written: dict[str, Any], name: str, value: Any) -> dict[str, Any]:  # what YAML can say
    fields: dict[str, Any] = {}
    seen = [name]
    while isinstance(value, dict):
        fields = {**value, **fields}
        other = value.get("extends")
        if other is None:
            break
        if not isinstance(other, str) or other not in written:
            what = f"the variant {seen[-1][:80]!r} extends {str(other)[:80]!r}, which is not there"
            raise BadSettings(file, f"{what}; {nearest(str(other), written)}")
        if other in seen:
            raise BadSettings(file, f"variants extend each other in a circle: {' → '.join([*seen, other])[:400]}")
        seen.append(other)
        value = written[other]
    return {key: each for key, each in fields.items() if key != "extends"}


def _variant(fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    found = {ours: next((fields[name] for name in names if fields.get(name) is not None), None) for ours, names in _NAMES.items()}
    known = {name for names in _NAMES.values() for name in names}
    left_out = [f"{str(name)[:80]}: it is not known" for name in fields if name not in known and name not in _SKIPPED]
    ports: dict[str, None] = {}
    lines = _lines(found, ports, left_out)
    health, app = (_address(found[name], name, ports, left_out) for name in ("health", "app"))
    if found["logs"] is not None:
        left_out.append("logs: what the command writes is kept as it comes, so no other command is asked for it")
    if "start" not in lines:
        left_out.append("start: there is none that can be run, so there is no service")
        return {}, left_out[:100]
    service: dict[str, Any] = {
        # what goes on in the background ends when it is stopped, so the service stays until then
        "command": ["/bin/sh", "-c", f"{lines['start']}\nended=$?; [ $ended = 0 ] || exit $ended; while :; do sleep 3600; done"],
        "ports": list(ports),
        "restart": "never",
        "has_containers": "docker" in lines["start"] or "podman" in lines["start"],
    }
    if "stop" in lines:
        service["stop"] = lines["stop"]
    if health is not None:
        service["ready"] = {"port": health[0], "http": health[1]}
    section: dict[str, Any] = {"services": {SERVICE: service}}
    if app is not None:
        section["links"] = {SERVICE: {"port": app[0], "path": app[1]}}
    if "nuke" in lines:
        section["reset"] = [lines["nuke"]]
    return section, left_out[:100]


def _lines(found: dict[str, Any], ports: dict[str, None], left_out: list[str]) -> dict[str, str]:
    lines: dict[str, str] = {}
    for name in ("start", "stop", "nuke"):
        line = found[name]
        if line is None:
            continue
        if not isinstance(line, str) or re.match(r"https?://", line):
            left_out.append(f"{name}: only a line of shell is run, not an address")
            continue
        made, problem = _shell(line, ports)
        if problem:
            left_out.append(f"{name}: {problem}")
        elif made.strip():
            lines[name] = made
    return lines


def _shell(line: str, ports: dict[str, None]) -> tuple[str, str | None]:
    """With variables instead of templates. Or why it cannot be used."""
    if len(line) > 3500:
        return "", "it is longer than 3,500 characters"
    problem: str | None = None

    def variable(match: re.Match[str]) -> str:
        nonlocal problem
        name = _variable(match[1], ports)
        if name is None:
            problem = problem or f"the template {match[0][:80]!r} is not known"
            return ""
        if name == _HERE:
            return name
        return f"'\"${{{name}}}\"'" if _inside_single_quotes(line[: match.start()]) else f"${{{name}}}"

    made = _TEMPLATE.sub(variable, line)
    return made, problem


def _variable(template: str, ports: dict[str, None]) -> str | None:
    if match := _PORT.fullmatch(template):
        name = f"port-{match[1] or match[2]}"
        ports[name] = None
        return "PORT_" + name.upper().replace("-", "_")
    return _HERE if template == "host.ip_address" else _WORDS.get(template)


def _inside_single_quotes(before: str) -> bool:
    is_single = is_double = is_escaped = False
    for character in before:
        if is_escaped:
            is_escaped = False
        elif character == "\\" and not is_single:
            is_escaped = True
        elif character == "'" and not is_double:
            is_single = not is_single
        elif character == '"' and not is_single:
            is_double = not is_double
    return is_single


def _address(value: object, name: str, ports: dict[str, None], left_out: list[str]) -> tuple[str, str] | None:
    """The port of ours that an address means, and its path."""
    if value is None:
        return None
    text = str(value)[:2000]
    match = re.fullmatch(r"\s*http://[^/]*?:\{\{\{?\s*([^}]*?)\s*\}?\}\}(/[^\s{}]*)?\s*", text)
    port = _PORT.fullmatch(match[1]) if match else None
    if match is None or port is None:
        left_out.append(f"{name}: {text[:80]!r} is no address with a port of its own, as {{{{add 9000 worktree.unique_id}}}} is")
        return None
    key = f"port-{port[1] or port[2]}"
    ports[key] = None
    return key, urlsplit(f"http://x{match[2] or '/'}").path or "/"
