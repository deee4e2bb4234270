"""A compose file: run as it is by the `docker compose` or `podman compose` that is there, with its published ports mapped to ours.

What it publishes is said anew in an override that goes in through standard input, so nothing is written into the worktree.
"""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from agor_jupyter.documents.settings import variants
from agor_jupyter.documents.settings.marked import Marked, read
from agor_jupyter.domain.environments import MAX_PORTS, Plan

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order that they are looked for."""
SERVICE = "compose"
OVERRIDE, PROJECT = "AGOR_COMPOSE_OVERRIDE", "COMPOSE_PROJECT_NAME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PUBLISHED = re.compile(r"(?:(?:[0-9.]+|\[[0-9a-fA-F:]+\]):)?(?:(?:\d+|\$\{[^}]*\})?:)?(\d{1,5})(/tcp|/udp)?")


def project(worktree: str, worktree_id: str) -> str:
    """The name of its project: the worktree's, and enough of its id that two repositories with one of this name do not share it."""
    return f"{re.sub(r'[^a-z0-9_-]', '-', worktree.lower())[:40]}-{re.sub(r'[^a-z0-9]', '', worktree_id.lower())[-8:]}".lstrip("-_")


def plan(content: bytes, file: str, program: Sequence[str] | None, project_name: str, *, has_variables: bool = True) -> Plan:
    """`program` is how compose is called, such as `["docker", "compose"]`; `None`: there is none.
    Without `has_variables` the file `.env` beside it is not read.

    Errors:
        BadSettings.
    """
    marked = read(content, file, has_anchors=True)
    found = marked.value if isinstance(marked.value, dict) else {}
    services = found.get("services")
    services = services if isinstance(services, dict) else {}
    left_out: list[str] = []
    problem = _problem(found, services)
    if program is None:
        problem = "neither `docker compose` nor `podman compose` is there; install one, or describe the services in .agor.yml"
    if problem:
        return Plan(source="compose", left_out=[f"{file}: {problem}"])
    ports, override = _ports(services, left_out)
    of_project = shlex.join([*(program or ()), "-p", project_name, *([] if has_variables else ["--env-file", "/dev/null"]), "-f", file])
    given = f'printf %s "${OVERRIDE}" | {of_project} -f -'
    service: dict[str, Any] = {
        "command": f"{given} up --remove-orphans",
        "ports": list(ports),
        "env": {OVERRIDE: override},
        "stop": f"{given} down --remove-orphans",
        "ready": {"timeout_s": 600.0},
        "has_containers": True,
    }
    merged = {
        "services": {SERVICE: service},
        "links": {name: {"port": name} for name in list(ports)[:20]},
        "reset": [f"{of_project} down --volumes --remove-orphans"],
        "env": {PROJECT: project_name},
    }
    return variants.make(Marked({}, {}), merged, (), left_out=left_out).replace(source="compose")


def _problem(found: dict[str, Any], services: dict[str, Any]) -> str | None:
    """Why it is not run at all. Only what an owner has trusted may run, and other files are not part of what was looked at."""
    if not services:
        return "it has no services"
    if "include" in found:
        return "it includes other files; write all into one"
    return next(filter(None, (_problem_of(name, service) for name, service in services.items())), None)


def _problem_of(name: str, service: object) -> str | None:
    if not _NAME.fullmatch(name):
        return f"the name {name[:80]!r} of a service cannot be used"
    if not isinstance(service, dict):
        return f"the service {name!r} has no names below it"
    extended = service.get("extends")
    if isinstance(extended, dict) and "file" in extended:
        return f"the service {name!r} extends one of another file; write all into one"
    if service.get("network_mode") == "host":
        return f"the service {name!r} uses the network of the host, so its ports cannot be mapped"
    return None


def _ports(services: dict[str, Any], left_out: list[str]) -> tuple[dict[str, None], str]:
    """Our names of the ports, and the text of the override."""
    ports: dict[str, None] = {}
    lines = ["services:"]
    for name, service in services.items():
        published = service.get("ports")
        if not isinstance(published, list) or not published:
            continue
        mapped = []
        for entry in published:
            target = _target(entry)
            if target is None or len(ports) == MAX_PORTS:
                why = "only single TCP ports are mapped" if target is None else f"only {MAX_PORTS} ports are mapped"
                left_out.append(f"services.{name}.ports: {str(entry)[:80]!r}: {why}")
                continue
            own = _own_name(name, target, ports)
            ports[own] = None
            # The number itself, not a variable: podman-compose fills in none below `!override`.
            mapped.append(f"      - '127.0.0.1:{{{{ ports[\"{own}\"] }}}}:{target}'")
        lines += [f'  "{name}":', "    ports: !override" if mapped else "    ports: !reset []", *mapped]
    return ports, "\n".join(lines if len(lines) > 1 else ["services: {}"]) + "\n"


def _target(entry: object) -> int | None:
    """The port in the container, of one that can be mapped."""
    if isinstance(entry, dict):
        target = entry.get("target")
        return target if isinstance(target, int) and 0 < target < 65_536 and entry.get("protocol", "tcp") == "tcp" else None
    match = _PUBLISHED.fullmatch(str(entry).strip())
    if match is None or match[2] == "/udp":
        return None
    return int(match[1]) if 0 < int(match[1]) < 65_536 else None


def _own_name(service: str, target: int, taken: dict[str, None]) -> str:
    name = re.sub(r"^[^a-z]", "p", re.sub(r"[^a-z0-9_-]", "-", service.lower()))[:30]
    if name in taken:
        name = f"{name}-{target}"
    number, unique = 2, name
    while unique in taken:
        number, unique = number + 1, f"{name}-{number}"
    return unique
