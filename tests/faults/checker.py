"""Reads the history and the server's final state, and says which promise was broken.

P1 what was acknowledged is there. P2 each accepted prompt ends in exactly one way and ran at most once. P3 no process of a dead run
lives. P4 transcripts have no gap and no double. P6 table, git and disk agree. P8 nothing dead is shown as running.
"""

import contextlib
import os
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.history import History
from tests.faults.server import Server

ENDED = {"done", "failed", "cancelled", "interrupted"}


def runs_below(data: Path) -> set[str]:
    """The runs of which a living process is in a folder of this data directory. Other servers of this machine do not count."""
    found = set()
    for pid, run in marked_processes().items():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cwd").readlink().is_relative_to(data):
                found.add(run)
    return found


def marked_processes() -> dict[int, str]:
    """Living processes that carry a run's mark: pid to run id."""
    found = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            continue
        run = next((value[12:].decode() for value in environment if value.startswith(b"AGOR_RUN_ID=")), None)
        if run and state != b"Z":
            found[pid] = run
    return found


def survivors_of(runs: set[str], patience_s: float = 10) -> dict[int, str]:
    """Processes of these runs that are still there after `patience_s`."""
    end = time.monotonic() + patience_s
    while True:
        left = {pid: run for pid, run in marked_processes().items() if run in runs}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


def check(server: Server, history: History, ledger: Path, repository: Path) -> list[str]:
    """Everything that is wrong, in words. Empty: all promises held."""
    problems: list[str] = []
    turns = _all_turns(server)
    problems += _check_prompts(history, turns, ledger)
    problems += _check_answers(server, history)
    problems += _check_transcripts(server, history)
    problems += _check_worktrees(server, history, repository)
    return problems


def _all_turns(server: Server) -> dict[str, dict[str, Any]]:
    turns: dict[str, dict[str, Any]] = {}
    for session in _sessions(server):
        for turn in server.call("GET", f"sessions/{session['id']}/turns"):
            turns[turn["id"]] = turn
    return turns


def _sessions(server: Server) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = server.call("GET", f"sessions?limit=50{cursor}")
        items += page["items"]
        if not page["next"]:
            return items
        cursor = f"&before={page['next']}"


def _check_prompts(history: History, turns: dict[str, dict[str, Any]], ledger: Path) -> list[str]:
    problems = []
    ran = Counter(ledger.read_text().split()) if ledger.exists() else Counter()
    retried = {turn["prompt"] for turn in turns.values() if turn["retryOf"]}
    for entry in history.acknowledged("prompt"):
        turn = turns.get(entry.answer["id"])
        if turn is None:
            problems.append(f"P1: acknowledged prompt {entry.answer['id']} is gone")
            continue
        if turn["state"] not in ENDED | {"queued"}:
            problems.append(f"P2: turn {turn['id']} is {turn['state']} at rest")
        token = entry.request["token"]
        if ran[token] > 1 and turn["prompt"] not in retried:
            problems.append(f"P2: prompt {turn['id']} ran {ran[token]} times and nobody retried it")
        if turn["state"] == "done" and ran[token] == 0:
            problems.append(f"P2: turn {turn['id']} is done but never ran")
    numbers = Counter((turn["sessionId"], turn["number"]) for turn in turns.values())
    problems += [f"P4: turn number {key} stands {count} times" for key, count in numbers.items() if count > 1]
    prompts = Counter(turn["prompt"] for turn in turns.values() if not turn["retryOf"] and "echo " in turn["prompt"])
    problems += [f"P2: one prompt became {count} turns" for count in prompts.values() if count > 1]
    return problems


def _check_answers(server: Server, history: History) -> list[str]:
    problems = []
    wins = Counter(entry.request["permission"] for entry in history.acknowledged("answer"))
    for entry in history.acknowledged("answer"):
        if entry.answer["state"] != "allowed" or not entry.answer["answeredBy"]:
            problems.append(f"P1: the acknowledged answer to {entry.request['permission']} is {entry.answer['state']}")
    problems += [f"T24: {permission} was answered {count} times" for permission, count in wins.items() if count > 1]
    return problems


def _check_transcripts(server: Server, history: History) -> list[str]:
    problems = []
    known = {session["id"] for session in _sessions(server)}
    for entry in history.acknowledged("session"):
        if entry.answer["id"] not in known:
            problems.append(f"P1: acknowledged session {entry.answer['id']} is gone")
    for session in known:
        seqs: list[int] = []
        ends: Counter[str] = Counter()
        while True:
            page = server.call("GET", f"sessions/{session}/events?after={seqs[-1] if seqs else 0}&limit=1000")["items"]
            if not page:
                break
            seqs += [event["seq"] for event in page]
            ends.update(event["turnId"] for event in page if event["body"]["kind"] == "turn_ended")
        if seqs != list(range(1, len(seqs) + 1)):
            problems.append(f"P4: transcript of {session} is not dense: {seqs[:5]}…{seqs[-5:]}")
        problems += [f"P2: turn {turn} ended {count} times in the transcript" for turn, count in ends.items() if count > 1]
    return problems


def _check_worktrees(server: Server, history: History, repository: Path) -> list[str]:
    problems = []
    table = {worktree["id"]: worktree for worktree in server.call("GET", "worktrees")}
    listed = subprocess.run(["git", "-C", repository, "worktree", "list", "--porcelain"], capture_output=True, text=True, check=True).stdout
    in_git = {line.removeprefix("worktree ") for line in listed.splitlines() if line.startswith("worktree ")} - {str(repository.resolve())}
    ready = {worktree["path"] for worktree in table.values() if worktree["state"] == "ready"}
    if ready != in_git:
        problems.append(f"P6: table and git differ: only table {ready - in_git}, only git {in_git - ready}")
    problems += [f"P6: {path} is ready but not on the disk" for path in ready if not Path(path).is_dir()]
    folder = server.data / "worktrees"
    on_disk = {str(path) for path in folder.iterdir() if path.is_dir()} if folder.exists() else set()
    if on_disk - ready:
        problems.append(f"P6: folders without a ready worktree: {on_disk - ready}")
    for entry in history.acknowledged("worktree"):
        if entry.answer["id"] not in table:
            problems.append(f"P1: acknowledged worktree {entry.answer['name']} is gone")
    problems += [f"P8: worktree {worktree['name']} is still creating" for worktree in table.values() if worktree["state"] == "creating"]
    return problems
