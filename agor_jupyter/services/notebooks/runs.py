"""Runs cells for agents in the kernel that a notebook has, or in its worktree's. The outputs go where a person's would.

A kernel is no sandbox: what it runs, it runs as the person whose server this is. So nothing runs here before `agree` has come back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from agor_jupyter.documents.notebooks import Json, Outputs
from agor_jupyter.domain import errors
from agor_jupyter.domain.kernels import KernelMake, KernelState
from agor_jupyter.domain.notebooks import CellRun
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.kernels.kernels import Kernels
from agor_jupyter.services.notebooks.notebooks import Notebooks, as_read, file_of
from agor_jupyter.services.notebooks.rooms import Jupyter, Kernel
from agor_jupyter.services.tasks import Tasks

MAX_SOURCE = 20_000
"""Of a cell that an agent wants to run: a person has to be able to read it."""
_MOST_OUTPUT = 4 << 20
_FLUSH_S = 0.25
_MAKING_S = 60.0
_LOOK_S = 0.5
_GRACE_S = 5.0

Agree = Callable[[Json, str], Awaitable[None]]
"""Gets the cell and the kernel's name. Raises if it must not run."""


class Runs:
    def __init__(self, notebooks: Notebooks, kernels: Kernels, jupyter: Jupyter) -> None:
        self._notebooks, self._kernels, self._jupyter = notebooks, kernels, jupyter
        self._tasks = Tasks()
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        await self._tasks.close()

    async def run(  # noqa: PLR0917 what a run is
        self, caller: Caller, worktree: Worktree, path: str, cell_id: str, seen: str, timeout_s: float, limit: int, agree: Agree
    ) -> CellRun:
        """Run one cell, and come back when it has ended or `timeout_s` are over; then it is interrupted.

        Args:
            limit: Characters of outputs to answer with.

        Errors:
            CellNotFound. CellChanged: its source is not what `seen` says, also where it changed while people thought about it.
            NotebookBusy: the kernel runs something. What `agree` raises, and what making the worktree's kernel does.
        """
        caller.require(Role.STEERER, "run cells")
        cell = await self._notebooks.cell(worktree, path, cell_id, seen)
        if cell["cell_type"] != "code":
            raise errors.BadRequest([f"cell_id: {cell_id[:80]!r} is a {cell['cell_type']} cell; only code runs"])
        if len(cell["source"]) > MAX_SOURCE:
            raise errors.BadRequest([f"cell_id: a cell that an agent runs has at most {MAX_SOURCE} characters, so that people can read it"])
        file = file_of(worktree, path)
        lock = self._busy.setdefault(str(file), asyncio.Lock())
        if lock.locked():
            raise errors.NotebookBusy(path, "another cell is being run for an agent")
        async with lock:
            kernel = await self._jupyter.get_kernel(file)
            if kernel is not None and kernel.is_busy:
                raise errors.NotebookBusy(path, "its kernel runs something else")
            spec = kernel.name if kernel is not None else (await self._kernels.get(caller, worktree.id)).spec_name
            await agree(cell, spec)
            cell = await self._notebooks.cell(worktree, path, cell_id, seen)
            kernel = await self._jupyter.get_kernel(file)
            if kernel is None:
                await self._make(caller, worktree)
                kernel = await self._jupyter.start_kernel(file, spec)
            elif kernel.name != spec:
                raise errors.NotebookBusy(path, "it got another kernel in the meantime")
            elif kernel.is_busy:
                raise errors.NotebookBusy(path, "its kernel runs something else")
            outputs = Outputs(_MOST_OUTPUT)
            work = self._tasks.start(self._work(worktree, path, cell, kernel, outputs), f"run a cell of {path}")
            state, reason = await self._wait(work, kernel, outputs, timeout_s)
            now = await self._find(caller, worktree, path, cell_id)
        shown = as_read({**cell, "outputs": outputs.final()}, limit).outputs
        return CellRun(
            state=state, cell=as_read({**now, "outputs": []}, limit) if now else None, outputs=shown, kernel=kernel.name, reason=reason
        )

    async def _wait(self, work: "asyncio.Task[None]", kernel: Kernel, outputs: Outputs, timeout_s: float) -> tuple[str, str | None]:
        done, _ = await asyncio.wait([work], timeout=timeout_s)
        if not done and outputs.count is None:
            return "running", "It waits for the kernel, and what it shows will be in the notebook."
        if not done:
            await kernel.interrupt()
            done, _ = await asyncio.wait([work], timeout=_GRACE_S)
            if not done:
                return "running", f"It did not end within {timeout_s:g} s, nor when it was interrupted."
            return "interrupted", f"It did not end within {timeout_s:g} s."
        if outputs.count is None:
            return "failed", "The kernel ended, or did not answer. A person can restart it."
        return ("failed" if any(one["output_type"] == "error" for one in outputs.items) else "done"), None

    async def _work(self, worktree: Worktree, path: str, cell: Json, kernel: Kernel, outputs: Outputs) -> None:
        """To its end, also when nobody waits for that any more."""
        news = asyncio.Event()

        def take(kind: str, content: Json) -> None:
            if outputs.take(kind, content):
                news.set()

        async def put(*, is_running: bool) -> None:
            await self._notebooks.put_outputs(worktree, path, cell["id"], outputs.final(), outputs.count, is_running=is_running)

        async def show() -> None:
            while True:
                await news.wait()
                news.clear()
                with contextlib.suppress(errors.AgorError):
                    await put(is_running=True)
                await asyncio.sleep(_FLUSH_S)

        showing = asyncio.create_task(show(), name=f"show a cell of {path}")
        try:
            with contextlib.suppress(errors.Unavailable):  # it died: what it showed is kept
                await kernel.run(cell["source"], take)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
            with contextlib.suppress(errors.AgorError):
                await put(is_running=False)

    async def _make(self, caller: Caller, worktree: Worktree) -> None:
        """The worktree's kernel, if there is none. Errors are those of `Kernels.make`."""
        kernel = await self._kernels.get(caller, worktree.id)
        if kernel.state is not KernelState.READY:
            kernel = await self._kernels.make(caller, worktree.id, KernelMake())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MAKING_S):
                while kernel.state is KernelState.MAKING:
                    await asyncio.sleep(_LOOK_S)
                    kernel = await self._kernels.get(caller, worktree.id)
        if kernel.state is not KernelState.READY:
            why = kernel.reason or f"it is still being made ({kernel.step or 'in a moment'}); call again in a minute"
            raise errors.KernelFailed(worktree.name, "make the kernel", why)

    async def _find(self, caller: Caller, worktree: Worktree, path: str, cell_id: str) -> Json | None:
        try:
            cells, _ = await self._notebooks.read(caller, worktree, path)
        except errors.AgorError:
            return None
        return next((one for one in cells if one["id"] == cell_id), None)
