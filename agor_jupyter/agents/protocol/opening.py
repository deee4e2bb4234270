"""How a conversation begins: one is resumed, loaded or forked, as the agent can; else it is a new one."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.agents.protocol.acp import AUTH_REQUIRED, Message, RpcError
from agor_jupyter.agents.protocol.peer import Peer
from agor_jupyter.agents.protocol.results import ConversationLost, How
from agor_jupyter.domain.errors import AgentFailed, AgentSignedOut

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Opening:
    peer: Peer
    cwd: Path
    mcp_servers: list[Message]
    skip: Collection[str]
    """Methods that were the end of a process before."""

    async def converse(self, previous: str | None, fork_of: str | None) -> tuple[How, str, Message]:
        """How it began, its id, and what the agent says of it. Raises `ConversationLost`, `AgentFailed`."""
        if previous is not None:
            how, brought = await self._bring_back(previous)
            if brought is not None:
                return how, previous, brought
        elif fork_of is not None and "session/fork" not in self.skip and (forked := await self._fork(fork_of)):
            return "forked", *forked
        return "new", *await self._new()

    async def _new(self) -> tuple[str, Message]:
        answer = await self.peer.ask("session/new", self._place(), self.peer.timeouts.open)
        session_id = answer.get("sessionId")
        if not isinstance(session_id, str) or not session_id:
            raise self.peer.failed("it began a session without an id")
        return session_id, answer

    def _place(self) -> Message:
        """What every conversation needs, also one that is brought back."""
        place: Message = {"cwd": str(self.cwd), "mcpServers": self.mcp_servers}
        meta = self.peer.agent.quirks.session_meta
        return {**place, "_meta": meta} if meta else place

    async def _bring_back(self, previous: str) -> tuple[How, Message | None]:
        """Resume, else load; no answer when the agent can do neither or does not know the session any more."""
        ways: list[tuple[How, str]] = [("resumed", "session/resume")] if self.peer.can("resume") else []
        ways += [("loaded", "session/load")] if self.peer.capabilities.get("loadSession") is True else []
        for how, method in ways:
            answer = await self._try(method, previous) if method not in self.skip else None
            if answer is not None:
                return how, answer
        return "new", None

    async def _fork(self, origin: str) -> tuple[str, Message] | None:
        answer = await self._try("session/fork", origin) if self.peer.can("fork") else None
        session_id = answer.get("sessionId") if answer is not None else None
        return (session_id, answer) if answer is not None and isinstance(session_id, str) and session_id not in ("", origin) else None

    async def _try(self, method: str, session_id: str) -> Message | None:
        name = self.peer.agent.name
        try:
            return await self.peer.call_signed_in(method, {"sessionId": session_id, **self._place()}, self.peer.timeouts.load)
        except RpcError as error:
            if error.code == AUTH_REQUIRED:
                raise AgentSignedOut(name, self.peer.sentence(error)) from error
            log.info("Agent %s: %s failed with code %s", name, method, error.code)
            return None
        except AgentFailed as error:
            raise ConversationLost(method, error) from error
