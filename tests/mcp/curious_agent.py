"""An ACP agent that speaks MCP over HTTP and shows what it was given: it writes its MCP servers to a file, then holds its turn."""

import json
import sys
from pathlib import Path

shown = Path(sys.argv[1])
held = None


def send(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


for line in sys.stdin:
    message = json.loads(line)
    match message.get("method"):
        case "initialize":
            capabilities = {"loadSession": False, "mcpCapabilities": {"http": True, "sse": False}}
            send({"id": message["id"], "result": {"protocolVersion": 1, "agentCapabilities": capabilities}})
        case "session/new":
            shown.with_suffix(".tmp").write_text(json.dumps(message["params"]["mcpServers"]))
            shown.with_suffix(".tmp").replace(shown)
            send({"id": message["id"], "result": {"sessionId": "one"}})
        case "session/prompt":
            held = message["id"]
        case "session/cancel":
            send({"id": held, "result": {"stopReason": "cancelled"}})
