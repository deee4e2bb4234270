"""A `Procfile`: one service for each line, `name: command`. A service that uses `$PORT`, or is called `web`, gets a port."""

import re
from typing import Any

from agor_jupyter.documents.settings import variants
from agor_jupyter.documents.settings.marked import MAX_BYTES, Marked
from agor_jupyter.domain.environments import MAX_SERVICES, Plan
from agor_jupyter.domain.errors import BadSettings

FILE = "Procfile"
_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*?)\s*")
_USES_PORT = re.compile(r"\$PORT\b|\$\{PORT\b")


def plan(content: bytes) -> Plan:
    """Errors:
    BadSettings.
    """
    if len(content) > MAX_BYTES:
        raise BadSettings(FILE, f"it is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadSettings(FILE, "it is not UTF-8") from error
    services: dict[str, Any] = {}
    links: dict[str, Any] = {}
    left_out: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            left_out.append(f"line {number}: it is not of the form `name: command`")
            continue
        name = re.sub(r"^[^a-z]", "p", match[1].lower())[:40]
        problem = _problem(name, match[2], services)
        if problem is not None:
            left_out.append(f"line {number}: {problem}")
            continue
        services[name] = {"command": match[2]}
        if name == "web" or _USES_PORT.search(match[2]):
            services[name]["ports"] = [name]
            links[name] = {"port": name}
    if not services:
        left_out.append(f"{FILE}: it has no line with a service")
    made = variants.make(Marked({}, {}), {"services": services, "links": links}, (), left_out=left_out)
    return made.replace(source="Procfile")


def _problem(name: str, command: str, services: dict[str, Any]) -> str | None:
    """Why a line is left out."""
    if name == "release":
        return "release is for a deployment; write it into `setup` of .agor.yml if it is needed here"
    if name in services:
        return f"{name!r} is there twice"
    if len(command) > 4000:
        return "it is longer than 4,000 characters"
    return f"only {MAX_SERVICES} services are run" if len(services) == MAX_SERVICES else None
