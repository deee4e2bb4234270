"""An ACP agent that says its secrets wherever it can. Standard library only; run by its path.

The variables CANARY and CANARY_KEY and the bearer token of its MCP server, if it is given one, are its secrets. The prompt says where: `text`, `tool`,
`permission`, `garbage`, `error`, `rejection`, `stop`, `id`, `exit` or `mode`.
"""

import base64
import json
import os
import sys
from urllib.parse import quote

out = sys.stdout
secrets = [os.environ[name] for name in ("CANARY", "CANARY_KEY") if name in os.environ]


def send(**message) -> None:
    out.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    out.flush()


def update(**fields) -> None:
    send(method="session/update", params={"sessionId": "leak-1", "update": fields})


def say(text: str, kind="agent_message_chunk") -> None:
    update(sessionUpdate=kind, content={"type": "text", "text": text})


def forms(secret: str) -> list[str]:
    encoded = base64.b64encode(f"user:{secret}".encode()).decode()
    wrapped = base64.encodebytes(f"{'x' * 40}{secret}".encode()).decode()
    return [secret, encoded, wrapped, quote(secret, safe=""), json.dumps({secret: secret}), secret.encode().hex(), repr(secret)]


def leak(where: str, number) -> None:
    result = {"stopReason": "end_turn"}
    whole = " ".join(form for secret in secrets for form in forms(secret))
    for secret in secrets:
        said = " ".join(forms(secret))
        match where:
            case "text":
                say(said)
                say(said, "agent_thought_chunk")
                for character in f"\n{said}\n":  # cut wherever it can be
                    say(character)
                update(sessionUpdate="plan", entries=[{"content": said, "status": "pending", "priority": "high"}])
                update(sessionUpdate=said)
            case "tool":
                update(
                    sessionUpdate="tool_call",
                    toolCallId=secret,
                    title=said,
                    kind="execute",
                    status="pending",
                    rawInput={"command": said, secret: [secret]},
                )
                for piece in (said[:3], said[3:]):
                    for call in ("other", secret):  # two at the same time
                        update(sessionUpdate="tool_call_update", toolCallId=call, _meta={"terminal_output": {"data": piece}})
                update(
                    sessionUpdate="tool_call_update", toolCallId=secret, status="completed", locations=[{"path": f"/{secret}"}],
                    content=[{"type": "content", "content": {"type": "text", "text": said}}, {"type": "diff", "path": f"/{secret}", "oldText": said, "newText": said}],
                )  # fmt: skip
            case "permission":
                ask(secret, said)
            case "error":
                result = {"stopReason": "end_turn", "_meta": {"agor": {"error": whole, "code": secrets[0]}}}
            case "rejection":
                return send(id=number, error={"code": -32603, "message": whole, "data": {"details": whole}})
            case "stop":
                result = {"stopReason": f"because of {secrets}"}
            case "garbage":
                for before in range(100, 120):
                    print("x" * before, secret)
            case "mode":
                update(sessionUpdate="current_mode_update", currentModeId=secret)
            case "exit":
                sys.stderr.write(whole)
                sys.stderr.flush()
                os._exit(3)
    return send(id=number, result=result)


def ask(secret: str, said: str) -> None:
    call = {"toolCallId": f"q-{secret}", "title": said, "rawInput": {"command": said}}
    options = [{"optionId": "yes", "name": f"Yes, {said}", "kind": "allow_once"}, {"optionId": "no", "name": "No", "kind": "reject_once"}]
    say(secret[: len(secret) // 2])
    send(id=f"ask-{secret}", method="session/request_permission", params={"sessionId": "leak-1", "toolCall": call, "options": options})
    json.loads(sys.stdin.readline())


for line in sys.stdin:
    message = json.loads(line)
    match message.get("method"):
        case "initialize":
            capabilities = {"loadSession": False, "mcpCapabilities": {"http": True, "sse": False}}
            send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": capabilities})
        case "session/new":
            for server in message["params"]["mcpServers"]:
                secrets += [header["value"].removeprefix("Bearer ") for header in server["headers"]]
            named = f"leak-{secrets[0]}" if "--name" in sys.argv else "leak-1"
            send(id=message["id"], result={"sessionId": named})
        case "session/prompt":
            leak(message["params"]["prompt"][0]["text"].strip(), message["id"])
