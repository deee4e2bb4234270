"""The agent at the other end of the pipe: a process and the connection to it. Requests are answered in time, or it has failed."""

import asyncio
import contextlib
import re
import signal
from collections.abc import Awaitable, Callable

from agor_jupyter._version import __version__
from agor_jupyter.agents.protocol.acp import AUTH_REQUIRED, PROTOCOL_VERSION, Connection, Gone, Message, RpcError
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.process import NO_GRACE_S, Identities, Process, Timeouts
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.errors import AgentFailed, AgentSignedOut

_SIGNALLED = 128


class Peer:
    """It is read from as soon as it is made. `initialize` first, and `stop` always."""

    def __init__(
        self,
        agent: AgentType,
        process: Process,
        *,
        on_update: Callable[[Message], Awaitable[None]],
        on_request: Callable[[str, Message], Awaitable[Message]],
        on_notice: Callable[[str, str], Awaitable[None]],
        mask: Mask,
        limits: Limits,
        timeouts: Timeouts,
        authenticate: Message | None,
    ) -> None:
        self.agent, self.process, self.timeouts, self.mask = agent, process, timeouts, mask
        self.capabilities: Message = {}
        self._authenticate = authenticate
        self._connection = Connection(
            process.stdout,
            process.stdin,
            on_update=on_update,
            on_request=on_request,
            on_notice=on_notice,
            mask=mask.text,
            limits=limits,
        )

    @property
    def gone(self) -> Gone | None:
        """Why it cannot be talked with any more."""
        return self._connection.gone

    @property
    def is_alive(self) -> bool:
        return self._connection.gone is None and not self.process.exited.is_set()

    async def until_gone(self) -> None:
        await self._connection.until_gone()

    def begin_turn(self) -> None:
        """What it may say in a turn is counted anew."""
        self._connection.begin_turn()

    def can(self, what: str) -> bool:
        """It says that its sessions can be resumed or forked."""
        also = self.capabilities.get("sessionCapabilities")
        return isinstance(also, dict) and isinstance(also.get(what), dict)

    def has(self, group: str, what: str) -> bool:
        """It says that it has a capability of this group."""
        told = self.capabilities.get(group)
        return isinstance(told, dict) and told.get(what) is True

    async def initialize(self) -> None:
        """Shake hands. Raises `AgentFailed`."""
        answer = await self.ask(
            "initialize",
            {
                "protocolVersion": PROTOCOL_VERSION,
                "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
                "clientInfo": {"name": "agor-jupyter", "version": __version__},
            },
            self.timeouts.initialize,
        )
        if answer.get("protocolVersion") != PROTOCOL_VERSION:
            raise self.failed(f"it speaks version {answer.get('protocolVersion')!r} of the protocol, not {PROTOCOL_VERSION}")
        capabilities = answer.get("agentCapabilities")
        self.capabilities = capabilities if isinstance(capabilities, dict) else {}

    async def ask(self, method: str, params: Message, timeout_s: float) -> Message:
        """Ask what it has to answer. Raises `AgentFailed`, `AgentSignedOut` among them."""
        try:
            return await self.call_signed_in(method, params, timeout_s)
        except RpcError as error:
            if error.code == AUTH_REQUIRED:
                raise AgentSignedOut(self.agent.name, self.sentence(error)) from error
            raise self.failed(f"it answered {method} with an error: {self.sentence(error)}") from error

    async def call_signed_in(self, method: str, params: Message, timeout_s: float) -> Message:
        """Call it, and once more with the key of the environment when the agent wants a sign-in."""
        try:
            return await self.call(method, params, timeout_s)
        except RpcError as error:
            if error.code != AUTH_REQUIRED or self._authenticate is None:
                raise
        request, self._authenticate = self._authenticate, None
        await self.call("authenticate", request, timeout_s)
        return await self.call(method, params, timeout_s)

    async def call(self, method: str, params: Message, timeout_s: float, when: str = "before it was ready") -> Message:
        """Its answer, masked.

        Raises:
            RpcError: the error that it answered with.
            AgentFailed: it died, or did not answer in time.

        """
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._connection.call(method, params)
        except TimeoutError as error:
            raise self.failed(f"it did not answer {method} within {timeout_s:g} s") from error
        except Gone as gone:
            raise await self.died(gone, when) from gone
        masked: Message = self.mask.json(answer)
        if masked.get("sessionId") != answer.get("sessionId"):
            raise self.failed("it named its conversation after a secret, and that name would have to be stored")
        return masked

    def prompt(self, params: Message, on_answer: Callable[[], None]) -> Awaitable[Message]:
        """The answer when the turn has ended. `on_answer` is called before anything after it is read. Raises `RpcError`, `Gone`."""
        return self._connection.call("session/prompt", params, on_answer)

    async def send_cancel(self, session_id: str) -> None:
        """After the prompt on the same pipe, or an agent would take it for nothing."""
        with contextlib.suppress(Gone, TimeoutError):
            async with asyncio.timeout(self.timeouts.exit):
                await self._connection.notify("session/cancel", {"sessionId": session_id})

    async def stop(self) -> Identities:
        """End the process and all that it started. Returns what could not be ended."""
        is_deaf = self.gone is not None and self.gone.code == "flooded"
        left = await (self.process.stop(NO_GRACE_S) if is_deaf else self.process.stop())
        await self._connection.close()
        return left

    # Failure

    def sentence(self, error: RpcError) -> str:
        message, more = self.mask.text(error.message), self.mask.json(error.more)
        more = more.get("details") if isinstance(more, dict) else more
        said = f"{message}: {more}" if isinstance(more, str) and more not in message else message
        return f"{said[:1000] or f'code {error.code}'}".rstrip(".") + "."

    def failed(self, why: str) -> AgentFailed:
        said = self.process.stderr_tail()
        if self.agent.failures.chatter:
            said = "\n".join(line for line in said.splitlines() if not re.match(self.agent.failures.chatter, line))
        return AgentFailed(self.agent.name, self.mask.text(why), self.mask.text(said))

    async def died(self, gone: Gone, when: str) -> AgentFailed:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if gone.code == "flooded" else self.timeouts.exit):
                await self.process.exited.wait()
        code = self.process.exit_code
        if gone.code == "flooded" or code is None:
            return self.failed(f"it {gone.why} {when}" if gone.code != "flooded" else f"it {gone.why}")
        return self.failed(f"it ended with {_exit(code)} {when}")


def _exit(code: int) -> str:
    try:
        return f"signal {signal.Signals(code - _SIGNALLED).name}" if code > _SIGNALLED else f"code {code}"
    except ValueError:
        return f"code {code}"
