"""The options of one conversation: what the agent offers, what was chosen of it, and what it changed by itself."""

import asyncio
from collections.abc import Mapping

from agor_jupyter.agents.protocol import options
from agor_jupyter.agents.protocol.acp import Message, RpcError
from agor_jupyter.agents.protocol.options import Offer
from agor_jupyter.agents.protocol.peer import Peer
from agor_jupyter.agents.protocol.results import OnOptions
from agor_jupyter.domain.errors import BadOption
from agor_jupyter.domain.options import MODE, MODEL, SessionOption

_CHANGES = frozenset({"config_option_update", "current_mode_update"})


def is_change(update: Message) -> bool:
    """It tells what is offered, or chosen."""
    return str(update.get("sessionUpdate")) in _CHANGES


class Choices:
    def __init__(self, peer: Peer, on_options: OnOptions) -> None:
        self._peer, self._on_options = peer, on_options
        self._offer = Offer()
        self._applied: dict[str, str] = {}
        self._setting = asyncio.Lock()

    @property
    def offered(self) -> tuple[SessionOption, ...]:
        return self._offer.options

    @property
    def model(self) -> str | None:
        """The one that is chosen."""
        chosen = self._offer.get(MODEL)
        return chosen.value if chosen else None

    @property
    def is_being_set(self) -> bool:
        return self._setting.locked()

    def read(self, answer: Message) -> None:
        """From what the agent says as the conversation begins."""
        self._offer = options.read(answer)

    def tell(self) -> None:
        self._on_options(self.offered)

    async def apply(self, session_id: str, wanted: Mapping[str, str]) -> list[str]:
        """Set what was not wanted before: the model first, since others depend on it, the mode last. Returns what it does not have."""
        left = []
        for option_id in options.in_order(wanted):
            value = wanted[option_id]
            if self._applied.get(option_id) == value:
                continue
            known = self._offer.get(option_id)
            if known is None and option_id not in (MODEL, MODE):
                left.append(option_id)
            elif known is None or known.value != value:
                await self.set(session_id, option_id, value)
            self._applied[option_id] = value
        return left

    async def set(self, session_id: str, option_id: str, value: str) -> None:
        agent = self._peer.agent.name
        async with self._setting:
            self._check(option_id, value)
            method, params = self._offer.request(session_id, option_id, value)
            try:
                answer = await self._peer.call(method, params, self._peer.timeouts.open, "when it was asked for another option")
            except RpcError as error:
                raise BadOption(agent, option_id, value, (), self._peer.sentence(error)) from error
            self._offer = self._offer.after(option_id, value, answer)
            now = self._offer.get(option_id)
            if option_id == MODE and now is not None and now.value != value:
                raise BadOption(agent, option_id, value, (), f"it stayed in {now.value!r}.")
            self._applied[option_id] = value
        self.tell()

    def _check(self, option_id: str, value: str) -> None:
        agent, option = self._peer.agent.name, self._offer.get(option_id)
        if option is None and option_id != MODE:
            raise BadOption(agent, option_id, None, [one.id for one in self._offer.options])
        known = [choice.id for choice in option.choices] if option else []
        if known and value not in known and len(known) < options.MAX_CHOICES:
            raise BadOption(agent, option_id, value, known)

    def hear(self, update: Message, *, was_allowed: bool) -> str | None:
        """It changed. Returns what to tell of a mode that the agent took by itself; one that a person just allowed stays."""
        offer, before = self._offer.told(update), self._offer.get(MODE)
        if offer is self._offer:
            return None
        self._offer = offer
        self.tell()
        mode, wanted = offer.get(MODE), self._applied.get(MODE)
        is_own = before is not None and mode is not None and mode.value != before.value and not self._setting.locked()
        if not is_own or was_allowed or wanted is None or mode is None or mode.value == wanted:
            return None
        del self._applied[MODE]  # so that it is set again before the next turn
        return f"The agent changed its mode to {mode.value!r} by itself. Before its next turn it is set to {wanted!r} again."
