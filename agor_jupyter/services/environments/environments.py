"""Environments, for callers: look at them, start, stop, restart and reset them. Each command counts once for its key.

It is long because each command checks the same things in the same order (right, worktree, trust, plan), which is read best side by side.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Literal

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import UP, Environment, EnvironmentCommand, LogChunk, Phase, Plan
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import environment
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once, stored
from agor_jupyter.services.config import Config
from agor_jupyter.services.environments import means as made_of
from agor_jupyter.services.environments.health import Health
from agor_jupyter.services.environments.idle import Idle
from agor_jupyter.services.environments.logs import Logs
from agor_jupyter.services.environments.means import Fill, Means, Place, Provide
from agor_jupyter.services.environments.measures import Measures
from agor_jupyter.services.environments.openings import Openings
from agor_jupyter.services.environments.plans import Planned, Plans
from agor_jupyter.services.environments.ports import Ports
from agor_jupyter.services.environments.readiness import Table
from agor_jupyter.services.environments.register import Register, first, planned, save
from agor_jupyter.services.environments.supervisor import Supervisor, waiting
from agor_jupyter.services.transitions import find_worktree
from agor_jupyter.services.worktrees.directory import Directory
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.storage import environments
from agor_jupyter.storage.environments import Row
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_OVER = frozenset({Phase.STOPPING, Phase.RESET})
_NOTHING = EnvironmentCommand()


class Environments:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self, store: Store, config: Config, clock: Clock, repos: Repos, plans: Plans, fill: Fill, provide: Provide
    ) -> None:
        self._store, self._clock, self._repos, self._plans = store, clock, repos, plans
        self._directory = Directory(store, repos)
        table = Table()
        self._means = Means(
            config=config,
            clock=clock,
            register=Register(store, clock),
            ports=Ports(store, config),
            table=table,
            health=Health(table),
            fill=fill,
            provide=provide,
        )
        self._supervisors: dict[WorktreeId, Supervisor] = {}
        self._measures = Measures()
        self._idle = Idle(clock, config.environment_idle_timeout, self._supervisors)
        self._logs = Logs(self._means, self._row_of)
        self.openings = Openings(self, self._directory, self._means.register, plans)

    async def open(self) -> None:
        """Go on with what an earlier server had started."""
        rows = await self._store.read(environments.every)
        under_way = [row for row in rows if row.runs or _up(row) or row.phase not in {Phase.REST, Phase.FAILED}]
        await asyncio.gather(*(self._resume(row) for row in under_way))
        self._idle.start()

    async def close(self) -> None:
        """What runs goes on, and the next server adopts it, unless the configuration says that it ends."""
        await self._idle.close()
        if not self._means.config.environments_outlive:
            await asyncio.gather(*(one.halt() for one in self._supervisors.values() if one.is_up))
        await asyncio.gather(*(one.let_go() for one in self._supervisors.values()))
        await self._means.health.close()

    # Ask

    async def list(self, caller: Caller) -> bytes:
        """A JSON array of those that were ever started, the oldest worktree first."""
        caller.require(Role.VIEWER, "list environments")
        return f"[{','.join(await self._store.read(environments.records))}]".encode()

    async def get(self, caller: Caller, name: str) -> Environment:
        """As it is, or as it would be started.

        Errors:
            WorktreeNotFound, EnvironmentNotFound, BadSettings.
        """
        caller.require(Role.VIEWER, "look at this environment")
        return await self._get(await self._directory.get(name))

    async def _get(self, worktree: Worktree) -> Environment:
        row = await self._means.register.read(worktree.id)
        if row is not None and (row.phase is not Phase.REST or _up(row)):
            return await self._measured(row.environment)
        planned_now = await self._plans.of(worktree, row.environment.variant if row is not None else None)
        if planned_now.plan is None:
            raise errors.EnvironmentNotFound(worktree.name)
        row = planned(row or first(worktree, planned_now.plan, self._clock.now()), planned_now.plan, row.environment.ports if row else {})
        reason = planned_now.reason if planned_now.needs_trust else row.environment.reason
        return row.environment.replace(worktree=worktree.name, needs_trust=planned_now.needs_trust, reason=reason)

    async def log(self, caller: Caller, name: str, service: str | None, after: int | None, wait_s: float) -> LogChunk:
        """A part of a service's log, or of the first one's.

        Errors:
            WorktreeNotFound, EnvironmentNotFound, ServiceNotFound.
        """
        caller.require(Role.VIEWER, "read this log")
        worktree = await self._directory.get(name)
        if (supervisor := self._supervisors.get(worktree.id)) is not None:
            supervisor.used_at = self._clock.monotonic()
        return await self._logs.read(worktree, service, after, wait_s)

    async def whole_log(self, caller: Caller, name: str, service: str | None) -> tuple[str, bytes]:
        """All that is kept of it, with the service's name. Errors as of `log`."""
        caller.require(Role.VIEWER, "read this log")
        return await self._logs.whole(await self._directory.get(name), service)

    # Do

    async def start(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment:
        """All services, or those named with what they depend on. Answers as soon as it is under way; `EnvironmentChanged` tells the rest.

        Errors:
            WorktreeNotFound, WorktreeNotReady, EnvironmentNotFound, ServiceNotFound, BadSettings, BadTemplate, NoPortFree.
            EnvironmentUntrusted: an owner has to trust what would run. EnvironmentBusy: it stops, or another variant runs.
        """
        caller.require(Role.OWNER, "start this environment")
        return await self._start(caller, name, request, key)

    async def _start(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment:
        worktree = await self._directory.get(name)
        asked = [worktree.id, request]
        if (known := await self._store.read(_answered, key, caller, "environment.start", asked)) is not None:
            return known
        row = await self._means.register.read(worktree.id)
        plan = await self._plan_for(worktree, row, request)
        chosen = _chosen(plan, request.services)
        place = await self._place(worktree, caller.person)
        up = _up(row)
        idle = [port for spec in plan.services if spec.name not in up for port in spec.ports]
        given = await self._means.ports.give(worktree.id, plan.ports, checked=idle)
        for spec in plan.services:
            await made_of.variables(self._means.fill, place, plan, given.ports, spec)  # a template that is wrong is refused now
        at = self._clock.now()

        def job(transaction: Transaction) -> Environment:
            self._check_ready(find_worktree(transaction.connection, worktree.id))
            before = environments.get(transaction.connection, worktree.id) or first(worktree, plan, at)
            self._check_open(before, "started")
            fresh = planned(before, plan, given.ports)
            moved = "".join(f"Port {of} is {now} now, because another program uses {was}. " for of, (was, now) in given.moved.items())
            changed = {"worktree": worktree.name, "by": caller.person, "reason": moved.strip() or None, "needs_trust": False}
            fresh = fresh._replace(environment=fresh.environment.replace(**changed))
            phase = Phase.SETUP if plan.setup and not _up(before) else Phase.SERVICES
            return save(transaction, waiting(fresh, chosen)._replace(phase=phase), at).environment

        outcome = await self._store.write(lambda t: once(t, key, caller, "environment.start", asked, at, job, Environment))
        if outcome.is_new:
            supervisor, fresh = await self._supervisor(worktree, place)
            supervisor.begin(fresh, place)
        return outcome.record

    async def stop(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment:
        """All services, or those named. One that is stopped already stays so.

        Errors:
            WorktreeNotFound, EnvironmentNotFound, ServiceNotFound.
        """
        caller.require(Role.OWNER, "stop this environment")
        return await self._stop(caller, name, request, key)

    async def _stop(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment:
        def step(row: Row) -> Row:
            is_whole = not request.services or not _up(row) - set(request.services)
            return row._replace(phase=Phase.STOPPING) if is_whole and row.phase is not Phase.RESET else row

        answer, row, place = await self._command(caller, name, request, key, "stop", step)
        if row is not None and row.plan is not None and row.phase is not Phase.RESET:
            supervisor, row = await self._supervisor(await self._directory.get(name), place)
            supervisor.stop(row, supervisor.plan.service_names if row.phase is Phase.STOPPING else request.services)
        return answer

    async def restart(self, caller: Caller, name: str, request: EnvironmentCommand, key: str) -> Environment:
        """All services that are up, or those named. Named ones run as they ran; all together, as the repository says now.

        Errors:
            As of `start`.
        """
        caller.require(Role.OWNER, "restart this environment")
        worktree = await self._directory.get(name)
        row = await self._means.register.read(worktree.id)
        if row is None or not _up(row):
            return await self._start(caller, name, request, key)
        plan = row.plan
        if plan is None or not request.services:
            plan = (await self._planned(worktree, request.variant or row.environment.variant)).plan
        assert plan is not None
        ports = await self._means.ports.give(worktree.id, plan.ports, checked=[])
        chosen = list(request.services) or [one for one in plan.service_names if one in _up(row)] or plan.service_names
        _chosen(plan, chosen)

        def step(before: Row) -> Row:
            self._check_open(before, "restarted")
            return planned(before, plan, ports.ports)

        answer, after, place = await self._command(caller, name, request, key, "restart", step)
        if after is not None:
            supervisor, after = await self._supervisor(worktree, place)
            await supervisor.restart(after, place, chosen)
        return answer

    async def reset(self, caller: Caller, name: str, key: str) -> Environment:
        """Stop it, and run the plan's lines of reset.

        Errors:
            As of `start`.
        """
        caller.require(Role.OWNER, "reset this environment")
        worktree = await self._directory.get(name)
        plan = (await self._planned(worktree, None)).plan
        assert plan is not None
        await self._ensure(worktree, plan)

        def step(row: Row) -> Row:
            self._check_open(row, "reset")
            return (row if _up(row) else planned(row, plan, row.environment.ports))._replace(phase=Phase.RESET)

        answer, row, place = await self._command(caller, name, _NOTHING, key, "reset", step)
        if row is not None:
            supervisor, row = await self._supervisor(worktree, place)
            supervisor.reset(row)
        return answer

    # For agents

    async def act_as_agent(
        self, caller: Caller, worktree: Worktree, action: Literal["start", "stop"], request: EnvironmentCommand, key: str
    ) -> Environment:
        """As an agent does it, whose right to this worktree was asked elsewhere.

        Services run what lies in the worktree outside of an agent's sandbox, so that the first start is an owner's.

        Errors:
            NotAllowed: no owner has started it here. And those of `start`.
        """
        row = await self._means.register.read(worktree.id)
        if row is None or row.environment.by is None:
            what = f"{action} an environment that no owner has started in this worktree yet"
            raise errors.NotAllowed(who=caller.person.name, action=what, needs=Role.OWNER.value)
        return await (self._start if action == "start" else self._stop)(caller, worktree.id, request, key)

    async def variables_in(self, worktree: Worktree, by: Person) -> dict[str, str]:
        """What an agent in the worktree gets of its environment: the ports, and the variables for all. None where it may not run."""
        try:
            row = await self._means.register.read(worktree.id)
            if row is not None and row.plan is not None and _up(row):
                plan: Plan | None = row.plan
            else:
                found = await self._plans.of(worktree, row.environment.variant if row is not None else None)
                plan = None if found.needs_trust else found.plan
            if plan is None:
                return {}
            given = await self._means.ports.give(worktree.id, plan.ports, checked=[])
            own = await made_of.own_variables(self._means.fill, await self._place(worktree, by), plan, given.ports, None)
        except errors.AgorError as error:
            log.info("The agent in worktree %s gets nothing of its environment: %s", worktree.id, error)
            return {}
        return {name: value for name, value in own.items() if name.startswith("AGOR_WORKTREE_") or environment.is_allowed_name(name)}

    # For those who own the folder

    async def halt(self, worktree_id: WorktreeId) -> None:
        """Stop it now, and wait for that: the worktree's folder is about to go. Its ports are given back."""
        row = await self._means.register.read(worktree_id)
        if row is not None and (_up(row) or row.runs or row.phase not in {Phase.REST, Phase.FAILED}):
            worktree = await self._directory.get(worktree_id)
            supervisor, _ = await self._supervisor(worktree, await self._place(worktree, row.environment.by or worktree.created_by))
            await supervisor.halt()
        await self._means.ports.release(worktree_id)
        if row is not None:
            await self._means.register.change(worktree_id, lambda row: planned(row, row.plan, {}) if row.plan is not None else row)

    async def forget(self, worktree_id: WorktreeId) -> None:
        """Its folder is gone."""
        await self.halt(worktree_id)
        self._supervisors.pop(worktree_id, None)
        await self._store.write(environments.delete, worktree_id)
        await self._logs.drop(worktree_id)

    # Small parts

    async def _measured(self, found: Environment) -> Environment:
        supervisor = self._supervisors.get(found.worktree_id)
        return found if supervisor is None else await self._measures.of(found, supervisor.process_of)

    async def _command(  # noqa: PLR0917
        self, caller: Caller, name: str, request: EnvironmentCommand, key: str, word: str, step: Callable[[Row], Row]
    ) -> tuple[Environment, Row | None, Place]:
        """Store once that it is under way. The row is `None` when an earlier call did it."""
        worktree = await self._directory.get(name)
        at = self._clock.now()
        rows: list[Row] = []

        def job(transaction: Transaction) -> Environment:
            rows.clear()
            row = environments.get(transaction.connection, worktree.id)
            if row is None:
                raise errors.EnvironmentNotFound(worktree.name)
            if row.plan is not None:
                _chosen(row.plan, request.services)
            rows.append(save(transaction, step(row), at))
            return rows[0].environment

        action, asked = f"environment.{word}", [worktree.id, request]
        outcome = await self._store.write(lambda t: once(t, key, caller, action, asked, at, job, Environment))
        return outcome.record, rows[0] if outcome.is_new else None, await self._place(worktree, caller.person)

    async def _plan_for(self, worktree: Worktree, row: Row | None, request: EnvironmentCommand) -> Plan:
        """What runs already, or what the repository says now."""
        if row is not None and _up(row) and row.plan is not None:
            if request.variant not in {None, row.plan.variant}:
                raise errors.EnvironmentBusy(worktree.name, f"running as “{row.plan.variant}”", f"started as “{request.variant}”")
            return row.plan
        self._check_ready(worktree)
        variant = request.variant or (row.environment.variant if row is not None else None)
        plan = (await self._planned(worktree, variant)).plan
        assert plan is not None
        return plan

    async def _planned(self, worktree: Worktree, variant: str | None) -> Planned:
        found = await self._plans.of(worktree, variant)
        if found.plan is None:
            raise errors.EnvironmentNotFound(worktree.name)
        if found.needs_trust:
            raise errors.EnvironmentUntrusted(worktree.name, found.reason or "An owner has to trust it first.")
        return found

    async def _ensure(self, worktree: Worktree, plan: Plan) -> None:
        """A row, also of one that never was started."""
        at = self._clock.now()

        def job(transaction: Transaction) -> None:
            if environments.get(transaction.connection, worktree.id) is None:
                save(transaction, first(worktree, plan, at), at)

        await self._store.write(job)

    async def _place(self, worktree: Worktree, by: Person) -> Place:
        return Place(worktree=worktree, repo=await self._repos.get(worktree.repo_id), by=by, base_url=self._means.config.base_url)

    async def _supervisor(self, worktree: Worktree, place: Place) -> tuple[Supervisor, Row]:
        row = await self._row_of(worktree)
        supervisor = self._supervisors.setdefault(worktree.id, Supervisor(self._means, place, row))
        return supervisor, row

    async def _resume(self, row: Row) -> None:
        """What goes wrong with one keeps no other, and no server, from its start."""
        try:
            await self._adopt(row)
        except Exception:
            log.exception("The environment of worktree %s could not be taken over", row.environment.worktree_id)

    async def _adopt(self, row: Row) -> None:
        worktree_id = row.environment.worktree_id
        worktree = await self._directory.get(worktree_id)
        place = await self._place(worktree, row.environment.by or worktree.created_by)
        self._supervisors[worktree_id] = supervisor = Supervisor(self._means, place, row)
        await supervisor.resume()

    async def _row_of(self, worktree: Worktree) -> Row:
        row = await self._means.register.read(worktree.id)
        if row is None:
            raise errors.EnvironmentNotFound(worktree.name)
        return row

    @staticmethod
    def _check_ready(worktree: Worktree) -> None:
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)

    @staticmethod
    def _check_open(row: Row, action: str) -> None:
        if row.phase in _OVER:
            raise errors.EnvironmentBusy(row.environment.worktree, row.environment.state.value, action)


def _up(row: Row | None) -> set[str]:
    return {one.name for one in row.environment.services if one.state in UP} if row is not None else set()


def _chosen(plan: Plan, names: Collection[str]) -> list[str]:
    """These with what they depend on, or all. Raises `ServiceNotFound`."""
    for name in names:
        if name not in plan.service_names:
            raise errors.ServiceNotFound(name, plan.service_names)
    return plan.needed_by(names or plan.service_names)


def _answered(connection: object, key: str, caller: Caller, action: str, request: object) -> Environment | None:
    found = stored(connection, key, caller, action, request)  # type: ignore[arg-type]  # as `Store.read` hands it
    return Environment.model_validate_json(found) if found is not None else None
