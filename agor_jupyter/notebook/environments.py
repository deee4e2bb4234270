"""The environment of a worktree, from a cell: start its services, look at them, read what they write, open what they serve."""

import asyncio
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import aclosing

from agor_jupyter.domain.environments import Environment as EnvironmentRecord
from agor_jupyter.domain.environments import EnvironmentCommand, EnvironmentState, LogChunk, Service, ServiceState
from agor_jupyter.domain.environments import Link as LinkRecord
from agor_jupyter.domain.errors import EnvironmentFailed
from agor_jupyter.notebook.display import live, views
from agor_jupyter.notebook.handles import Handles, checked, columns, wait_for
from agor_jupyter.notebook.link import Link

_UNDER_WAY = {EnvironmentState.STARTING, EnvironmentState.STOPPING}
_FOLLOW_S = 10.0


class Port:
    """A port of a worktree: its `number` on the server's machine, and the `url` under which the server passes it on."""

    def __init__(self, link: Link, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.url = _address(link, f"/proxy/{number}/")

    def __int__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"Port {self.name!r}: {self.number}, {self.url}"


class OpenLink:
    """What can be opened. Its `url` needs the server's login; of what is not up, it leads to a page that starts it, or waits for it."""

    def __init__(self, link: Link, worktree_id: str, record: LinkRecord) -> None:
        self.name, self.is_open = record.name, record.is_open
        is_direct = record.is_open or link.is_private
        self.url = _address(link, record.url if is_direct else f"/agor/open/{worktree_id}/{record.name}")

    def __repr__(self) -> str:
        return f"Link {self.name!r}: {self.url}{'' if self.is_open else ' (not up)'}"

    def _repr_html_(self) -> str:
        return views.card("Link", self.name, "open" if self.is_open else "not up", [("url", self.url)])


class Environment:
    """The services of one worktree. `await environment.start()` waits until all are healthy; `start()` alone does not."""

    def __init__(self, link: Link, record: EnvironmentRecord) -> None:
        self._link, self.record = link, record

    @property
    def _at(self) -> str:
        return f"worktrees/{self.record.worktree_id}/environment"

    def refresh(self) -> "Environment":
        """Read it again from the server, into `record`."""
        self.record = EnvironmentRecord.model_validate(self._link.get(self._at))
        return self

    @property
    def state(self) -> str:
        """`stopped`, `starting`, `healthy`, `degraded`, `stopping` or `failed`, as it is now."""
        return self.refresh().record.state.value

    @property
    def reason(self) -> str | None:
        """Why it failed, or what a person should know of it."""
        return self.record.reason

    @property
    def services(self) -> Handles[Service]:
        """Its services as they are now, with what they use of memory and processor. `.df` is a DataFrame."""
        return Handles("service", self.refresh().record.services, columns, lambda one: one.name, _line, kind=Service)

    @property
    def ports(self) -> Mapping[str, Port]:
        """By name. `environment.ports["web"].url` is where the server passes it on."""
        return {name: Port(self._link, name, number) for name, number in self.refresh().record.ports.items()}

    @property
    def links(self) -> Handles[OpenLink]:
        """What can be opened."""
        found = [OpenLink(self._link, self.record.worktree_id, one) for one in self.refresh().record.links]
        return Handles("link", found, lambda one: {"name": one.name, "url": one.url, "is_open": one.is_open}, lambda one: one.name)

    def start(self, *services: str, variant: str | None = None) -> "Environment":
        """Start all services, or those named with what they depend on, and return at once. For owners.

        Args:
            services: names. Default: all.
            variant: one of `record.variants`. Default: as last time, else `default`.

        """
        return self._do("start", services, variant)

    def stop(self, *services: str) -> "Environment":
        """Stop all services, or those named. For owners."""
        return self._do("stop", services)

    def restart(self, *services: str) -> "Environment":
        """Restart all services, or those named. All together start as the repository says now. For owners."""
        return self._do("restart", services)

    def reset(self) -> "Environment":
        """Stop it, and run the commands by which the repository brings its data back to the beginning. For owners."""
        self.record = EnvironmentRecord.model_validate(self._link.post(f"{self._at}/reset"))
        return self

    def logs(self, service: str | None = None, *, follow: bool = False) -> Iterator[str]:
        """Pieces of what a service writes, from the oldest that is kept.

        Args:
            service: its name. Default: the first one's.
            follow: go on as it writes, until the service has ended or you stop.

        """
        after = 0
        while True:
            wait_s = _FOLLOW_S if follow else 0
            chunk = LogChunk.model_validate(self._link.get(f"{self._at}/logs", service=service, after=after, wait_s=wait_s))
            after = chunk.next
            if chunk.text:
                yield chunk.text
            elif not follow or self._has_ended(chunk.service):
                return

    def wait(self, timeout: float | None = None) -> "Environment":
        """Wait until it is healthy, or stopped, from plain code.

        Raises:
            EnvironmentFailed: it failed, or some of its services did.
            TimeoutError: after `timeout` seconds; it goes on then.

        """
        return wait_for(self._settled, timeout, f"The environment of {self.record.worktree!r}")

    def __await__(self) -> Generator[object, None, "Environment"]:
        return self._settled().__await__()

    async def _settled(self) -> "Environment":
        line = live.line()
        async with aclosing(self._link.changes(self.record.worktree_id)) as changes:
            async for _ in changes:
                await asyncio.to_thread(self.refresh)
                if self.record.state not in _UNDER_WAY:
                    break
                line.say(self._progress())
        line.clear()
        if self.record.state in {EnvironmentState.FAILED, EnvironmentState.DEGRADED}:
            raise EnvironmentFailed(self.record.worktree, self._trouble())
        return self

    def _do(self, word: str, services: Sequence[str], variant: str | None = None) -> "Environment":
        with checked():
            body = EnvironmentCommand(services=list(services), variant=variant)
        self.record = EnvironmentRecord.model_validate(self._link.post(f"{self._at}/{word}", body))
        return self

    def _has_ended(self, name: str) -> bool:
        service = next((one for one in self.refresh().record.services if one.name == name), None)
        return service is None or service.state in {ServiceState.STOPPED, ServiceState.FAILED}

    def _progress(self) -> str:
        return ", ".join(f"{one.name} {one.state.value}" for one in self.record.services)

    def _trouble(self) -> str:
        troubled = [one for one in self.record.services if one.state in {ServiceState.FAILED, ServiceState.UNHEALTHY}]
        return self.record.reason or " ".join(f"{one.name}: {one.reason or one.state.value}" for one in troubled)

    def __repr__(self) -> str:
        services = f": {self._progress()}" if self.record.services else ""
        return views.visible(f"Environment of {self.record.worktree!r}, {self.record.state.value}{services}")

    def _repr_html_(self) -> str:
        facts = [
            *((one.name, _line(one).partition(": ")[2]) for one in self.record.services),
            *((one.name, _address(self._link, one.url)) for one in self.record.links if one.is_open),
            ("", self.record.reason or ""),
            *(("", notice) for notice in self.record.notices),
        ]
        return views.card("Environment", self.record.worktree, self.record.state.value, [fact for fact in facts if fact[1]])


def _address(link: Link, path: str) -> str:
    """Through the server and its login; of a private server, which is on this machine and passes nothing on, the port itself."""
    number, _, below = path.removeprefix("/proxy/").removeprefix("absolute/").partition("/")
    below = path[1:] if path.startswith("/proxy/absolute/") else below
    return f"http://127.0.0.1:{number}/{below}" if link.is_private else f"{link.url.rstrip('/')}{path}"


def _line(one: Service) -> str:
    ports = ", ".join(f"{name} {number}" for name, number in one.ports.items())
    return f"{one.name}: {one.state.value}{f' on port {ports}' if ports else ''}{f'. {one.reason}' if one.reason else ''}"


def of(link: Link, worktree_id: str) -> Environment:
    """Raises `EnvironmentNotFound`."""
    return Environment(link, EnvironmentRecord.model_validate(link.get(f"worktrees/{worktree_id}/environment")))


def listed(link: Link) -> Handles[Environment]:
    """Those that were ever started, the oldest worktree first."""
    found = [Environment(link, EnvironmentRecord.model_validate(item)) for item in link.items("environments")]
    return Handles("environment", found, lambda one: columns(one.record), lambda one: one.record.worktree, kind=EnvironmentRecord)
