"""An ACP agent that tells what a prompt holds: its text, its pictures by their hash, and its attached files by their length.

Run by its path: `seeing_agent.py [--blind]`. With `--blind` it does not say that it takes images. Standard library only.
"""

import base64
import hashlib
import json
import re
import sys


def send(**message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def told(blocks: list[dict]) -> str:
    found = []
    for block in blocks:
        if block["type"] == "image":
            found.append(f"{block['mimeType']} {hashlib.sha256(base64.b64decode(block['data'])).hexdigest()[:12]}")
        else:
            for path in re.findall(r"\[Attached file: (.+?) \(", block["text"]):
                with open(path, encoding="utf-8") as file:
                    found.append(f"file of {len(file.read())}")
                try:
                    open(path, "ab").close()
                    found.append("which it could change")
                except OSError:
                    pass
    return "; ".join(found) or "nothing"


for line in sys.stdin:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params", {})
    if method == "initialize":
        capabilities = {} if "--blind" in sys.argv else {"promptCapabilities": {"image": True}}
        send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})
    elif method == "session/new":
        send(id=message["id"], result={"sessionId": "one"})
    elif method == "session/prompt":
        content = {"type": "text", "text": told(params["prompt"])}
        send(method="session/update", params={"sessionId": "one", "update": {"sessionUpdate": "agent_message_chunk", "content": content}})
        send(id=message["id"], result={"stopReason": "end_turn"})
    elif "id" in message:
        send(id=message["id"], error={"code": -32601, "message": "unknown"})
