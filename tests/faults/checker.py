"""Reads the history and the server's final state, and says which promise was broken.

P1 what was acknowledged is there. P2 each accepted prompt ends in exactly one way and ran at most once, also when the turn was parked and
tried again; it stays parked only with a reason. P3 no process of a dead run
lives. P4 transcripts have no gap and no double, and what a client saw is what is stored. P6 table, git and disk agree, and no commit
is lost. P8 nothing dead is shown as running. P10 an environment is what its record says: what is up runs once and listens on the worktree's
own ports, and of what is not up there is no process.
"""

from collections import Counter

from tests.faults.history import History
from tests.faults.state import BUSY, State

ENDED = {"done", "failed", "cancelled", "interrupted"}
PASSING = {"rate_limited", "overloaded", "unreachable"}
PARKING = {*PASSING, "quota", "budget"}


def check(history: History, state: State) -> list[str]:
    """Everything that is wrong, in words. Empty: all promises held."""
    return [
        *_check_prompts(history, state),
        *_check_decisions(history, state),
        *_check_answers(history, state),
        *_check_processes(state),
        *_check_transcripts(history, state),
        *_check_stream(state),
        *_check_worktrees(history, state),
        *_check_commits(state),
        *_check_rest(state),
        *check_environments(state.environments, state.services, state.listeners),
    ]


def check_environments(environments: list[dict], running: Counter[tuple[str, str]], listeners: set[int]) -> list[str]:
    """At rest. `running` counts what looks after each service, by worktree and name; `listeners` are the ports that are listened on."""
    problems, left, owners = [], Counter(running), dict[int, str]()
    for one in environments:
        name = one["worktree"]
        if one["state"] in {"starting", "stopping"}:
            problems.append(f"P10: environment {name} is {one['state']} at rest")
        for service in one["services"]:
            count, is_up = left.pop((one["worktreeId"], service["name"]), 0), service["state"] in {"healthy", "unhealthy"}
            if count != int(is_up):
                problems.append(f"P10: service {service['name']} of {name} is {service['state']}, and runs {count} times")
            if service["state"] == "healthy":
                silent = sorted(set(service["ports"].values()) - listeners)
                problems += [f"P10: service {service['name']} of {name} is healthy, and nobody listens on {port}" for port in silent]
            if service["state"] == "failed" and not service["reason"]:
                problems.append(f"P10: service {service['name']} of {name} is failed, and does not say why")
        for port in one["ports"].values():
            if owners.setdefault(port, name) != name:
                problems.append(f"P10: port {port} is that of {owners[port]} and of {name}")
    return problems + [
        f"P10: service {service} of {worktree} runs, and is in no record" for (worktree, service), count in left.items() if count
    ]


def check_restart(dead: set[str], left: dict[int, str], turns: list[dict]) -> list[str]:
    """Right after a restart: `dead` are the runs of the server before, `left` their processes, `turns` those that seem to run."""
    problems = [f"P3: process {pid} survived its run {run}" for pid, run in left.items()]
    problems += [
        f"P8: turn {turn['id']} is {turn['state']} in the dead run {turn['runId']}"
        for turn in turns
        if turn["runId"] in dead and turn["state"] in BUSY
    ]
    return problems


def _check_prompts(history: History, state: State) -> list[str]:
    problems = []
    retried = {turn["prompt"] for turn in state.turns.values() if turn["retryOf"]}
    for entry in history.acknowledged("prompt"):
        turn, token = state.turns.get(entry.answer["id"]), entry.request["token"]
        if turn is None:
            problems.append(f"P1: acknowledged prompt {entry.answer['id']} is gone")
            continue
        if turn["prompt"] != entry.answer["prompt"]:
            problems.append(f"P1: acknowledged prompt {turn['id']} has another text")
        if state.ran[token] > 1 and turn["prompt"] not in retried:
            problems.append(f"P2: prompt {turn['id']} ran {state.ran[token]} times and nobody retried it")
        if turn["state"] == "done" and state.ran[token] == 0:
            problems.append(f"P2: turn {turn['id']} is done but never ran")
        if turn["startedAt"] is None and state.ran[token] > 0 and turn["prompt"] not in retried:
            problems.append(f"P2: turn {turn['id']} ran though it never started")
    accepted = Counter(turn["prompt"] for turn in state.turns.values() if not turn["retryOf"] and "echo " in turn["prompt"])
    problems += [f"P2: one prompt became {count} turns" for count in accepted.values() if count > 1]
    for turn in state.turns.values():
        if turn["state"] == "parked":
            if turn.get("errorCode") not in PARKING or (turn["errorCode"] in PASSING and not turn.get("retryAt")):
                problems.append(f"P2: turn {turn['id']} is parked without a reason or a next attempt")
        elif turn["state"] not in ENDED:
            problems.append(f"P2: turn {turn['id']} is {turn['state']} at rest")
    numbers = Counter((turn["sessionId"], turn["number"]) for turn in state.turns.values())
    problems += [f"P4: turn number {number} of {session} stands {count} times" for (session, number), count in numbers.items() if count > 1]
    return problems


def _check_decisions(history: History, state: State) -> list[str]:
    problems = []
    for entry in history.acknowledged("cancel"):
        turn = state.turns.get(entry.request["turn"])
        if turn is None or turn["state"] != "cancelled":
            problems.append(f"P1: the acknowledged cancel of {entry.request['turn']} is lost")
    for action, resolution in (("resume", "resumed"), ("retry", "retried"), ("discard", "discarded")):
        for entry in history.acknowledged(action):
            turn = state.turns.get(entry.request["turn"])
            if turn is None or turn["resolution"] != resolution:
                problems.append(f"P1: the acknowledged {action} of {entry.request['turn']} is lost")
            if entry.answer["id"] not in state.turns:
                problems.append(f"P1: the turn {entry.answer['id']} of an acknowledged {action} is gone")
    again = Counter(turn["retryOf"] for turn in state.turns.values() if turn["retryOf"])
    problems += [f"P2: turn {turn} was retried {count} times" for turn, count in again.items() if count > 1]
    return problems


def _check_answers(history: History, state: State) -> list[str]:
    problems = []
    settled: dict[str, list[dict]] = {}
    for events in state.transcripts.values():
        for event in events:
            if event["body"]["kind"] == "permission_settled":
                settled.setdefault(event["body"]["permission"]["id"], []).append(event["body"]["permission"])
    for entry in history.acknowledged("answer"):
        permission, found = entry.request["permission"], settled.get(entry.request["permission"], [])
        if permission in state.open_permissions or not any(one["state"] == "allowed" and one["answeredBy"] for one in found):
            problems.append(f"P1: the acknowledged answer to {permission} is lost")
    problems += [f"T24: {permission} was settled {len(found)} times" for permission, found in settled.items() if len(found) > 1]
    return problems


def _check_processes(state: State) -> list[str]:
    return [f"P3: run {run} lives and is in no table" for run in state.live_runs - state.recorded_runs]


def _check_transcripts(history: History, state: State) -> list[str]:
    problems = []
    for entry in history.acknowledged("session"):
        if entry.answer["id"] not in state.sessions:
            problems.append(f"P1: acknowledged session {entry.answer['id']} is gone")
    begun: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    parked: Counter[str] = Counter()
    for session, events in state.transcripts.items():
        seqs = [event["seq"] for event in events]
        if seqs != list(range(1, len(seqs) + 1)):
            problems.append(f"P4: the transcript of {session} is not dense: {seqs[:5]}…{seqs[-5:]}")
        parked.update(event["turnId"] for event in events if event["body"].get("code") == "parked")
        begun.update(event["turnId"] for event in events if event["body"]["kind"] == "prompt")
        ended.update(event["turnId"] for event in events if event["body"]["kind"] == "turn_ended")
    problems += [f"P2: turn {turn} began {count} times in the transcript" for turn, count in begun.items() if count > 1]
    for turn in state.turns.values():
        if parked[turn["id"]] != turn.get("parks", 0):
            problems.append(
                f"P2: turn {turn['id']} was parked {turn.get('parks', 0)} times, and {parked[turn['id']]} times in the transcript"
            )
        expected = 0 if turn["startedAt"] is None or turn["state"] not in ENDED else 1
        if ended[turn["id"]] != expected:
            problems.append(f"P2: turn {turn['id']} ended {ended[turn['id']]} times in the transcript")
    return problems


def _check_stream(state: State) -> list[str]:
    """What a client saw over all restarts is exactly what is stored."""
    numbers = [event["n"] for event in state.streamed]
    problems = []
    if state.resyncs:
        problems.append(f"P4: the client was told {state.resyncs} times to load everything again")
    elif numbers != list(range(1, len(numbers) + 1)):
        gap = next((number for place, number in enumerate(numbers, 1) if number != place), None)
        problems.append(f"P4: the stream has a gap or a double at {gap}")
    stored = {event["n"]: event for events in state.transcripts.values() for event in events}
    seen = {event["n"]: event for event in state.streamed}
    for number, event in seen.items():
        if event.get("sessionId") and event["seq"] and stored.get(number) != event:
            problems.append(f"P4: event {number} was sent to a client, and is not stored like that")
    problems += [f"P4: event {number} is stored, and no client saw it" for number in stored if number not in seen and not state.resyncs]
    return problems


def _check_worktrees(history: History, state: State) -> list[str]:
    problems = []
    ready = {worktree["path"] for worktree in state.worktrees.values() if worktree["state"] == "ready" or worktree.get("isFilled")}
    if ready != state.in_git:
        problems.append(f"P6: table and git differ: only table {ready - state.in_git}, only git {state.in_git - ready}")
    problems += [f"P6: {path} is ready but not on the disk" for path in ready - state.on_disk]
    problems += [f"P6: folder {path} belongs to no ready worktree" for path in state.on_disk - ready]
    problems += [
        f"P8: worktree {worktree['name']} is {worktree['step'] or worktree['state']} still"
        for worktree in state.worktrees.values()
        if worktree["state"] == "creating" or worktree["step"]
    ]
    asked = {entry.request["worktree"] for entry in history.entries if entry.kind == "invoke" and entry.action == "remove"}
    problems += [
        f"P1: acknowledged worktree {entry.answer['name']} is gone"
        for entry in history.acknowledged("worktree")
        if entry.answer["id"] not in state.worktrees and entry.answer["id"] not in asked
    ]
    problems += [
        f"P1: the acknowledged removal of {entry.request['worktree']} is lost"
        for entry in history.acknowledged("remove")
        if entry.request["worktree"] in state.worktrees
    ]
    last = {entry.request["worktree"]: entry for entry in history.entries if entry.action in {"archive", "restore", "remove"}}
    for worktree, entry in last.items():
        if entry.kind == "ok" and entry.action == "archive" and state.worktrees.get(worktree, {}).get("state") != "archived":
            problems.append(f"P1: the acknowledged archiving of {worktree} is lost")
    return problems


def _check_commits(state: State) -> list[str]:
    return [f"P6: commit {token} is on no ref" for token in state.committed - state.subjects]


def _check_rest(state: State) -> list[str]:
    newest: dict[str, dict] = {}
    for turn in sorted(state.turns.values(), key=lambda turn: (turn["endedAt"] or "", turn["number"])):
        newest[turn["sessionId"]] = turn
    problems = [f"P8: question {permission} is open though nothing runs" for permission in state.open_permissions]
    problems += [
        f"P8: session {session['id']} is {session['state']}, and its last turn {newest[session['id']]['state']}"
        for session in state.sessions.values()
        if session["id"] in newest and not session["queue"] and session["state"] not in ("parked", newest[session["id"]]["state"])
    ]
    parked = {turn["sessionId"] for turn in state.turns.values() if turn["state"] == "parked"}
    problems += [
        f"P8: session {session['id']} is {session['state']}, and {'a' if session['id'] in parked else 'no'} turn of it is parked"
        for session in state.sessions.values()
        if (session["state"] == "parked") is not (session["id"] in parked)
    ]
    problems += [
        f"P8: session {session['id']} seems to work at rest: {session['state']}"
        for session in state.sessions.values()
        if session["state"] != "parked" and (session["currentTurnId"] or session["queue"] or session["state"] not in ENDED | {"idle"})
    ]
    return problems
