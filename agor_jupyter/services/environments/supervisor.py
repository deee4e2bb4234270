"""One environment that runs: its setup, its services in the order of what they need, and its end.

Each state is stored before anybody hears of it, so that the next server knows what this one was about to do.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import UP, Environment, Phase, Plan, ServiceRun, ServiceSpec, ServiceState
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.executors import commands
from agor_jupyter.processes import lasting
from agor_jupyter.processes.lasting import Lasting
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.environments import means as made_of
from agor_jupyter.services.environments.keeper import Keeper
from agor_jupyter.services.environments.means import Means, Place
from agor_jupyter.services.environments.register import Step, planned, with_service
from agor_jupyter.services.tasks import Tasks, end
from agor_jupyter.storage.environments import Row

log = logging.getLogger(__name__)

_INTERRUPTED = "The server ended during its {}. Start it again."
_GONE = "It ended while the server was not running."


class Supervisor:
    def __init__(self, means: Means, place: Place, row: Row) -> None:
        self._means, self._place, self.row = means, place, row
        self._keepers: dict[str, Keeper] = {}
        self._beginning: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._tasks = Tasks()
        self._one = asyncio.Lock()
        self.used_at = means.clock.monotonic()
        """When somebody last used it, as far as this server knows."""

    # What its services need of it

    @property
    def worktree_id(self) -> WorktreeId:
        return self.row.environment.worktree_id

    @property
    def path(self) -> Path:
        return Path(self._place.worktree.path)

    @property
    def record(self) -> Environment:
        return self.row.environment

    @property
    def plan(self) -> Plan:
        assert self.row.plan is not None
        return self.row.plan

    async def say(self, name: str, run: ServiceRun | None, **changes: object) -> None:
        await self._change(lambda row: with_service(row, name, run, **changes))

    async def until_changed(self) -> None:
        changed = self._changed
        await changed.wait()

    async def ports_for(self, spec: ServiceSpec) -> dict[str, int]:
        """All of its ports, those of this service proven free."""
        given = await self._means.ports.give(self.worktree_id, self.plan.ports, checked=spec.ports)
        if given.moved:
            moves = ", ".join(f"{name} is {now} now, because another program uses {before}" for name, (before, now) in given.moved.items())
            await self._change(lambda row: _with_reason(planned(row, self.plan, given.ports), f"Port {moves}. Restart what refers to it."))
        return given.ports

    async def variables(self, spec: ServiceSpec | None) -> dict[str, str]:
        found = await made_of.variables(self._means.fill, self._place, self.plan, self.record.ports, spec)
        return {**await self._means.provide(self._place.worktree), **found}

    # Commands, of which the stored record already says that they are under way

    def begin(self, row: Row, place: Place) -> None:
        """Set up if that is due, and start what waits."""
        self._take(row)
        self._place = place
        self._beginning = asyncio.create_task(self._begin(), name=f"start of {self.worktree_id}")

    def stop(self, row: Row, names: Collection[str], reason: str | None = None) -> asyncio.Task[None]:
        """`reason`: why nobody asked for it."""
        self._take(row)
        return self._tasks.start(self._stop(names, reason), f"stop of {self.worktree_id}")

    async def restart(self, row: Row, place: Place, names: Collection[str]) -> None:
        self._take(row)
        await self._stop_beginning()
        self._place = place
        self._beginning = asyncio.create_task(self._restart(names), name=f"restart of {self.worktree_id}")

    def reset(self, row: Row) -> None:
        self._take(row)
        self._tasks.start(self._reset(), f"reset of {self.worktree_id}")

    @property
    def is_up(self) -> bool:
        return self.row.phase is not Phase.REST or any(one.state in UP for one in self.row.environment.services)

    async def halt(self, reason: str | None = None) -> None:
        """Stop all now: its folder is about to go, or the server, or nobody uses it."""
        row = await self._change(lambda row: row._replace(phase=Phase.STOPPING))
        await self.stop(row, self.plan.service_names, reason)

    async def resume(self) -> None:
        """Go on where an earlier server was: adopt what lives, and say what does not. Afterwards the record is true."""
        adopted: dict[str, Lasting] = {}
        for name, run in self.row.runs.items():
            process = await lasting.adopt(run.run_id, run.identity, log=self._means.log_of(self.worktree_id, name))
            if process is not None:
                adopted[name] = process
        phase = self.row.phase
        stopping = {one.name for one in self.record.services if one.state is ServiceState.STOPPING}
        for name in stopping & self.row.runs.keys():
            await lasting.end(f"{self.row.runs[name].run_id}.stop")
        if phase is not Phase.SERVICES:
            await commands.end(self._mark)
        for service in self.record.services:
            await self._resume(service.name, adopted.get(service.name), goes_on=phase is Phase.SERVICES)
        if phase is Phase.SETUP:
            await self._change(lambda row: _with_reason(row._replace(phase=Phase.FAILED), _INTERRUPTED.format("setup")))
        elif phase in {Phase.STOPPING, Phase.RESET} or stopping:
            self._tasks.start(self._end_of(phase, stopping), f"stop of {self.worktree_id}")

    async def _end_of(self, phase: Phase, stopping: Collection[str]) -> None:
        """Of a stop that an earlier server began."""
        await self._stop(self.plan.service_names if phase in {Phase.STOPPING, Phase.RESET} else stopping)
        if phase is Phase.RESET:
            await self._change(lambda row: _with_reason(row._replace(phase=Phase.FAILED), _INTERRUPTED.format("reset")))

    async def let_go(self) -> None:
        """The server ends. What runs goes on."""
        if self._beginning is not None:
            await end(self._beginning)
        await self._tasks.close()
        for keeper in self._keepers.values():
            await keeper.let_go()

    def process_of(self, name: str) -> Lasting | None:
        keeper = self._keepers.get(name)
        return keeper.process if keeper is not None else None

    # How

    @property
    def _mark(self) -> str:
        return f"environment.{self.worktree_id}"

    async def _begin(self) -> None:
        try:
            async with self._one:
                if self.row.phase is Phase.SETUP:
                    crash_point("environment.setup")
                    problem = await self._run_lines(self.plan.setup, "setup")
                    if problem is not None:
                        await self._change(lambda row: _with_reason(_all_stopped(row._replace(phase=Phase.FAILED)), problem))
                        return
                    await self._change(lambda row: row._replace(phase=Phase.SERVICES))
                self._keep_waiting()
        except errors.AgorError as error:
            message = error.message
            with contextlib.suppress(errors.Unavailable):
                await self._change(lambda row: _with_reason(_all_stopped(row._replace(phase=Phase.FAILED)), message))

    def _keep_waiting(self) -> None:
        """Look after every service that waits and has nobody who does."""
        for service in self.record.services:
            if service.state is ServiceState.WAITING and service.name not in self._keepers:
                self._keepers[service.name] = keeper = Keeper(self._means, self, self._spec(service.name), None, None)
                keeper.start()

    async def _resume(self, name: str, process: Lasting | None, *, goes_on: bool) -> None:
        run = self.row.runs.get(name)
        service = next(one for one in self.record.services if one.name == name)
        if process is not None:
            keeper = self._keepers[name] = Keeper(self._means, self, self._spec(name), run, process)
            if goes_on and service.state is not ServiceState.STOPPING:
                was_healthy = service.state in {ServiceState.HEALTHY, ServiceState.UNHEALTHY}
                keeper.start(restarts=service.restarts, was_healthy=was_healthy)
            return
        never_ran = service.state is ServiceState.STARTING and (run is None or run.identity is None)
        if goes_on and (service.state is ServiceState.WAITING or never_ran):
            await self.say(name, None, state=ServiceState.WAITING, reason=None)
            keeper = self._keepers[name] = Keeper(self._means, self, self._spec(name), None, None)
            keeper.start(restarts=service.restarts)
        elif service.state in UP:
            code = await asyncio.to_thread(lasting.exit_code, self._means.log_of(self.worktree_id, name)) if run is not None else None
            reason = _GONE if run is not None and service.state is not ServiceState.STOPPING else None
            await self.say(name, None, state=ServiceState.STOPPED, reason=reason, exit_code=code, pid=None)

    async def _stop(self, names: Collection[str], reason: str | None = None) -> None:
        """In the opposite order. With the last one, the plan's own lines of stop."""
        await self._stop_beginning()
        async with self._one:
            await self._finish_all(names)
            if self.row.phase is Phase.STOPPING:
                problem = await self._run_lines(self.plan.stop, "stop")
                await self._change(lambda row: _with_reason(row._replace(phase=Phase.REST), problem or reason))

    async def _finish_all(self, names: Collection[str]) -> None:
        """Each after those that need it."""
        stops = {name: asyncio.Event() for name in names}

        async def one(spec: ServiceSpec) -> None:
            for dependent in self.plan.services:
                if spec.name in dependent.depends_on and dependent.name in stops:
                    await stops[dependent.name].wait()
            try:
                await self._finish(spec.name)
            finally:
                stops[spec.name].set()

        await asyncio.gather(*(one(spec) for spec in self.plan.services if spec.name in stops))

    async def _stop_beginning(self) -> None:
        if self._beginning is not None:
            await end(self._beginning)
            self._beginning = None

    async def _finish(self, name: str) -> None:
        keeper = self._keepers.get(name)
        if keeper is not None:
            await keeper.stop()
            self._keepers.pop(name, None)
        elif any(one.name == name and one.state in UP for one in self.record.services):
            await self.say(name, None, state=ServiceState.STOPPED, reason=None, pid=None)

    async def _restart(self, names: Collection[str]) -> None:
        async with self._one:
            await self._finish_all(names)
            await self._change(lambda row: waiting(row, names))
            self._keep_waiting()

    async def _reset(self) -> None:
        await self._stop(self.plan.service_names)
        async with self._one:
            problem = await self._run_lines(self.plan.reset, "reset")
            phase = Phase.REST if problem is None else Phase.FAILED
            await self._change(lambda row: _with_reason(row._replace(phase=phase), problem))

    async def _run_lines(self, lines: Sequence[str], what: str) -> str | None:
        """What went wrong, for a person."""
        if not lines:
            return None
        limit_s = self._means.config.setup_timeout.total_seconds()
        try:
            environment = await self.variables(None)
            ended = await commands.run(lines, cwd=self.path, mark=self._mark, env=environment, timeout_s=limit_s)
        except OSError as error:
            return f"A line of its {what} could not be started: {error.strerror or error}."
        if ended is None:
            return None
        how = f"failed with code {ended.code}" if ended.code is not None else f"took longer than {limit_s:g} s"
        return f"“{ended.line[:200]}” of its {what} {how}. {ended.tail[-1500:]}".strip()

    def _spec(self, name: str) -> ServiceSpec:
        return next(spec for spec in self.plan.services if spec.name == name)

    async def _change(self, step: Step) -> Row:
        row = await self._means.register.change(self.worktree_id, step)
        if row is not None:
            self._take(row)
        return self.row

    def _take(self, row: Row) -> None:
        self.row = row
        self.used_at = self._means.clock.monotonic()
        self._changed.set()
        self._changed = asyncio.Event()


def waiting(row: Row, names: Collection[str]) -> Row:
    """These are to be started."""
    services = [
        one.replace(state=ServiceState.WAITING, reason=None, exit_code=None, restarts=0)
        if one.name in names and one.state not in UP
        else one
        for one in row.environment.services
    ]
    return row._replace(environment=row.environment.replace(services=services))


def _all_stopped(row: Row) -> Row:
    services = [one.replace(state=ServiceState.STOPPED) if one.state is ServiceState.WAITING else one for one in row.environment.services]
    return row._replace(environment=row.environment.replace(services=services))


def _with_reason(row: Row, reason: str | None) -> Row:
    return row._replace(environment=row.environment.replace(reason=reason))
