"""What services use of memory and processor. It costs some milliseconds, and is done only for whoever asks."""

import asyncio
import time
from collections.abc import Callable

from agor_jupyter.domain.environments import Environment
from agor_jupyter.processes import usage
from agor_jupyter.processes.lasting import Lasting


class Measures:
    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    async def of(self, found: Environment, process_of: Callable[[str], Lasting | None]) -> Environment:
        """With what its services use now."""
        services = []
        for service in found.services:
            process = process_of(service.name)
            if process is not None:
                used = await asyncio.to_thread(_usage, process)
                now = time.monotonic()
                before = self._before.get(process.run_id)
                self._before[process.run_id] = (now, used.cpu_s)
                percent = 100 * (used.cpu_s - before[1]) / (now - before[0]) if before is not None and now > before[0] else None
                service = service.replace(  # noqa: PLW2901  # the same, with figures
                    memory_bytes=used.memory_bytes, cpu_percent=None if percent is None else round(max(0.0, percent), 1)
                )
            services.append(service)
        return found.replace(services=services)


def _usage(process: Lasting) -> usage.Usage:
    return usage.of(one.pid for one in process.find())
