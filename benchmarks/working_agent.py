"""An ACP agent that changes a file, and commits it if its prompt says so; it answers with how long that took it, in seconds."""

import json
import subprocess
import sys
import time
from pathlib import Path


def send(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def main() -> None:
    count = 0
    for line in sys.stdin:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params", {})
        if method == "initialize":
            send({"id": number, "result": {"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []}})
        elif method == "session/new":
            send({"id": number, "result": {"sessionId": "s"}})
        elif method == "session/prompt":
            began, count = time.monotonic(), count + 1
            Path("work.txt").write_text(f"{count}\n")
            if "commit" in params["prompt"][0]["text"]:
                subprocess.run(["git", "add", "work.txt"], check=True)
                subprocess.run(["git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "work"], check=True)
            text = {"type": "text", "text": f"{time.monotonic() - began:.6f} "}
            update = {"sessionUpdate": "agent_message_chunk", "content": text}
            send({"method": "session/update", "params": {"sessionId": "s", "update": update}})
            send({"id": number, "result": {"stopReason": "end_turn"}})
        elif number is not None:
            send({"id": number, "result": {}})


main()
