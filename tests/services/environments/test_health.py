"""Looking after healthy services goes on, whatever one of them does."""

import asyncio

from agor_jupyter.services.environments.health import Health


class Table:
    def __init__(self) -> None:
        self.reads = 0

    async def read(self) -> dict[int, list[object]]:
        self.reads += 1
        if self.reads == 2:
            raise RuntimeError("the kernel's table cannot be read")
        return {}


class Patient:
    def __init__(self, *, is_bad: bool) -> None:
        self._is_bad, self.looks = is_bad, asyncio.Semaphore(0)

    def count(self) -> int:
        return 1

    async def examine(self, found: object, count: int) -> None:
        self.looks.release()
        if self._is_bad:
            raise ValueError("it is odd")


async def test_what_cannot_be_looked_after_keeps_nobody_else_from_it(caplog) -> None:
    table, bad, good = Table(), Patient(is_bad=True), Patient(is_bad=False)
    health = Health(table, every_s=0.01)  # type: ignore[arg-type]
    for one in (bad, good):
        health.watch(one)

    for _ in range(3):
        await good.looks.acquire()
        await bad.looks.acquire()
    await health.close()

    assert table.reads >= 4
    assert {record.getMessage().partition(".")[0] for record in caplog.records} == {
        "A service could not be looked after",
        "Services could not be looked after",
    }
