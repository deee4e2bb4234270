"""An environment: the services of one worktree. What its repository says of them, and how they are.

A `Plan` is one variant of the repository's `environment` section, or of its `Procfile`, `compose.yaml` or `devcontainer.json`, with all
that it extends filled in. It is kept when the environment starts: a later change of the file does not change what runs.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from agor_jupyter.domain.ids import RunId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

MAX_SERVICES = 20
MAX_PORTS = 20
"""Of one environment."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""Of a service, a port, a link, a variant or an item of data."""
Line = Annotated[str, Field(min_length=1, max_length=4000)]
Command = Line | Annotated[list[Annotated[str, Field(max_length=4000)]], Field(min_length=1, max_length=200)]
"""A line of shell, or the program and its arguments."""
Variables = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")], Annotated[str, Field(max_length=32_000)]]


class Ready(Record):
    """How a service shows that it can be used. Nothing said: its first port accepts a connection, or without a port, it runs."""

    http: Annotated[str, Field(pattern=r"^/", max_length=1000)] | None = None
    """A path below the service's port that answers with a status below 400."""
    port: Name | None = None
    """Which of its ports is asked. `None`: the first."""
    log: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    """Text that a line of its log contains."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds after which it has failed."""


class ServiceSpec(Record):
    """One service: a program that runs until it is stopped."""

    name: Name
    command: Command
    """A line of shell, or a list of the program and its arguments. Values reach it as environment variables only."""
    cwd: Annotated[str, Field(max_length=400)] = "."
    """Below the worktree."""
    env: Variables = Field(default_factory=dict)
    """Values are templates over the names that prompts have and `ports.*`."""
    ports: list[Name] = Field(default_factory=list, max_length=MAX_PORTS)
    """Names of the ports that it listens on. It gets each as `PORT_NAME`, and the first as `PORT`."""
    ready: Ready = Field(default_factory=Ready)
    """How it shows that it can be used. Nothing said: its first port accepts a connection, or without a port, it runs."""
    restart: Literal["never", "on-failure", "always"] = "on-failure"
    """Whether it is started again when it ends: never, when its code is not 0, or always."""
    max_restarts: Annotated[int, Field(ge=0, le=100)] = 5
    """In a row, with growing pauses. What was healthy for a minute starts to count anew."""
    depends_on: list[Name] = Field(default_factory=list, max_length=MAX_SERVICES)
    """Services that are healthy before it starts."""
    stop: Line | None = None
    """A line of shell that asks it to end, before SIGTERM does."""
    has_containers: bool = False
    """Its ports are opened by a container engine, not by its own processes: whoever listens there counts as it."""


class LinkSpec(Record):
    """What can be opened."""

    name: Name
    port: Name
    """The port of a service."""
    path: Annotated[str, Field(pattern=r"^/", max_length=1000)] = "/"
    """What is opened there."""
    has_prefix: bool = False
    """The program answers below the path that it is told as `PREFIX_NAME`, as the browser asks for it; otherwise it answers at `/`."""


class DataSpec(Record):
    """What a worktree has for itself, made with it and removed with it. Each kind reads the fields that are its own."""

    name: Name
    kind: Literal["duckdb", "sqlite", "folder", "dbt", "airflow", "spark", "postgresql", "variables"]
    """What it is, and so how it is copied, reset and removed."""
    source: Annotated[str, Field(max_length=400)] | None = None
    """A file or folder to copy: below the repository's main checkout, or absolute. `None`: it starts empty."""
    path: Annotated[str, Field(max_length=400)] | None = None
    """Where it lies below the worktree."""
    variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | None = None
    """The variable that tells services, agents and kernels where it is. `None`: the kind's own, such as `AIRFLOW_HOME`."""
    connection: Annotated[str, Field(max_length=100)] | None = None
    """The name of the secret variable with the address of a PostgreSQL server."""
    template: Annotated[str, Field(max_length=63)] | None = None
    """The PostgreSQL database that the worktree's own is created from. `None`: an own schema in the connection's database."""


class KernelSpec(Record):
    """What the worktree's kernel is made from. Nothing said: the first of `uv.lock`, `pyproject.toml`, `requirements.txt`,
    `environment.yml` that is there, else the server's packages.
    """

    requirements: Annotated[str, Field(max_length=400)] | None = None
    """Such a file, below the worktree."""
    packages: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=200)
    """Beside those of the file, as pip writes them."""
    python: Annotated[str, Field(pattern=r"^3\.\d{1,2}$")] | None = None
    """Its version, such as `"3.12"`. `None`: the server's."""


Source = Literal[".agor.yml", "Procfile", "compose", "devcontainer"]


class Plan(Record):
    """One variant, with what it extends."""

    source: Source = ".agor.yml"
    variant: Name = "default"
    variants: list[Name] = Field(default_factory=lambda: ["default"])
    """All that can be chosen."""
    setup: list[Line] = Field(default_factory=list, max_length=50)
    """Lines of shell, run before the first service of a start."""
    services: list[ServiceSpec] = Field(default_factory=list, max_length=MAX_SERVICES)
    """In an order that each comes after those it depends on."""
    stop: list[Line] = Field(default_factory=list, max_length=50)
    """Run after the last service has ended."""
    reset: list[Line] = Field(default_factory=list, max_length=50)
    """Run by a reset, with everything stopped."""
    links: list[LinkSpec] = Field(default_factory=list, max_length=20)
    spare_ports: list[Name] = Field(default_factory=list, max_length=MAX_PORTS)
    """Ports that none of its services listens on: for what people and agents start themselves."""
    kernel: KernelSpec | None = None
    data: list[DataSpec] = Field(default_factory=list, max_length=20)
    env: Variables = Field(default_factory=dict)
    """For all its services, and for agents and terminals in the worktree."""
    left_out: list[str] = Field(default_factory=list, max_length=100)
    """What the file says and is not used, each with its reason, and which limits hold for what runs; for a person."""

    @property
    def service_names(self) -> list[str]:
        return [service.name for service in self.services]

    @property
    def ports(self) -> list[str]:
        """Every port by name, in order."""
        own = [port for service in self.services for port in service.ports]
        return list(dict.fromkeys([*own, *self.spare_ports]))

    def needed_by(self, names: Iterable[str]) -> list[str]:
        """These services and all that they depend on, in order."""
        wanted, todo = set[str](), list(names)
        of = {service.name: service for service in self.services}
        while todo:
            name = todo.pop()
            if name in of and name not in wanted:
                wanted.add(name)
                todo += of[name].depends_on
        return [name for name in self.service_names if name in wanted]


class ServiceState(StrEnum):
    STOPPED = "stopped"
    WAITING = "waiting"
    """For a service that it depends on, or for the end of a pause before it is started again."""
    STARTING = "starting"
    """It runs and is not ready."""
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    """It was ready, runs, and does not answer."""
    STOPPING = "stopping"
    FAILED = "failed"
    """It ended, was not ready in time, or could not be started, and is not started again."""


class Service(Record):
    name: str
    state: ServiceState
    ports: dict[str, int] = Field(default_factory=dict)
    restarts: int = 0
    exit_code: int | None = None
    """Of its last run. 128 + signal when it was killed."""
    reason: str | None = None
    """Why it is where it is, for a person."""
    pid: int | None = Field(default=None, repr=False)
    started_at: Moment | None = Field(default=None, repr=False)
    healthy_at: Moment | None = Field(default=None, repr=False)
    memory_bytes: int | None = Field(default=None, repr=False)
    """Of it and all below it, when last measured. `None`: not yet."""
    cpu_percent: float | None = Field(default=None, repr=False)
    """Of one core, since it was measured before."""


UP = frozenset({ServiceState.WAITING, ServiceState.STARTING, ServiceState.HEALTHY, ServiceState.UNHEALTHY, ServiceState.STOPPING})
"""A service that runs, or is about to."""


class Link(Record):
    name: str
    service: str
    url: str
    """Below the Jupyter server's own address, such as `/proxy/9101/` or `/proxy/absolute/9101/`: under its login."""
    is_open: bool
    """Its service is healthy."""


class EnvironmentState(StrEnum):
    STOPPED = "stopped"
    STARTING = "starting"
    HEALTHY = "healthy"
    """All that was started is."""
    DEGRADED = "degraded"
    """Some services are healthy, others failed or do not answer."""
    STOPPING = "stopping"
    FAILED = "failed"
    """Its setup failed, or none of its services is up."""


class Phase(StrEnum):
    """*Saved.* What is done with an environment as a whole, so that the next server knows where a killed one was."""

    REST = "rest"
    SETUP = "setup"
    SERVICES = "services"
    STOPPING = "stopping"
    RESET = "reset"
    FAILED = "failed"
    """Its setup or its reset did."""


class ServiceRun(Record):
    """*Saved.* How the next server finds a service that goes on."""

    run_id: RunId
    identity: str | None = None
    """`None`: it was about to start."""


def derive_state(phase: Phase, services: Iterable[Service]) -> EnvironmentState:  # noqa: PLR0911  # it is a table
    states = {service.state for service in services}
    if phase in {Phase.STOPPING, Phase.RESET}:
        return EnvironmentState.STOPPING
    if phase is Phase.SETUP or states & {ServiceState.WAITING, ServiceState.STARTING}:
        return EnvironmentState.STARTING
    if phase is Phase.FAILED and not states & UP:
        return EnvironmentState.FAILED
    if ServiceState.STOPPING in states:
        return EnvironmentState.STOPPING
    if ServiceState.HEALTHY in states:
        troubled = states & {ServiceState.FAILED, ServiceState.UNHEALTHY}
        return EnvironmentState.DEGRADED if troubled else EnvironmentState.HEALTHY
    if states & {ServiceState.FAILED, ServiceState.UNHEALTHY}:
        return EnvironmentState.FAILED
    return EnvironmentState.STOPPED


class Environment(Record):
    """*Saved.* Of one worktree. There is none where the repository says nothing of one."""

    worktree_id: WorktreeId
    worktree: str
    """Its name."""
    source: Source
    variant: str
    variants: list[str]
    state: EnvironmentState
    services: list[Service]
    ports: dict[str, int] = Field(default_factory=dict)
    """By name: its block, also while nothing runs. Empty until it was first started."""
    links: list[Link] = Field(default_factory=list)
    reason: str | None = None
    """Why it failed, waits for an owner's trust, or has another port than before, for a person."""
    notices: list[str] = Field(default_factory=list)
    """What of the file is not used, and which limits hold."""
    needs_trust: bool = False
    """An owner has to read and trust what would run: it is not as in the commit that the worktree started from."""
    by: Person | None = None
    """Who started it last."""
    updated_at: Moment = Field(repr=False)


class EnvironmentCommand(Request):
    """Start, stop, restart: all services, or those named, with what they depend on."""

    services: list[Name] = Field(default_factory=list, max_length=MAX_SERVICES)
    variant: Name | None = None
    """Of a start. `None`: as last time, else `default`."""


class LogChunk(Record):
    """A part of a service's log. Ask again with `next`: nothing is missed while the ring holds it."""

    service: str
    text: str
    """With its ANSI colours."""
    next: int
    """Bytes since the log began; where the following part begins."""
    skipped: int = 0
    """Bytes between where this was asked for and where it begins: the ring has lost them."""
