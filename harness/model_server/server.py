"""The HTTP server: finds the wire format of a request, asks the script what to say, and says it."""

import contextlib
import gzip
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from harness.model_server import anthropic, chat, gemini, responses
from harness.model_server.api import INPUT_TOKENS, Answer, Api, Body
from harness.model_server.script import Step, next_step
from harness.model_server.tools import call

_APIS: list[tuple[str, Api]] = [
    ("/messages", anthropic),
    ("/responses", responses),
    ("/chat/completions", chat),
    (":streamGenerateContent", gemini),
    (":generateContent", gemini),
]
_FAILURES = {400: "The request is bad.", 401: "The key is not valid.", 429: "Too many requests.", 529: "Overloaded."}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One that an agent sent. `at` is the clock of `time.monotonic`."""

    path: str
    body: Body
    at: float
    is_aside: bool = False
    """An agent's own question, for a title or a choice by a schema, which no scenario is played to."""

    @property
    def model(self) -> str | None:
        named = re.search(r"/models/([^:/]+):", self.path)
        return named[1] if named else self.body.get("model")

    def __contains__(self, words: str) -> bool:
        return words in json.dumps(self.body, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What every request gets while it lasts: an error, or without a status an answer that is cut after so many events."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: int = 0


class ModelServer:
    """Serves in threads between entering and leaving. `requests` are those for an answer, in order; `dropped` counts cut answers."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.trouble: Trouble | None = None
        self.dropped = 0
        self.is_there = False
        self._open(port)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Nobody answers at its port any more, nor on a connection that an agent has kept."""
        if self.is_there:
            self.is_there = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server.hang_up()

    def come_back(self) -> None:
        self._open(self._server.server_port)
        self._start()

    def _start(self) -> None:
        self._thread.start()
        self.is_there = True

    def _open(self, port: int) -> None:
        self._server = _Http(port, self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, model: ModelServer) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.model = model
        self._connections: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """An agent that is cancelled or killed hangs up in the middle."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        if self.path.split("?")[0].endswith("/models"):
            model = {"id": "fake-model", "object": "model", "type": "model", "display_name": "Fake", "created_at": "2026-01-01T00:00:00Z"}
            self._json({"object": "list", "data": [model], "models": [{"name": "models/fake-model"}], "has_more": False})
        else:
            self._json({"error": {"type": "not_found_error", "message": self.path}}, 404)

    def do_HEAD(self) -> None:
        self._json({})

    def do_POST(self) -> None:
        body, path = self._body(), self.path.split("?")[0]
        if path.endswith("/count_tokens"):
            self._json({"input_tokens": INPUT_TOKENS})
        elif path.endswith(":countTokens"):
            self._json({"totalTokens": INPUT_TOKENS})
        else:
            api = next((api for suffix, api in _APIS if path.endswith(suffix)), None)
            if api is None:
                self._json({"error": {"type": "not_found_error", "message": path}}, 404)
                return
            is_aside = _side_step(api, body) is not None
            self.server.model.requests.append(Request(path=path, body=body, at=time.monotonic(), is_aside=is_aside))
            self._answer(api, path, body)

    def _answer(self, api: Api, path: str, body: Body) -> None:
        trouble = self.server.model.trouble
        if trouble and trouble.status is not None:
            self._fail(api, trouble.status, trouble.headers)
            return
        step = _side_step(api, body) or next_step(api.said(body))
        if trouble:
            step = replace(step, drop=trouble.drop)
        if step.status != 200:
            self._fail(api, step.status, step.headers)
            return
        tools = api.tools(body)
        try:
            calls = [call(wanted, tools) for wanted in step.calls]
        except LookupError as error:
            self._json(api.error(400, str(error)), 400)
            return
        named = re.search(r"/models/([^:/]+):", path)
        answer = Answer(model=named[1] if named else body.get("model", ""), step=step, calls=calls)
        if path.endswith(":streamGenerateContent") or body.get("stream"):
            self._stream(api, answer)
        else:
            self._json(api.whole(answer))

    def _stream(self, api: Api, answer: Answer) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(ConnectionError):  # the agent was cancelled
            for sent, event in enumerate(api.events(answer)):
                if sent == answer.step.drop:
                    self.server.model.dropped += 1
                    self._cut()
                    return
                if event.is_text:
                    time.sleep(answer.step.delay)
                self.wfile.write(event.encode())

    def _fail(self, api: Api, status: int, headers: dict[str, str]) -> None:
        self._json(api.error(status, _FAILURES.get(status, "It failed.")), status, headers)

    def _cut(self) -> None:
        """End the connection as a broken network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _body(self) -> Body:
        raw = b"".join(self._chunks())
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        return json.loads(raw or b"{}")

    def _chunks(self) -> Iterator[bytes]:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _json(self, answer: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        encoded = json.dumps(answer).encode()
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {"content-type": "application/json", "content-length": str(len(encoded)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(encoded)


def _side_step(api: Api, body: Body) -> Step | None:
    """Agents ask more than their user does: for a title, for a choice of a model by a schema. `None`: this is no such question."""
    config = body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    for place in ("output_config", "text"):
        schema = schema or ((body.get(place) or {}).get("format") or {}).get("schema")
    if schema:
        return Step(text=json.dumps(_smallest(schema)))
    return None if api.tools(body) else Step(text="A title")


def _smallest(schema: dict[str, Any]) -> Any:
    """A small value that fits the schema. `Any`: it is JSON."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type") or "object"
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        return {name: _smallest(one) for name, one in (schema.get("properties") or {}).items()}
    return {"string": "text", "number": 1, "integer": 1, "boolean": False, "array": []}.get(kind)
