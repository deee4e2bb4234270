"""A turn that nobody prompted: no answer ends it, so it ends when the agent is quiet."""

import asyncio
from collections.abc import Callable

from agor_jupyter.agents.protocol.acp import Gone
from agor_jupyter.agents.protocol.results import GIVEN_UP, PROMPTED, QUIET, PromptResult
from agor_jupyter.agents.protocol.turn import Turn

_STOPPED_S, _LOOK_S, _SHORTEST_S = 1.0, 0.05, 0.001
_THINKING = 4
"""So many times as long may be silent what has used a tool or thought last: the model is to speak next."""


class UnpromptedTurn(Turn):
    async def run(self, quiet_s: float, patience_s: float, on_wait: Callable[[], None]) -> PromptResult:
        """Wait until it is quiet; see `AgentConversation.go_on`."""
        peer, signs, background = self._peer, self._its.signs, self._its.background
        watched = [
            asyncio.create_task(work)
            for work in (
                self.cancelled.wait(),
                self.settled.wait(),
                peer.until_gone(),
                peer.process.exited.wait(),
                self._wait_hopeless(),
            )
        ]
        cancelled, settled, gone, exited, hopeless = watched
        stirred: asyncio.Task[bool] | None = None
        try:
            while True:
                if cancelled.done():
                    return await self._stop(quiet_s)
                if gone.done() or exited.done():
                    raise await peer.died(peer.gone or Gone("ended"), "while it worked by itself")
                if hopeless.done():
                    await peer.send_cancel(self._session_id)
                    return self._given_up()
                silence, limit = signs.heard_ago_s, self._silence_s(quiet_s, patience_s)
                if not signs.open_questions and (settled.done() or silence >= limit):
                    return self._went_quiet(PROMPTED if settled.done() else GIVEN_UP if background.open else QUIET)
                if is_waiting := bool(background.open) and silence >= quiet_s:
                    on_wait()
                first = limit if is_waiting or not background.open else quiet_s
                until = None if signs.open_questions else max(first - silence, _SHORTEST_S)
                stirred = stirred if stirred and not stirred.done() else asyncio.create_task(self._next_stir())
                waited = {one for one in (cancelled, gone, exited, hopeless, stirred) if not one.done()}
                if not settled.done():
                    waited.add(settled)
                await asyncio.wait(waited, timeout=until, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = [one for one in (*watched, stirred) if one is not None]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _next_stir(self) -> bool:
        self._its.signs.stirred.clear()
        return await self._its.signs.stirred.wait()

    def _silence_s(self, quiet_s: float, patience_s: float) -> float:
        """How long nothing may be heard before it is believed to be quiet. A model may think for a while before it speaks."""
        if self._its.background.open:
            return max(patience_s, quiet_s)
        return quiet_s * (_THINKING if self._its.signs.is_thinking else 1)

    def _went_quiet(self, reason: str) -> PromptResult:
        usage = self._usage({})
        if reason == QUIET:
            self._its.background.woke()
        if reason == GIVEN_UP:
            self._its.background.forget()
        if failure := self._watch.at_end(self._its.now()):
            return self._refused(failure, reason, usage)
        return PromptResult(stop_reason=reason, usage=usage, has_acted=self.has_acted)

    async def _stop(self, quiet_s: float) -> PromptResult:
        """No answer says that it has stopped: it has when its tools have ended and it is silent."""
        signs, process = self._its.signs, self._peer.process
        await self._peer.send_cancel(self._session_id)
        signs.hear()
        silence_s = min(quiet_s, _STOPPED_S)
        end = signs.heard + self._peer.timeouts.cancel
        while not process.exited.is_set() and (self._its.background.open or signs.heard_ago_s < silence_s):
            if asyncio.get_running_loop().time() > end:
                return await self._end_by_force(has_exited=False)
            await asyncio.sleep(_LOOK_S)
        return self._was_cancelled()
