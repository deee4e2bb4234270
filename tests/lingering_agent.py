"""An ACP agent that goes on after its turn. Standard library only; run by its path.

A prompt is a JSON list of steps, each a list: `["say", "words"]`, `["end"]`, and so on as in `Steps`. What stands behind `["end"]` is done after
the turn has ended. Anything that is no list is said back. `--deaf`: it does not listen to a cancel after its turn. `--keeps=PATH`: it writes
this file of its own below its folder as its conversation begins.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

lock = threading.Lock()
cancelled = threading.Event()
waiting: dict = {}


def send(**message) -> None:
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


class Steps:
    def __init__(self, session_id, number):
        self.session_id, self.number, self.answer = session_id, number, None

    def update(self, **fields):
        send(method="session/update", params={"sessionId": self.session_id, "update": fields})

    def end(self, reason="end_turn"):
        send(id=self.number, result={"stopReason": reason})

    def wait(self, seconds):
        time.sleep(seconds)

    def until_there(self, path):
        while not Path(path).exists():
            time.sleep(0.02)

    def until_cancelled(self):
        cancelled.wait(30)

    def say(self, text):
        self.update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})

    def think(self, text):
        self.update(sessionUpdate="agent_thought_chunk", content={"type": "text", "text": text})

    def flood(self, count):
        for number in range(count):
            self.say(f"{number} ")

    def tool(self, call_id, status, title=None, parent=None, **more):
        meta = {"_meta": {"parentToolCallId": parent}} if parent else {}
        named = {"title": title} if title else {}
        self.update(sessionUpdate="tool_call_update", toolCallId=call_id, status=status, **named, **more, **meta)

    def spawn(self, call_id, kind, title):
        self.tool(call_id, "in_progress", title, rawInput={"subagent_type": kind})

    def detach(self, call_id, title):
        """A command that goes on in the background, though its tool has ended."""
        self.tool(call_id, "in_progress", title, rawInput={"run_in_background": True})
        self.tool(call_id, "completed")

    def task(self, task_id, name=None, state=None):
        if name:
            self.update(sessionUpdate="async_task_spawned", asyncTaskId=task_id, name=name)
        else:
            self.update(sessionUpdate="async_task_state_update", asyncTaskId=task_id, state=state)

    def cost(self, dollars, used=1000):
        self.update(sessionUpdate="usage_update", used=used, size=200_000, cost={"amount": dollars, "currency": "USD"})

    def used(self, tokens):
        self.update(sessionUpdate="usage_update", used=tokens, size=200_000)

    def write(self, path, text):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)

    def run(self, *command):
        subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def ask(self, call_id, title, parent=None):
        """Says what it was answered."""
        number = f"ask-{len(waiting)}"
        waiting[number] = answered = threading.Event()
        meta = {"_meta": {"parentToolCallId": parent}} if parent else {}
        call = {"toolCallId": call_id, "title": title, "kind": "execute", "rawInput": {"command": title}, **meta}
        options = [{"optionId": "yes", "name": "Yes", "kind": "allow_once"}, {"optionId": "no", "name": "No", "kind": "reject_once"}]
        send(id=number, method="session/request_permission", params={"sessionId": self.session_id, "toolCall": call, "options": options})
        answered.wait()
        outcome = answered.message["result"]["outcome"]
        self.say(f"answered {outcome.get('optionId', outcome['outcome'])}. ")

    def die(self, code):
        os._exit(code)

    def close(self):
        """Of its output; it lives on."""
        with lock:
            os.close(1)
        threading.Event().wait()


def prompt(number, session_id, text):
    steps = Steps(session_id, number)
    cancelled.clear()
    try:
        plan = json.loads(text)
    except ValueError:
        plan = [["say", f"You said: {text}"], ["end"]]
    for name, *arguments in plan:
        if cancelled.is_set() and "--deaf" not in sys.argv:
            break
        *plain, last = arguments or [None]
        if isinstance(last, dict):
            getattr(steps, name)(*plain, **last)
        else:
            getattr(steps, name)(*arguments)
    if cancelled.is_set() and ["end"] not in plan:
        steps.end("cancelled")


for line in sys.stdin:
    message = json.loads(line)
    method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
    if method is None:
        waiting[number].message = message
        waiting[number].set()
    elif method == "initialize":
        send(id=number, result={"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}})
    elif method == "session/new":
        for name in (flag.removeprefix("--keeps=") for flag in sys.argv if flag.startswith("--keeps=")):
            kept = Path(params["cwd"], name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("kept\n")
        send(id=number, result={"sessionId": f"lingering-{os.getpid()}"})
    elif method == "session/resume":
        send(id=number, result={})
    elif method == "session/prompt":
        threading.Thread(target=prompt, args=(number, params["sessionId"], params["prompt"][-1]["text"]), daemon=True).start()
    elif method == "session/cancel":
        cancelled.set()
    elif number is not None:
        send(id=number, error={"code": -32601, "message": "Method not found"})
