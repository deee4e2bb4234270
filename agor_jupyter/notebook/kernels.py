"""The kernel of a worktree, from a cell."""

import asyncio
import time
from collections.abc import Generator
from typing import Any

from agor_jupyter.domain.errors import KernelFailed
from agor_jupyter.domain.kernels import Kernel as KernelRecord
from agor_jupyter.domain.kernels import KernelMake, KernelState
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.link import Link

_PACE_S = 0.2


class Kernel:
    """A kernel with a worktree's packages: `await worktree.kernel.start()`, then choose it for a notebook by its name."""

    def __init__(self, link: Link, worktree_id: str) -> None:
        self._link, self._at = link, f"worktrees/{worktree_id}/kernel"
        self.refresh()

    def refresh(self) -> "Kernel":
        """Read it again from the server, into `record`."""
        self.record = KernelRecord.model_validate(self._link.get(self._at))
        return self

    @property
    def state(self) -> str:
        """`none`, `making`, `ready` or `failed`, as it is now."""
        return self.refresh().record.state.value

    @property
    def spec_name(self) -> str:
        """What notebooks and nbclient call it."""
        return self.record.spec_name

    def start(self, *, again: bool = False) -> "Kernel":
        """Make it in the background, unless there is one as the worktree says. `await` it, or `wait`.

        Args:
            again: also if there is one.

        Raises:
            KernelNotTrusted: an owner has to trust first what it would be made from.

        """
        self.record = KernelRecord.model_validate(self._link.post(self._at, KernelMake(again=again)))
        return self

    def wait(self, timeout: float | None = None) -> "Kernel":
        """Until it is no longer being made.

        Raises:
            KernelFailed: it could not be made, and why.
            TimeoutError: after `timeout` seconds. It is still being made.

        """
        end = None if timeout is None else time.monotonic() + timeout
        while self.refresh().record.state is KernelState.MAKING:
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"{self!r} is still being made")
            time.sleep(_PACE_S)
        return self._settled()

    def __await__(self) -> Generator[Any, None, "Kernel"]:
        return self._ready().__await__()

    async def _ready(self) -> "Kernel":
        while (await asyncio.to_thread(self.refresh)).record.state is KernelState.MAKING:  # noqa: ASYNC110  # the server is asked
            await asyncio.sleep(_PACE_S)
        return self._settled()

    def _settled(self) -> "Kernel":
        if self.record.state is KernelState.FAILED:
            raise KernelFailed(self.record.worktree, self.record.source, self.record.reason or "the server does not say why")
        return self

    def remove(self) -> None:
        """With its environment."""
        self._link.delete(self._at)
        self.refresh()

    def __repr__(self) -> str:
        more = ", not as the worktree says now" if self.record.is_stale else ""
        return f"Kernel {self.spec_name!r} ({self.record.state.value}, from {self.record.source}{more})"

    def _repr_html_(self) -> str:
        facts = [("made from", self.record.source), ("", self.record.step or self.record.reason or "")]
        return views.card("Kernel", self.record.display_name, self.record.state.value, facts)
