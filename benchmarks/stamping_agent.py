"""An ACP agent that writes the time, again and again: `COUNT INTERVAL_S` is its prompt. Imports little, so that fifty start at once."""

import json
import sys
import time


def send(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params", {})
        if method == "initialize":
            send({"id": number, "result": {"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []}})
        elif method == "session/new":
            send({"id": number, "result": {"sessionId": "s"}})
        elif method == "session/prompt":
            count, interval = params["prompt"][0]["text"].split()
            due = time.monotonic()
            for _ in range(int(count)):
                due += float(interval)
                time.sleep(max(0, due - time.monotonic()))
                text = {"type": "text", "text": f"{time.time():.6f} "}
                send(
                    {
                        "method": "session/update",
                        "params": {"sessionId": "s", "update": {"sessionUpdate": "agent_message_chunk", "content": text}},
                    }
                )
            send({"id": number, "result": {"stopReason": "end_turn"}})
        elif number is not None:
            send({"id": number, "result": {}})


main()
