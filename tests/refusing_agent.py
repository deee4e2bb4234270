"""An ACP agent whose model's provider refuses the first prompts. Standard library only; run by its path.

`LEDGER COUNT STATUS [tool]`: the first COUNT prompts of all its processes together are refused with the HTTP status STATUS, each after a tool call
if `tool` is given. Each prompt it gets is a line of the file LEDGER.
"""

import json
import sys
from pathlib import Path

ledger, count, status = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def send(**message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def update(**fields) -> None:
    send(method="session/update", params={"sessionId": "refusing-1", "update": fields})


def prompt(number, text) -> None:
    with ledger.open("a") as file:
        file.write(json.dumps(text) + "\n")
    if "tool" in sys.argv:
        update(sessionUpdate="tool_call", toolCallId="t1", title="Touch", kind="execute", status="completed")
        with Path("touched.txt").open("a") as file:
            file.write("x\n")
    usage = {"inputTokens": 100, "outputTokens": 10, "cachedReadTokens": 5, "cachedWriteTokens": 1, "totalTokens": 116}
    if len(ledger.read_text().splitlines()) <= count:
        return send(id=number, error={"code": status, "message": "no", "data": {"error": {"message": "not now"}}})
    update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "done"})
    return send(id=number, result={"stopReason": "end_turn", "usage": usage})


for line in sys.stdin:
    message = json.loads(line)
    method, number = message.get("method"), message.get("id")
    if method == "initialize":
        send(id=number, result={"protocolVersion": 1, "agentCapabilities": {"loadSession": True}})
    elif method == "session/new":
        send(id=number, result={"sessionId": "refusing-1"})
    elif method == "session/load":
        send(id=number, result={})
    elif method == "session/prompt":
        prompt(number, message["params"]["prompt"][0]["text"])
