"""The tools for agents: what a call over MCP costs beside the call of the service in it, on a real server with 100 sessions.

A client keeps its connection, as agents do. The server writes down how long each call of the service took; the rest is HTTP, the protocol,
the check of the token and of the arguments, and the durable note of who called.
"""

import http.client
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.server import BOARD, fsync_ms, prepare, row, running

CALLS = 200
WARM_UP = 20


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory(prefix="agor-bench-") as folder:
        home = Path(folder)
        template = prepare(home / "template")
        template.copy(home / "n100", 100)
        with running(home / "n100") as server:
            made = server.client("alice").post("tokens", {"name": "bench", "board": BOARD, "address": server.url})
            taken = _call(made["url"], made["secret"], {"name": "session_get", "arguments": {"session_id": f"se_{0:020d}"}})
            inside = _inside(home / "n100" / "data" / "agor.db")
        disk = fsync_ms(home)
    over = [whole - part for whole, part in zip(taken, inside, strict=True)][WARM_UP:]
    whole, service = statistics.median(taken[WARM_UP:]), statistics.median(inside[WARM_UP:])
    beside = f"{whole:.1f} ms in all, {service:.1f} of them the service's; an fsync takes {disk:.1f}; n={CALLS}"
    return [row("mcp_overhead_ms", statistics.median(over), "ms", 5, beside)]


def _call(url: str, secret: str, params: dict) -> list[float]:
    """Milliseconds of each call."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    found = []
    for number in range(CALLS + WARM_UP):
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
        began = time.perf_counter()
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        found.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, text
        assert b'"isError":false' in text, text
    connection.close()
    return found


def _inside(database: Path) -> list[float]:
    """Milliseconds of each call of the service, as the server wrote them down."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    bodies = connection.execute("""select body from events where body like '{"kind":"tool_used",%' order by n""").fetchall()
    connection.close()
    return [json.loads(body)["milliseconds"] for (body,) in bodies]
