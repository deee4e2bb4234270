"""An ACP agent that does as badly as its prompt says. Standard library only; run by its path.

The prompt is a verb and its arguments, such as `exit 3`. Arguments of the command line spoil the start: `--silent`, `--die`, `--version`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

out = sys.stdout.buffer
waiting: dict = {}
cancelled = threading.Event()


def raw(line: bytes) -> None:
    out.write(line)
    out.flush()


def send(**message) -> None:
    raw(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def update(**fields) -> None:
    send(method="session/update", params={"sessionId": "bad-1", "update": fields})


def say(text: str) -> None:
    update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})


def ask(method: str, params: dict) -> dict:
    number = len(waiting) + 1
    waiting[number] = answered = threading.Event()
    send(id=number, method=method, params=params)
    answered.wait()
    return answered.message


def exit_(code="0"):
    say("so far")
    os._exit(int(code))


def kill_self(number="9"):
    say("so far")
    os.kill(os.getpid(), int(number))


def hang():
    say("hanging")
    threading.Event().wait()


def stop_self():
    say("stopping")
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait()


def line(megabytes):
    for _ in range(int(megabytes)):
        raw(b"x" * 1_000_000)
    raw(b"\n")
    say("after")


def many(count):
    small = json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "bad-1", "update": {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "."}}}}).encode() + b"\n"  # fmt: skip
    for _ in range(int(count) // 1000):
        raw(small * 1000)
    say("after")


def bytes_(text):
    """Lines given as a Python bytes literal."""
    raw(eval(text))
    say("after")


def half():
    say("so far")
    raw(b'{"jsonrpc":"2.0","method":"session/upd')
    os._exit(0)


def updates(text):
    for fields in json.loads(text):
        update(**fields) if isinstance(fields, dict) else send(method="session/update", params={"update": fields})


def cost(amount):
    update(sessionUpdate="usage_update", used=1, size=2, cost={"amount": float(amount), "currency": "USD"})


def read(tokens, then="hang"):
    """Says how full the context is, and for which model, and does not come to an end."""
    update(sessionUpdate="usage_update", used=int(tokens), size=1 << 20, _meta={"own": {"model": "m-1"}})
    {"hang": hang, "die": exit_}[then]()


def close_output():
    os.close(1)
    threading.Event().wait()


def stderr(count):
    sys.stderr.write("e" * (int(count) - 9) + " the end\n")
    sys.stderr.flush()
    say("after")


def fork(token, then="end"):
    """Children that try to get away; each sleeps for `token` seconds, by which a test finds it."""
    subprocess.Popen(["setsid", "sleep", token], stdout=subprocess.DEVNULL)
    subprocess.Popen(f"nohup sleep {token} >/dev/null 2>&1 &", shell=True)
    subprocess.Popen(f"(setsid sh -c 'sleep {token} & sleep {token}' &) >/dev/null", shell=True)
    subprocess.Popen(["env", "-i", "setsid", "sleep", token])
    subprocess.Popen(["sh", "-c", f"trap '' TERM HUP INT; sleep {token}; sleep {token}"])
    time.sleep(0.3)
    say("forked")
    {"end": lambda: None, "hang": cancelled.wait, "die": lambda: os._exit(5)}[then]()


def late():
    """Answers `end_turn` some time after a cancel, and goes on talking."""
    say("working")
    cancelled.wait()
    time.sleep(0.2)
    say("still talking")


def permission(then="wait"):
    params = {"sessionId": "bad-1", "toolCall": {"toolCallId": "t1", "title": "Do it", "rawInput": {"command": "rm -rf x"}}, "options": [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]}  # fmt: skip
    if then == "withdraw":
        send(id=77, method="session/request_permission", params=params)
        time.sleep(0.2)
        send(method="$/cancel_request", params={"requestId": 77})
        say("never mind")
        return
    if then == "nonsense":
        params["options"] = [1, {"optionId": 3}, {"optionId": "y", "name": "Yes", "kind": "whatever"}]
    say(json.dumps(ask("session/request_permission", params)))
    if then == "wait":
        threading.Event().wait()


def request(method):
    say(json.dumps(ask(method, {"sessionId": "bad-1", "path": "/etc/passwd", "content": "x"})["error"]["code"]))


def reconnect(then="cancel"):
    """Says that it cannot reach the model and tries again, for ever or until it can."""
    for _ in range(3):
        update(sessionUpdate="session_info_update", _meta={"own": {"error": {"info": {"lost": {"httpStatusCode": 529}}, "again": True}}})
        time.sleep(0.1)
    if then == "recover":
        say("Here I am again")
        time.sleep(1.8)
        return
    cancelled.wait()


def print_env():
    say(json.dumps(dict(os.environ)))


VERBS = {
    "exit": exit_, "kill": kill_self, "hang": hang, "stop": stop_self, "line": line, "many": many, "bytes": bytes_, "half": half, "updates": updates,
    "close": close_output, "stderr": stderr, "fork": fork, "late": late, "permission": permission, "request": request, "env": print_env,
    "say": say, "fail": None,
    "cost": cost, "read": read, "reconnect": reconnect,
}  # fmt: skip


def prompt(number, text):
    verb, _, arguments = text.partition(" ")
    cancelled.clear()
    if verb == "fail":
        return send(id=number, error={"code": -32603, "message": "Internal error", "data": {"details": "no credit"}})
    VERBS[verb](*([arguments] if verb in {"bytes", "updates", "say"} else arguments.split()))
    send(id=number, result={"stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}})
    if verb == "late":
        say("one more thing")
    return None


def main() -> None:
    if "--die" in sys.argv:
        sys.stderr.write("no such model\n")
        sys.exit(3)
    for received in sys.stdin.buffer:
        message = json.loads(received)
        method, number = message.get("method"), message.get("id")
        if method is None:
            waiting[number].message = message
            waiting[number].set()
        elif method == "initialize" and "--silent" not in sys.argv:
            send(id=number, result={"protocolVersion": 2 if "--version" in sys.argv else 1, "agentCapabilities": {"loadSession": True}})
        elif method == "session/new":
            say("too early")
            send(id=number, result={"sessionId": "bad-1"})
        elif method == "session/load":
            say("a replay")
            send(
                id=number,
                **({"result": {}} if message["params"]["sessionId"] == "bad-1" else {"error": {"code": -32602, "message": "unknown"}}),
            )
        elif method == "session/cancel":
            cancelled.set()
        elif method == "session/prompt":
            threading.Thread(target=prompt, args=(number, message["params"]["prompt"][0]["text"]), daemon=True).start()


main()
