"""Keeps one service: starts it when what it depends on is healthy, sees when it is ready, and starts it again when it ends."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import UP, Environment, ServiceRun, ServiceSpec, ServiceState
from agor_jupyter.domain.ids import RunId, WorktreeId
from agor_jupyter.executors import commands
from agor_jupyter.processes import lasting, rings
from agor_jupyter.processes.lasting import Lasting
from agor_jupyter.processes.listeners import Listener
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.environments.means import Means
from agor_jupyter.services.environments.readiness import PortTaken, Readiness
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)

_LONG_S = 60.0
"""What was healthy for so long starts to count its restarts anew."""
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_STOP_LINE_S = 30.0
_SHOWN = 200
_MOST_MOVES = 3


class Surroundings(Protocol):
    """The environment that a service belongs to."""

    @property
    def worktree_id(self) -> WorktreeId: ...

    @property
    def path(self) -> Path: ...

    @property
    def record(self) -> Environment: ...

    async def say(self, name: str, run: ServiceRun | None, **changes: object) -> None: ...

    async def until_changed(self) -> None: ...

    async def ports_for(self, spec: ServiceSpec) -> dict[str, int]: ...

    async def variables(self, spec: ServiceSpec) -> dict[str, str]: ...


class Keeper:
    def __init__(self, means: Means, around: Surroundings, spec: ServiceSpec, run: ServiceRun | None, process: Lasting | None) -> None:
        self.spec = spec
        self._means, self._around, self._run_mark = means, around, run
        self.process = process
        self._readiness: Readiness | None = None
        self._restarts, self._moves = 0, 0
        self._excess: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, *, restarts: int = 0, was_healthy: bool = False) -> None:
        self._restarts = restarts
        self._task = asyncio.create_task(self._keep(was_healthy=was_healthy), name=f"service {self.spec.name}")

    async def stop(self) -> None:
        """End it, with all that it started. What cannot be ended is said."""
        await self._let_be()
        run, process = self._run_mark, self.process
        if run is not None:
            await self._say(ServiceState.STOPPING, run, reason=None)
            if self.spec.stop is not None and process is not None and not process.exited.is_set():
                await self._ask_to_end(self.spec.stop, run)
            grace_s = self._means.config.environment_stop_grace.total_seconds()
            left = await (process.stop(grace_s) if process is not None else lasting.end(run.run_id))
            crash_point("environment.ended")
            if left:
                pids = ", ".join(str(one.pid) for one in sorted(left))
                log.error("Processes of service %s could not be ended: %s", self.spec.name, pids)
                await self._say(ServiceState.FAILED, run, reason=f"Processes could not be ended: {pids}.")
                return
        self.process = self._run_mark = None
        code = process.exit_code if process is not None else None
        await self._say(ServiceState.STOPPED, None, exit_code=code, pid=None, reason=None, restarts=0, healthy_at=None)

    async def let_go(self) -> None:
        """The server ends: the service goes on."""
        await self._let_be()
        if self.process is not None and not self.process.exited.is_set():
            self.process.let_go()

    def count(self) -> int:
        return len(self.process.below()) if self.process is not None else 0

    async def examine(self, found: Mapping[int, list[Listener]], count: int) -> None:
        """Whether it has too many processes, and whether it still answers, by one reading of all listeners."""
        readiness, process = self._readiness, self.process
        most = self._means.config.environment_processes
        if most is not None and count > most and process is not None and not process.exited.is_set():
            self._excess = f"It was stopped because it had {count} processes; {most} are allowed."
            await process.stop(0)
            return
        if readiness is None or process is None or readiness.port is None or process.exited.is_set():
            return
        listens = await readiness.listens(dict(found))
        state = self.state
        if process.exited.is_set() or readiness is not self._readiness:
            return
        if listens and state is ServiceState.UNHEALTHY:
            await self._say(ServiceState.HEALTHY, self._run_mark, reason=None)
        elif not listens and state is ServiceState.HEALTHY:
            await self._say(ServiceState.UNHEALTHY, self._run_mark, reason=f"It does not listen on port {readiness.port} any more.")

    @property
    def state(self) -> ServiceState:
        return next(one.state for one in self._around.record.services if one.name == self.spec.name)

    # The loop

    async def _keep(self, *, was_healthy: bool) -> None:
        try:
            while await self._live(was_healthy=was_healthy):
                was_healthy = False
        except errors.AgorError as error:
            await self._fail(error.message)
        except Exception:
            log.exception("Service %s failed", self.spec.name)
            await self._fail("The server could not look after it. Its log says why.")
        finally:
            self._means.health.leave(self)

    async def _live(self, *, was_healthy: bool) -> bool:
        """One run of it. Whether it is started again."""
        if self.process is None and not (await self._dependencies_are_healthy() and await self._launch()):
            return False
        process = self.process
        assert process is not None
        healthy_since = time.monotonic()
        try:
            if not await self._becomes_ready(process, was_healthy=was_healthy):
                return False
        except PortTaken:
            return await self._move(process)
        healthy_for_s = 0.0
        if not process.exited.is_set():
            healthy_since = time.monotonic()
            self._means.health.watch(self)
            await process.exited.wait()
            self._means.health.leave(self)
        if self._readiness is not None and self.state in {ServiceState.HEALTHY, ServiceState.UNHEALTHY}:
            healthy_for_s = time.monotonic() - healthy_since
        return await self._ended(process, healthy_for_s)

    async def _dependencies_are_healthy(self) -> bool:
        """Wait for them. `False`: one of them will not be."""
        while True:
            states = {one.name: one.state for one in self._around.record.services}
            waits_for = [name for name in self.spec.depends_on if states.get(name) is not ServiceState.HEALTHY]
            if not waits_for:
                return True
            lost = [name for name in waits_for if states.get(name) not in UP]
            if lost:
                await self._fail(f"It needs {', '.join(lost)}, which is not up.")
                return False
            await self._around.until_changed()

    async def _launch(self) -> bool:
        ports = await self._around.ports_for(self.spec)
        environment = await self._around.variables(self.spec)
        path = self._around.path / self.spec.cwd
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self._around.path)):
            await self._fail(f"Its folder {self.spec.cwd} is not in the worktree.")
            return False
        path_of_log = self._means.log_of(self._around.worktree_id, self.spec.name)
        run = self._run_mark = ServiceRun(run_id=RunId(self._means.clock.new_id("run")))
        now = self._means.clock.now()
        await self._say(ServiceState.STARTING, run, reason=None, exit_code=None, pid=None, started_at=now, healthy_at=None, must=True)
        crash_point("environment.recorded")
        command = self.spec.command
        place = await asyncio.to_thread(rings.end, path_of_log)
        try:
            self.process = process = await lasting.start(
                ["/bin/sh", "-c", command] if isinstance(command, str) else command,
                cwd=path,
                env=environment,
                run_id=run.run_id,
                log=path_of_log,
                log_bytes=self._means.config.environment_log_bytes,
                limits=self._means.limits,
                keeps_log=True,
            )
        except OSError as error:
            await lasting.end(run.run_id)
            await self._fail(f"It could not be started: {error.strerror or error}.")
            return False
        crash_point("environment.spawned")
        self._run_mark = run.replace(identity=process.identity)
        self._readiness = self._readiness_of(process, ports, place)
        await self._say(ServiceState.STARTING, self._run_mark, pid=_pid_of(process))
        return True

    async def _becomes_ready(self, process: Lasting, *, was_healthy: bool) -> bool:
        """`False`: it was not in time, and has been ended. Also `True` when it has exited."""
        if self._readiness is None:  # adopted
            self._readiness = self._readiness_of(process, self._around.record.ports, 0)
        if was_healthy:
            return True
        readiness = asyncio.create_task(self._readiness.wait())
        exited = asyncio.create_task(process.exited.wait())
        limit_s = self.spec.ready.timeout_s
        try:
            await asyncio.wait({readiness, exited}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if process.exited.is_set():
                return True
            if not readiness.done():
                seen = self._readiness.seen or "it says nothing"  # before it ends: afterwards nothing answers
                await process.stop(self._means.config.environment_stop_grace.total_seconds())
                await self._fail(f"It was not ready within {limit_s:g} s: {seen}.", process.exit_code)
                return False
            readiness.result()
        finally:
            await end(readiness, exited)
        await self._say(ServiceState.HEALTHY, self._run_mark, reason=None, pid=_pid_of(process), healthy_at=self._means.clock.now())
        crash_point("environment.healthy")
        return True

    async def _move(self, process: Lasting) -> bool:
        """Another program has its port: start it again on another one."""
        self._moves += 1
        await process.stop(self._means.config.environment_stop_grace.total_seconds())
        self.process = self._readiness = None
        if self._moves > _MOST_MOVES:
            await self._fail("Other programs take its port again and again.")
            return False
        await self._say(ServiceState.WAITING, None, reason="Another program listens on its port. It gets another one.", pid=None)
        return True

    async def _ended(self, process: Lasting, healthy_for_s: float) -> bool:
        left = await process.stop(0)  # what left its tree
        code = process.exit_code
        self.process = self._readiness = None
        excess, self._excess = self._excess, None
        if excess is not None and not left:
            await self._fail(excess, code)
            return False
        if left:
            await self._fail(f"It ended, and left processes that could not be: {', '.join(str(one.pid) for one in sorted(left))}.", code)
            return False
        if healthy_for_s >= _LONG_S:
            self._restarts = 0
        how = "It was killed" if code is None else f"It ended with code {code}"
        last = await asyncio.to_thread(_last_line, process)
        said = f" Its last words: {last}" if last else ""
        if self.spec.restart == "always" or (self.spec.restart == "on-failure" and code != 0):
            if self._restarts < self.spec.max_restarts:
                pause_s = min(_LONGEST_PAUSE_S, _PAUSE_S * 2**self._restarts)
                self._restarts += 1
                reason = f"{how}, and is started again in {pause_s:g} s.{said}"
                await self._say(ServiceState.WAITING, None, reason=reason, exit_code=code, pid=None, restarts=self._restarts)
                self._run_mark = None
                await asyncio.sleep(pause_s)
                return True
            how += f" after {self._restarts} restarts" if self._restarts else ""
            await self._fail(f"{how}.{said}", code)
            return False
        if code == 0:
            self._run_mark = None
            await self._say(ServiceState.STOPPED, None, reason="It ended by itself.", exit_code=0, pid=None)
        else:
            await self._fail(f"{how}.{said}", code)
        return False

    # Small parts

    def _readiness_of(self, process: Lasting, ports: dict[str, int], log_from: int) -> Readiness:
        is_delegated = self._around.record.source == "compose"
        return Readiness(self.spec, process, ports, self._means.table, log_from=log_from, is_delegated=is_delegated)

    async def _let_be(self) -> None:
        if self._task is not None:
            await end(self._task)
        self._means.health.leave(self)

    async def _ask_to_end(self, line: str, run: ServiceRun) -> None:
        with contextlib.suppress(OSError, errors.AgorError):
            environment = await self._around.variables(self.spec)
            mark = f"{run.run_id}.stop"
            await commands.run([line], cwd=self._around.path / self.spec.cwd, mark=mark, env=environment, timeout_s=_STOP_LINE_S)

    async def _fail(self, reason: str, code: int | None = None) -> None:
        self.process = self._readiness = self._run_mark = None
        await self._say(ServiceState.FAILED, None, reason=reason[:2000], exit_code=code, pid=None)

    async def _say(self, state: ServiceState, run: ServiceRun | None, *, must: bool = False, **changes: object) -> None:
        try:
            await self._around.say(self.spec.name, run, state=state, **changes)
        except errors.Unavailable:  # a full disk does not end what runs
            if must:
                raise
            log.warning("That service %s is %s could not be stored", self.spec.name, state.value)


def _pid_of(process: Lasting) -> int | None:
    """The program's, below its shim."""
    shim = process.identity.split(":")[1]
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{shim}/task/{shim}/children").read_text().split()[0])
    return None


def _last_line(process: Lasting) -> str:
    lines = [line for line in process.tail(4096).splitlines() if line.strip()]
    return lines[-1].strip()[:_SHOWN] if lines else ""
