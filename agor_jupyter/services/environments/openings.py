"""What a link opens: where it leads once its service is healthy, and the start of what it needs."""

from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import UP, Environment, EnvironmentCommand, EnvironmentState, Service, ServiceState
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.services.environments.plans import Plans
from agor_jupyter.services.environments.register import Register
from agor_jupyter.services.worktrees.directory import Directory

_KEPT = "/?#[]@!$&'()*+,;=:~%"
_UNDER_WAY = frozenset({EnvironmentState.STARTING, EnvironmentState.STOPPING})


class Opening(NamedTuple):
    environment: Environment
    link: str
    service: str
    url: str | None
    """Below the Jupyter server's own address. `None`: the service is not healthy."""

    @property
    def state(self) -> ServiceState:
        return found.state if (found := self._found) is not None else ServiceState.STOPPED

    @property
    def reason(self) -> str | None:
        """Why it is not open, for a person."""
        found = self._found
        return (found.reason if found is not None else None) or self.environment.reason

    @property
    def is_under_way(self) -> bool:
        return self.environment.state in _UNDER_WAY or self.state in UP

    @property
    def _found(self) -> Service | None:
        return next((one for one in self.environment.services if one.name == self.service), None)


class Starting(Protocol):
    """Environments, as far as a link needs them."""

    async def get(self, caller: Caller, name: str) -> Environment: ...

    async def start(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment: ...


class Openings:
    def __init__(self, environments: Starting, directory: Directory, register: Register, plans: Plans) -> None:
        self._environments, self._directory, self._register, self._plans = environments, directory, register, plans

    async def look(self, caller: Caller, name: str, link: str) -> Opening:
        """How it is, also of an environment that was never started.

        Errors:
            WorktreeNotFound, EnvironmentNotFound, LinkNotFound, BadSettings. BadRequest: it would lead out of its service.
        """
        environment = await self._environments.get(caller, name)
        service = await self._service(environment.worktree_id, environment.worktree, link)
        found = next((one for one in environment.links if one.name == link), None)
        is_open = found is not None and found.is_open
        return Opening(environment, link, service, _inside(found.url) if found is not None and is_open else None)

    async def begin(self, caller: Caller, name: str, link: str, key: str) -> Opening:
        """Start the environment, or of one that runs the link's service with what it depends on. Starts nothing that is under way.

        Errors:
            As of `look` and of `start`.
        """
        caller.require(Role.OWNER, "start this environment")
        opening = await self.look(caller, name, link)
        if opening.url is not None or opening.is_under_way:
            return opening
        runs = any(one.state in UP for one in opening.environment.services)
        request = EnvironmentCommand(services=[opening.service] if runs else [])
        return opening._replace(environment=await self._environments.start(caller, name, request, key))

    async def _service(self, worktree_id: WorktreeId, worktree: str, link: str) -> str:
        row = await self._register.read(worktree_id)
        plan = row.plan if row is not None else None
        if row is None or not any(one.state in UP for one in row.environment.services):
            plan = (await self._plans.of(await self._directory.get(worktree_id), row.environment.variant if row else None)).plan
        if plan is None:
            raise errors.EnvironmentNotFound(worktree)
        of = {port: service.name for service in reversed(plan.services) for port in service.ports}
        known = {one.name: of[one.port] for one in plan.links if one.port in of}
        if link not in known:
            raise errors.LinkNotFound(link, list(known))
        return known[link]


def _inside(url: str) -> str:
    """As it may stand in a header. Raises `BadRequest` where a browser would leave the service's own addresses."""
    parts = url.partition("?")[0].partition("#")[0].replace("\\", "/").split("/")
    if any(unquote(part) in {".", ".."} for part in parts):
        raise errors.BadRequest(["path: a link may have no part “.” or “..”; correct it in the repository's environment"])
    return quote(url, safe=_KEPT)
