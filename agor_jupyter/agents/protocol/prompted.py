"""A turn that is prompted: it ends when the agent answers, or is told to stop and does not."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from agor_jupyter.agents.protocol.acp import Gone, Message, RpcError
from agor_jupyter.agents.protocol.results import PromptResult
from agor_jupyter.agents.protocol.turn import Turn


class PromptedTurn(Turn):
    async def run(self, texts: Sequence[str], pictures: Sequence[Mapping[str, str]], on_answer: Callable[[], None]) -> PromptResult:
        """Send the prompt and wait for the answer. Raises `AgentFailed`. `on_answer` is called before anything after it is read."""
        if self.cancelled.is_set():
            return PromptResult(stop_reason="cancelled")
        peer, timeouts = self._peer, self._peer.timeouts
        blocks = [*({"type": "text", "text": text} for text in texts), *(dict(one) for one in pictures)]
        params: Message = {"sessionId": self._session_id, "prompt": blocks}
        asking = asyncio.ensure_future(peer.prompt(params, on_answer))
        cancelled = asyncio.create_task(self.cancelled.wait())
        exited = asyncio.create_task(peer.process.exited.wait())
        hopeless = asyncio.create_task(self._wait_hopeless())
        try:
            await asyncio.wait({asking, cancelled, exited, hopeless}, return_when=asyncio.FIRST_COMPLETED)
            is_hopeless = hopeless.done() and not asking.done() and not self.cancelled.is_set()
            if not asking.done() and not exited.done():
                await peer.send_cancel(self._session_id)
                await asyncio.wait({asking, exited}, timeout=timeouts.cancel, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and exited.done():  # its last words are still being read
                await asyncio.wait({asking}, timeout=timeouts.exit)
            forced = None if asking.done() else await self._end_by_force(has_exited=exited.done())
            if is_hopeless and not self.cancelled.is_set():
                return self._given_up()
            if forced:
                return forced
            return self._result(peer.mask.json(asking.result()))
        except RpcError as error:
            return await self._rejected(error)
        except Gone as gone:
            if self.cancelled.is_set():
                return self._was_cancelled()
            raise await peer.died(gone, "in the middle of a turn") from gone
        finally:
            for task in (asking, cancelled, exited, hopeless):
                task.cancel()
            await asyncio.gather(asking, cancelled, exited, hopeless, return_exceptions=True)
