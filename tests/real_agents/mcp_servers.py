"""The smallest MCP servers with one tool, `say_back`: one over a pipe (run this file), one over HTTP."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

WORDS = "The heron says:"


def answer(message: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a JSON-RPC message; `None` to a notification."""
    method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
    if number is None:
        return None
    if method == "initialize":
        version = params.get("protocolVersion", "2025-06-18")
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "heron", "version": "1"}}
    elif method == "tools/list":
        schema = {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]}
        result = {"tools": [{"name": "say_back", "description": "Says the words back.", "inputSchema": schema}]}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": f"{WORDS} {params['arguments']['words']}"}]}
    elif method == "ping":
        result = {}
    else:
        return {"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": "Method not found"}}
    return {"jsonrpc": "2.0", "id": number, "result": result}


def over_a_pipe(name: str) -> dict[str, Any]:
    """As ACP names it to an agent. Its code is in the command: a sandbox does not show this file."""
    return {"name": name, "command": sys.executable, "args": ["-I", "-c", Path(__file__).read_text()], "env": []}


class OverHttp:
    """Answers from a thread between entering and leaving; wants its token."""

    def __init__(self, token: str) -> None:
        self.calls: list[dict[str, Any]] = []
        self.token = token
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def told(self, name: str) -> dict[str, Any]:
        header = {"name": "Authorization", "value": f"Bearer {self.token}"}
        return {"type": "http", "name": name, "url": f"http://127.0.0.1:{self._server.server_port}/mcp", "headers": [header]}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("authorization") != f"Bearer {self.server.owner.token}":
            self._send(401, {})
            return
        message = json.loads(body)
        if message.get("method") == "tools/call":
            self.server.owner.calls.append(message["params"])
        told = answer(message)
        self._send(200 if told else 202, told)

    def do_GET(self) -> None:
        self._send(405, None)

    do_DELETE = do_GET

    def _send(self, status: int, told: dict[str, Any] | None) -> None:
        encoded = json.dumps(told).encode() if told is not None else b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def main() -> None:
    for line in sys.stdin:
        if (told := answer(json.loads(line))) is not None:
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
