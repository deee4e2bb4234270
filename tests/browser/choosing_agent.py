"""An ACP agent that lets a person choose a model and a mode, asks before it runs a command, and whose provider may refuse.

The prompt is a verb and its arguments: `say TEXT`, `run COMMAND`, `busy SECONDS FILE` (refused as rate-limited until it was refused once),
`spend DOLLARS` (then it works until it is stopped), `wait`. Standard library only; run by its path.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

MODELS = {"small": "Small", "large": "Large"}
MODES = {"ask": "Ask before edits", "plan": "Plan only"}
chosen = {"model": "small", "mode": "ask"}
answers: dict = {}
cancelled = threading.Event()


def send(**message) -> None:
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    send(method="session/update", params={"sessionId": "one", "update": update})


def run(command: str) -> None:
    call = {"toolCallId": "t1", "title": command, "kind": "execute", "status": "pending", "rawInput": {"command": command}}
    options = [
        {"optionId": "once", "name": "Yes", "kind": "allow_once"},
        {"optionId": "always", "name": "Yes, always", "kind": "allow_always"},
        {"optionId": "no", "name": "No", "kind": "reject_once"},
    ]
    answers[1] = answered = threading.Event()
    send(id=1, method="session/request_permission", params={"sessionId": "one", "toolCall": call, "options": options})
    answered.wait()
    if answered.option in ("once", "always"):
        say(subprocess.run(command, shell=True, capture_output=True, text=True, check=False).stdout)
    else:
        say("Not run.")


def prompt(number: int, parts: list[dict]) -> None:
    # A fork's first prompt carries what was said before; what is asked for comes last.
    verb, _, rest = parts[-1]["text"].partition(" ")
    if verb == "busy" and not Path(rest.split()[1]).exists():
        Path(rest.split()[1]).touch()
        data = {"type": "rate_limit_error", "message": "Too many requests.", "retry_after": float(rest.split()[0])}
        send(id=number, error={"code": -32603, "message": "The provider refused", "data": data})
        return
    if verb == "run":
        run(rest)
    elif verb == "spend":
        usage = {"sessionUpdate": "usage_update", "used": 1000, "size": 8000, "cost": {"amount": float(rest), "currency": "USD"}}
        send(method="session/update", params={"sessionId": "one", "update": usage})
        cancelled.wait()
    elif verb == "wait":
        cancelled.wait()
    else:
        say(f"{rest or verb} ({chosen['model']}, {chosen['mode']}, {'told' if len(parts) > 1 else 'new'}, {os.environ.get('COLOUR', '')})")
    send(id=number, result={"stopReason": "cancelled" if cancelled.is_set() else "end_turn"})


def main() -> None:
    for line in sys.stdin.buffer:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params", {})
        if method is None:
            outcome = message.get("result", {}).get("outcome", {})
            answers[number].option = outcome.get("optionId")
            answers[number].set()
        elif method == "initialize":
            send(id=number, result={"protocolVersion": 1, "agentCapabilities": {}})
        elif method == "session/new":
            modes = [{"id": mode, "name": name} for mode, name in MODES.items()]
            models = [{"modelId": model, "name": name} for model, name in MODELS.items()]
            result = {
                "sessionId": "one",
                "modes": {"currentModeId": chosen["mode"], "availableModes": modes},
                "models": {"currentModelId": chosen["model"], "availableModels": models},
            }
            send(id=number, result=result)
        elif method == "session/set_mode":
            chosen["mode"] = params["modeId"]
            send(id=number, result={})
        elif method == "session/set_model":
            chosen["model"] = params["modelId"]
            send(id=number, result={})
        elif method == "session/cancel":
            cancelled.set()
        elif method == "session/prompt":
            cancelled.clear()
            threading.Thread(target=prompt, args=(number, params["prompt"]), daemon=True).start()


main()
