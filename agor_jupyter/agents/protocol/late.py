"""What an agent sends while no turn runs, kept in order until a turn takes it up."""

import asyncio
from collections import deque
from collections.abc import Iterator

from agor_jupyter.agents.protocol.acp import Message

_MAX_HELD = 64
_SPEECH = frozenset({"agent_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update", "plan"})


class Late:
    """`came` is set while there is something that a person should see: words, tools, a plan, dollars, or a question."""

    def __init__(self) -> None:
        self._held: deque[Message] = deque()
        self._says = False
        self._room = asyncio.Event()
        self._room.set()
        self._questions = 0
        self.came = asyncio.Event()

    async def hold(self, params: Message, *, spends: bool) -> None:
        """Keep one. When too many wait, wait too: nothing more is read from the agent meanwhile."""
        self._held.append(params)
        self._says = self._says or spends or is_speech(params.get("update"))
        if self._says:
            self.came.set()
        if len(self._held) >= _MAX_HELD and self._says:
            self._room.clear()
            await self._room.wait()
        elif len(self._held) >= _MAX_HELD:
            self._held.popleft()

    def take(self) -> Iterator[Message]:
        """All that is held, and what comes while it is taken."""
        while self._held:
            yield self._held.popleft()
        self.clear()

    def clear(self) -> None:
        self._held.clear()
        self._says = False
        self._room.set()
        self._settle()

    def ask(self) -> None:
        self._questions += 1
        self.came.set()

    def asked(self) -> None:
        """The question was taken up by a turn, or taken back."""
        self._questions -= 1
        self._settle()

    def _settle(self) -> None:
        if not self._says and not self._questions:
            self.came.clear()


def is_speech(update: object) -> bool:
    return isinstance(update, dict) and str(update.get("sessionUpdate")) in _SPEECH
