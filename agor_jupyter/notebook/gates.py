"""Gates that are functions of this kernel: they are called when a card waits for them, as long as the kernel lives."""

import asyncio
import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import aclosing

from agor_jupyter.domain.errors import AgorError
from agor_jupyter.domain.worktrees import Worktree as WorktreeRecord
from agor_jupyter.domain.zones import Firing, FiringState, FiringVerdict
from agor_jupyter.notebook.link import Link

log = logging.getLogger(__name__)

_WHEN = {FiringState.CHECKING: "before", FiringState.VERIFYING: "after"}
_MAX_REASON = 2000

_served: dict[tuple[str, str], dict[str, Callable[..., object]]] = {}
"""By server and zone: the functions by the names under which the policy knows them."""


def serve(link: Link, board: str, zone_id: str, functions: Mapping[str, Callable[..., object]]) -> None:
    """Call `functions` with the worktree when a card of this zone waits for one of them. Defining a cell again replaces its function."""
    if not functions:
        return
    key = (link.url, zone_id)
    is_new = key not in _served
    _served.setdefault(key, {}).update(functions)
    if is_new:
        work = threading.Thread(target=lambda: asyncio.run(_follow(link, board, zone_id)), name=f"agor-gates {zone_id}", daemon=True)
        work.start()


async def _follow(link: Link, board: str, zone_id: str) -> None:
    while True:
        with contextlib.suppress(AgorError):  # the server is gone for now; a kernel outlives it
            async with aclosing(link.changes(zone_id)) as changes:
                async for _ in changes:
                    await asyncio.to_thread(_answer_all, link, board, zone_id)
        await asyncio.sleep(2)


def _answer_all(link: Link, board: str, zone_id: str) -> None:
    for item in link.items("firings", board=board, zone=zone_id, live=1):
        firing = Firing.model_validate(item)
        for at, run in enumerate(firing.runs):
            if run.gate is not None and run.turn_id is None and run.outcome is None and at == len(firing.runs) - 1:
                _answer(link, firing, run.gate)


def _answer(link: Link, firing: Firing, number: int) -> None:
    gate = firing.policy.gates[number]
    function = _served.get((link.url, firing.zone_id), {}).get(gate.run)
    if gate.kind != "function" or function is None or _WHEN.get(firing.state) != gate.when:
        return
    passed, reason = _call(function, link, firing)
    try:
        link.post(f"firings/{firing.id}/verdict", FiringVerdict(gate=number, passed=passed, reason=reason))
    except AgorError as error:
        log.warning("The gate %s of %s was not answered: %s", gate.run, firing.zone, error)


def _call(function: Callable[..., object], link: Link, firing: Firing) -> tuple[bool, str]:
    """Whatever it returns but `False` passes; what it raises is the reason."""
    from agor_jupyter.notebook.worktrees import Worktree

    worktree = Worktree(link, WorktreeRecord.model_validate(link.get(f"worktrees/{firing.worktree_id}")))
    name = getattr(function, "__name__", "the gate")
    try:
        answer = function(worktree)
        if inspect.isawaitable(answer):
            answer = asyncio.run(_awaited(answer))
    except Exception as error:  # noqa: BLE001  # the function is the user's
        return False, f"{name}: {type(error).__name__}: {error}"[:_MAX_REASON]
    return (False, f"{name} said no") if answer is False else (True, "")


async def _awaited(answer: object) -> object:
    assert inspect.isawaitable(answer)
    return await answer
