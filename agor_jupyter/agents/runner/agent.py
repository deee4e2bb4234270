"""An ACP agent that runs the fenced blocks of its prompt, one tool call each.

In the mode `auto` it does not ask. A block that fails ends the turn, unless the option `on_failure` is `go_on`, and so does a person's no:
the answer is then `end_turn` with `_meta.agor.error`, a sentence, and `_meta.agor.code`, which makes the turn a failed one. It keeps no
memory, so any session can be loaded again, and forked.
"""

import contextlib
import json
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from agor_jupyter.agents.runner import blocks, running
from agor_jupyter.agents.runner.blocks import Block

Message = dict[str, Any]
"""JSON. `Any` because this program must not import the models."""

_OPTIONS = [
    {"optionId": "allow_once", "name": "Allow once", "kind": "allow_once"},
    {"optionId": "allow_always", "name": "Allow every block in this session", "kind": "allow_always"},
    {"optionId": "reject_once", "name": "Reject", "kind": "reject_once"},
]
_WHAT_I_DO = (
    "I run the fenced `sh`, `bash` and `python` blocks of a prompt in this worktree, in order, and ask before each one. "
    "This prompt has none, so there is nothing to run. For example:\n\n```sh\ngit status --short\n```\n"
)


class _Ended(Exception):
    """The turn ends here, with this answer."""

    def __init__(self, stop_reason: str, error: str | None = None, code: str | None = None) -> None:
        super().__init__(stop_reason)
        self.stop_reason, self.error, self.code = stop_reason, error, code


_MODES = [
    {"id": "ask", "name": "Ask", "description": "Ask before each block"},
    {"id": "auto", "name": "Run without asking", "description": "Run every block of a prompt without asking"},
]
_ON_FAILURE = [
    {"value": "stop", "name": "Stop", "description": "A block that fails is the last one of its prompt"},
    {"value": "go_on", "name": "Go on", "description": "Run the rest; the turn fails at its end"},
]


class _Session:
    def __init__(self, cwd: str) -> None:
        self.cwd = cwd
        self.mode = "ask"
        self.on_failure = "stop"
        self.always = False
        self.turn: running.Canceller | None = None
        self.question: queue.SimpleQueue[Message | None] | None = None

    def options(self) -> Message:
        """As ACP advertises them: the mode in the older way, the rest as a configuration option."""
        on_failure = {
            "id": "on_failure",
            "name": "When a block fails",
            "type": "select",
            "currentValue": self.on_failure,
            "options": _ON_FAILURE,
        }
        return {"modes": {"currentModeId": self.mode, "availableModes": _MODES}, "configOptions": [on_failure]}


class Agent:
    """Serves one client until its input ends."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer
        self._writing = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._questions: dict[int, queue.SimpleQueue[Message | None]] = {}
        self._asked = 0

    def serve(self) -> None:
        for line in self._reader:
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    self._handle(message)
        for session in self._sessions.values():
            self._cancel(session)
        os._exit(0)  # a thread may wait for a reader that is gone

    def _handle(self, message: Message) -> None:
        method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
        if method is None:
            if answered := self._questions.pop(number if isinstance(number, int) else -1, None):
                answered.put(message.get("result") or {})
        elif method == "session/cancel":
            if session := self._sessions.get(params.get("sessionId", "")):
                self._cancel(session)
        elif method == "session/prompt" and params.get("sessionId") in self._sessions:
            self._begin(number, params)
        elif number is not None:
            self._answer(method, number, params)

    def _answer(self, method: str, number: object, params: Message) -> None:
        if method == "initialize":
            result: Message = {
                "protocolVersion": 1,
                "agentCapabilities": {
                    "loadSession": True,
                    "promptCapabilities": {"embeddedContext": True},
                    "sessionCapabilities": {"fork": {}},
                },
                "agentInfo": {"name": "agor-script", "title": "Script", "version": "1"},
                "authMethods": [],
            }
        elif method in ("session/new", "session/fork"):
            session_id = f"script-{os.urandom(8).hex()}"
            session = self._sessions[session_id] = _Session(params["cwd"])
            result = {"sessionId": session_id, **session.options()}
        elif method == "session/load":
            session = self._sessions[params["sessionId"]] = _Session(params["cwd"])
            result = session.options()
        elif method in ("session/set_mode", "session/set_config_option"):
            self._set(method, number, params)
            return
        elif method == "session/prompt":
            self._send({"id": number, "error": {"code": -32602, "message": "This session does not exist"}})
            return
        else:
            self._send({"id": number, "error": {"code": -32601, "message": "Method not found"}})
            return
        self._send({"id": number, "result": result})

    def _set(self, method: str, number: object, params: Message) -> None:
        session = self._sessions.get(params.get("sessionId", ""))
        mode, value = params.get("modeId"), params.get("value")
        if session and method == "session/set_mode" and mode in [one["id"] for one in _MODES]:
            session.mode = mode
            self._send({"id": number, "result": {}})
        elif session and params.get("configId") == "on_failure" and value in [one["value"] for one in _ON_FAILURE]:
            session.on_failure = value
            self._send({"id": number, "result": {"configOptions": session.options()["configOptions"]}})
        else:
            self._send({"id": number, "error": {"code": -32602, "message": "There is no such option, or no such value"}})

    def _cancel(self, session: _Session) -> None:
        if session.turn:
            session.turn.set()
        if session.question:
            session.question.put(None)

    def _begin(self, number: object, params: Message) -> None:
        session = self._sessions[params["sessionId"]]
        if session.turn:
            self._send({"id": number, "error": {"code": -32600, "message": "A turn is running in this session"}})
            return
        session.turn = running.Canceller()
        turn = _Turn(self, params["sessionId"], session, session.turn)
        text = "\n".join(str(part.get("text", "")) for part in params.get("prompt", []) if part.get("type") == "text")
        threading.Thread(target=self._run, args=(number, session, turn, text), daemon=True).start()

    def _run(self, number: object, session: _Session, turn: "_Turn", text: str) -> None:
        result: Message = {"stopReason": "end_turn", "usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}}
        try:
            turn.play(text)
        except _Ended as ended:
            result["stopReason"] = ended.stop_reason
            if ended.error:
                result["_meta"] = {"agor": {"error": ended.error, "code": ended.code}}
        except Exception as error:  # noqa: BLE001  # the task's root: the client must get an answer
            result["_meta"] = {"agor": {"error": f"The script agent failed: {error}", "code": "agent_error"}}
        session.turn = None
        self._send({"id": number, "result": result})

    def ask(self, session: _Session, method: str, params: Message) -> Message | None:
        """Ask the client. `None` when the turn is cancelled meanwhile."""
        answered: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        session.question = answered
        if session.turn and session.turn.is_set:
            return None
        self._asked += 1
        number = self._asked
        self._questions[number] = answered
        self._send({"id": number, "method": method, "params": params})
        result = answered.get()
        session.question = None
        if result is None and number in self._questions:
            del self._questions[number]
            self._send({"method": "$/cancel_request", "params": {"requestId": number}})
        return result

    def update(self, session_id: str, update: Message) -> None:
        self._send({"method": "session/update", "params": {"sessionId": session_id, "update": update}})

    def _send(self, message: Message) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        with self._writing:
            self._writer.write(line)
            self._writer.flush()


class _Turn:
    """One prompt."""

    def __init__(self, agent: Agent, session_id: str, session: _Session, canceller: running.Canceller) -> None:
        self._agent, self._session_id, self._session, self._canceller = agent, session_id, session, canceller

    def play(self, text: str) -> None:
        found = blocks.find(text)
        if not found:
            self._say(_WHAT_I_DO)
            return
        names = ", ".join(block.language for block in found)
        self._say(f"I run {len(found)} block{'s' if len(found) > 1 else ''} in order: {names}.")
        failures = []
        for number, block in enumerate(found, 1):
            try:
                self._play_block(number, block)
            except _Ended as ended:
                if ended.code != "block_failed" or self._session.on_failure == "stop":
                    raise
                failures.append(ended)
        if failures:
            more = f" ({len(failures)} blocks failed.)" if len(failures) > 1 else ""
            raise _Ended("end_turn", f"{failures[0].error}{more}", "block_failed")
        self._say("Done." if len(found) == 1 else f"Done: all {len(found)} blocks ran.")

    def _play_block(self, number: int, block: Block) -> None:
        name = f"Block {number} ({block.language})"
        call_id = f"call-{os.urandom(6).hex()}"
        call: Message = {
            "toolCallId": call_id,
            "title": block.title,
            "kind": "execute",
            "status": "pending",
            "rawInput": {"code" if block.language == "python" else "command": block.code, "language": block.language},
        }
        self._agent.update(self._session_id, {"sessionUpdate": "tool_call", **call})
        self._ask_first(call)
        self._report(call_id, status="in_progress")
        try:
            code = running.run(block, self._session.cwd, self._showing(call_id), self._canceller)
        except (OSError, ValueError) as error:
            self._report(call_id, status="failed", rawOutput={"error": str(error)})
            raise _Ended("end_turn", f"{name} could not be started: {error}", "block_failed") from error
        ended: Message = {"terminal_id": call_id, "exit_code": code if code >= 0 else None, "signal": str(-code) if code < 0 else None}
        self._report(
            call_id,
            status="failed" if code or self._canceller.is_set else "completed",
            rawOutput={"exitCode": code},
            _meta={"terminal_exit": ended},
        )
        if self._canceller.is_set:
            raise _Ended("cancelled")
        if code:
            how = f"code {code}" if code > 0 else f"signal {-code}"
            raise _Ended("end_turn", f"{name} ended with {how}: {block.title}", "block_failed")

    def _ask_first(self, call: Message) -> None:
        """Returns when the block may run."""
        if self._session.always or self._session.mode == "auto":
            return
        params = {"sessionId": self._session_id, "toolCall": call, "options": _OPTIONS}
        answer = self._agent.ask(self._session, "session/request_permission", params)
        outcome = (answer or {}).get("outcome") or {}
        option = outcome.get("optionId") if outcome.get("outcome") == "selected" else None
        if option in ("allow_once", "allow_always") and not self._canceller.is_set:
            self._session.always = option == "allow_always"
            return
        self._report(call["toolCallId"], status="failed")
        if option != "reject_once":
            raise _Ended("cancelled")
        self._say("Rejected by a person. Nothing more of this prompt runs.")
        raise _Ended("end_turn", f"A person rejected: {call['title']}", "rejected")

    def _showing(self, call_id: str) -> Callable[[str], None]:
        return lambda text: self._report(call_id, _meta={"terminal_output": {"terminal_id": call_id, "data": text}})

    def _report(self, call_id: str, **fields: object) -> None:
        self._agent.update(self._session_id, {"sessionUpdate": "tool_call_update", "toolCallId": call_id, **fields})

    def _say(self, text: str) -> None:
        self._agent.update(self._session_id, {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}})
