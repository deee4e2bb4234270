"""An ACP agent that asks its MCP server for its tools once, as its conversation begins, and writes down what it got. Standard library only."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

shown = Path(sys.argv[1])


def send(**message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def ask(server: dict) -> dict:
    """The first request that this agent ever makes. There is no second one."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    headers |= {one["name"]: one["value"] for one in server["headers"]}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(server["url"], body, headers), timeout=60) as answer:
            text = answer.read().decode()
            lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith(("data: ", "{"))]
            return {"status": answer.status, "tools": [tool["name"] for tool in json.loads(lines[-1])["result"]["tools"]]}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "tools": [], "text": error.read().decode()}


for line in sys.stdin:
    message = json.loads(line)
    match message.get("method"):
        case "initialize":
            capabilities = {"mcpCapabilities": {"http": True, "sse": False}}
            send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})
        case "session/new":
            found = [ask(server) for server in message["params"]["mcpServers"]]
            shown.with_suffix(".tmp").write_text(json.dumps(found))
            shown.with_suffix(".tmp").replace(shown)
            send(id=message["id"], result={"sessionId": "one"})
        case "session/prompt":
            send(id=message["id"], result={"stopReason": "end_turn"})
