"""An ACP agent that offers options and remembers its conversations in a folder. Standard library only; run by its path.

    choosy_agent.py FOLDER [--config] [--modes] [--models] [--load] [--resume] [--fork] [--stubborn] [--quiet] [--late] [--dies-at METHOD…]

A prompt is a verb and its arguments, or anything else, which is remembered. `--stubborn` keeps its mode whatever it is told; `--quiet`
advertises nothing when it brings a conversation back; `--dies-at` ends it when it hears one of these methods; `--late` says the old conversation again after it answered that it is loaded.
"""

import json
import os
import sys
import threading
import time
import uuid
from pathlib import Path

folder, flags = Path(sys.argv[1]), set(sys.argv[2:])
MODES = ["ask", "plan", "yolo"]
MODELS = ["small", "large"]
lock = threading.Lock()
sessions: dict = {}


def send(**message) -> None:
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def update(session_id, **fields) -> None:
    send(method="session/update", params={"sessionId": session_id, "update": fields})


class Session:
    def __init__(self, session_id, said=()):
        self.id, self.said, self.mode, self.model, self.effort, self.fast = session_id, list(said), "yolo", "small", "low", False
        self.release, self.answered = threading.Event(), threading.Event()
        sessions[session_id] = self
        self.keep()

    def keep(self):
        (folder / f"{self.id}.json").write_text(json.dumps(self.said))

    def config(self):
        options = [
            {"id": "llm", "name": "Model", "category": "model", "type": "select", "currentValue": self.model,
             "options": [{"group": "g", "name": "All", "options": [{"value": one, "name": one.title(), "description": f"The {one} one"} for one in MODELS]}]},
            {"id": "mode", "name": "Mode", "category": "mode", "type": "select", "currentValue": self.mode, "options": [{"value": one, "name": one} for one in MODES]},
            {"id": "fast", "name": "Fast", "category": "model_config", "type": "boolean", "currentValue": self.fast},
        ]  # fmt: skip
        if self.model == "large":
            values = [{"value": one, "name": one} for one in ("low", "high")]
            options.append({"id": "effort", "name": "Effort", "category": "thought_level", "type": "select", "currentValue": self.effort, "options": values})  # fmt: skip
        return options

    def offer(self):
        found = {}
        if "--config" in flags:
            found["configOptions"] = self.config()
        if "--modes" in flags:
            found["modes"] = {"currentModeId": self.mode, "availableModes": [{"id": one, "name": one} for one in MODES]}
        if "--models" in flags:
            found["models"] = {"currentModelId": self.model, "availableModels": [{"modelId": one, "name": one} for one in MODELS]}
        return found


class Refused(Exception):
    pass


def initialize(_params):
    also = {name: {} for name in ("resume", "fork") if f"--{name}" in flags}
    return {"protocolVersion": 1, "agentCapabilities": {"loadSession": "--load" in flags, "sessionCapabilities": also}}


def new(_params):
    session = Session(uuid.uuid4().hex)
    return {"sessionId": session.id, **session.offer()}


def known(session_id):
    path = folder / f"{session_id}.json"
    if not path.exists():
        raise Refused
    return json.loads(path.read_text())


def back(params):
    session = Session(params["sessionId"], known(params["sessionId"]))
    return {} if "--quiet" in flags else session.offer()


def fork(params):
    session = Session(uuid.uuid4().hex, known(params["sessionId"]))
    return {"sessionId": session.id, **session.offer()}


def set_mode(params):
    session, mode = sessions[params["sessionId"]], params["modeId"]
    if mode not in MODES:
        raise Refused
    if "--stubborn" not in flags:
        session.mode = mode
    return {}


def set_model(params):
    sessions[params["sessionId"]].model = params["modelId"]  # takes anything, as one real agent does
    return {}


def set_config(params):
    session, value = sessions[params["sessionId"]], params["value"]
    name = {"llm": "model"}.get(params["configId"], params["configId"])
    if name == "fast" and params.get("type") != "boolean":
        raise Refused
    if not (name == "mode" and "--stubborn" in flags):
        setattr(session, name, value)
    return {"configOptions": session.config()}


METHODS = {
    "initialize": initialize, "session/new": new, "session/load": back, "session/resume": back, "session/fork": fork,
    "session/set_mode": set_mode, "session/set_model": set_model, "session/set_config_option": set_config,
}  # fmt: skip


def prompt(number, params):
    session = sessions[params["sessionId"]]
    text = "\n".join(block["text"] for block in params["prompt"])
    verb, _, rest = text.partition(" ")
    if verb == "wait":
        update(session.id, sessionUpdate="agent_thought_chunk", content={"type": "text", "text": "I wait."})
        session.release.wait(20)
    elif verb == "mode":
        session.mode = rest
        update(session.id, sessionUpdate="current_mode_update", currentModeId=rest)
    elif verb == "leave":  # asks a person first, as an agent that has made its plan
        options = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}]
        call = {"toolCallId": "leave", "title": f"Go to {rest}", "kind": "switch_mode"}
        send(id="leave", method="session/request_permission", params={"sessionId": session.id, "toolCall": call, "options": options})
        session.answered.wait(20)
        session.mode = rest
        update(session.id, sessionUpdate="current_mode_update", currentModeId=rest)
    elif verb == "flood":
        for count in range(int(rest)):
            session.fast = not session.fast
            update(session.id, sessionUpdate="config_option_update", configOptions=session.config())
    answer = json.dumps(
        {"said": session.said, "mode": session.mode, "model": session.model, "effort": session.effort, "fast": session.fast}
    )
    session.said.append(text)
    session.keep()
    update(session.id, sessionUpdate="agent_message_chunk", content={"type": "text", "text": answer})
    send(id=number, result={"stopReason": "cancelled" if session.release.is_set() else "end_turn"})


def replay(session_id):
    for _ in range(5):
        time.sleep(0.1)
        update(session_id, sessionUpdate="agent_message_chunk", content={"type": "text", "text": "said long ago"})


for line in sys.stdin:
    message = json.loads(line)
    method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
    if "--dies-at" in flags and method in flags:
        os._exit(3)
    if method is None:
        for session in sessions.values():
            session.answered.set()
    elif method == "session/prompt":
        threading.Thread(target=prompt, args=(number, params), daemon=True).start()
    elif method == "session/cancel":
        sessions[params["sessionId"]].release.set()
    elif method in METHODS:
        try:
            send(id=number, result=METHODS[method](params))
            if method == "session/load" and "--late" in flags:
                threading.Thread(target=replay, args=(params["sessionId"],), daemon=True).start()
        except Refused:
            send(id=number, error={"code": -32602, "message": "Invalid params"})
    elif number is not None and method:
        send(id=number, error={"code": -32601, "message": "Method not found"})
