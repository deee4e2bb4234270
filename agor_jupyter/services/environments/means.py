"""What the services of an environment are run with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain.environments import Plan, ServiceSpec
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.templates import EnvironmentContext, TemplateContext, make_context
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.executors import environment
from agor_jupyter.processes.starting import Limits
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.environments.health import Health
from agor_jupyter.services.environments.ports import Ports
from agor_jupyter.services.environments.readiness import Table
from agor_jupyter.services.environments.register import Register, proxied

Fill = Callable[[str, TemplateContext], Awaitable[str]]
"""Renders a template. Raises `BadTemplate`."""
Provide = Callable[[Worktree], Awaitable[dict[str, str]]]
"""Makes what data of the worktree is missing, and gives the variables that tell of it."""
_MARKS = ("{{", "{%", "{#")


@dataclass(frozen=True, kw_only=True)
class Means:
    config: Config
    clock: Clock
    register: Register
    ports: Ports
    table: Table
    health: Health
    fill: Fill
    provide: Provide

    def log_of(self, worktree_id: WorktreeId, service: str) -> Path:
        return self.folder_of(worktree_id) / f"{service}.log"

    def folder_of(self, worktree_id: WorktreeId) -> Path:
        return self.config.data_dir / "environments" / worktree_id

    @property
    def limits(self) -> Limits:
        return limits_of(self.config)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an environment is, and who started it: what its variables are made of."""

    worktree: Worktree
    repo: Repo
    by: Person
    base_url: str
    """The Jupyter server's own path."""


def limits_of(config: Config) -> Limits:
    return Limits(memory_bytes=config.environment_memory_bytes, open_files=config.environment_open_files, cpu_s=config.environment_cpu_s)


def limits_in_words(config: Config) -> str | None:
    """What the server's owner allows services, and who sees to it. `None`: the kernel holds them to nothing of their own."""
    limits = limits_of(config)
    held = [
        f"{amount:,.0f} {what}"
        for amount, what in (
            ((limits.memory_bytes or 0) / (1 << 20), "MiB of addresses"),
            (limits.open_files or 0, "open files"),
            (limits.cpu_s or 0, "s of processor"),
        )
        if amount
    ]
    if not held:
        return None
    counted = f" A service with more than {config.environment_processes} processes is stopped." if config.environment_processes else ""
    each = f"The kernel holds each process of a service, by rlimits, to {', '.join(held)}"
    return f"{each}; a service as a whole has no limit of these.{counted}"


def port_variables(ports: dict[str, int]) -> dict[str, str]:
    """`PORT_NAME` for each, as services, setup commands, agents and terminals get them."""
    return {f"PORT_{name.upper().replace('-', '_')}": str(port) for name, port in ports.items()}


def prefix_variables(ports: dict[str, int], base_url: str) -> dict[str, str]:
    """`PREFIX_NAME` for each: the path below which a program answers that is opened with its prefix."""
    prefixes = {name: f"{base_url.rstrip('/')}{proxied(port, has_prefix=True)}" for name, port in ports.items()}
    return {f"PREFIX_{name.upper().replace('-', '_')}": prefix for name, prefix in prefixes.items()}


def place_variables(worktree: Worktree) -> dict[str, str]:
    return {
        "AGOR_WORKTREE_ID": worktree.id,
        "AGOR_WORKTREE_NAME": worktree.name,
        "AGOR_WORKTREE_PATH": worktree.path,
        "AGOR_BRANCH": worktree.branch,
    }


async def own_variables(fill: Fill, place: Place, plan: Plan, ports: dict[str, int], spec: ServiceSpec | None) -> dict[str, str]:
    """What a service, a line of shell around it, or an agent in the worktree gets of it beside the server's own.

    Errors:
        BadTemplate.
    """
    found = {**place_variables(place.worktree), **port_variables(ports)}
    if spec is not None and spec.ports:
        found["PORT"] = str(ports[spec.ports[0]])
    if spec is not None:
        found |= prefix_variables(ports, place.base_url)
    context = EnvironmentContext(**dict(make_context(worktree=place.worktree, repo=place.repo, person=place.by)), ports=ports)
    for name, value in {**plan.env, **(spec.env if spec is not None else {})}.items():
        found[name] = await fill(value, context) if any(mark in value for mark in _MARKS) else value
    return found


async def variables(fill: Fill, place: Place, plan: Plan, ports: dict[str, int], spec: ServiceSpec | None) -> dict[str, str]:
    """The whole environment of a service, or of the lines of shell around them. Raises `BadTemplate`."""
    return {**environment.for_service(), **await own_variables(fill, place, plan, ports, spec)}
