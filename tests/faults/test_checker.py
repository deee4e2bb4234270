"""The checker itself: it is silent about a good end, and names each thing that can go wrong."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import checker
from tests.faults.history import History
from tests.faults.state import State

PROMPT = "```sh\necho aa >> ledger\n```"


def turn(**changes: Any) -> dict[str, Any]:
    return {
        "id": "tu_1",
        "sessionId": "se_1",
        "number": 1,
        "prompt": PROMPT,
        "state": "done",
        "runId": "ru_1",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "endedAt": "2026-01-01T00:00:01.000Z",
        "retryOf": None,
        "resolution": None,
    } | changes


def event(n: int, seq: int, kind: str, turn_id: str = "tu_1", **body: Any) -> dict[str, Any]:
    return {"n": n, "seq": seq, "sessionId": "se_1", "turnId": turn_id, "body": {"kind": kind, **body}}


def settled(n: int, seq: int, **changes: Any) -> dict[str, Any]:
    permission = {"id": "pe_1", "state": "allowed", "answeredBy": {"username": "ann"}} | changes
    return event(n, seq, "permission_settled", permission=permission)


EVENTS = [event(1, 1, "prompt"), settled(2, 2), event(3, 3, "turn_ended")]
WORKTREE = {"id": "wt_1", "name": "fix", "path": "/data/worktrees/fix", "state": "ready", "step": None}
SESSION = {"id": "se_1", "state": "done", "currentTurnId": None, "queue": []}


@pytest.fixture
def good() -> State:
    return State(
        sessions={"se_1": SESSION},
        turns={"tu_1": turn()},
        transcripts={"se_1": EVENTS},
        worktrees={"wt_1": WORKTREE},
        in_git={WORKTREE["path"]},
        on_disk={WORKTREE["path"]},
        subjects={"first", "aa"},
        ran=Counter({"aa": 1}),
        committed={"aa"},
        live_runs={"ru_1"},
        recorded_runs={"ru_1"},
        streamed=EVENTS,
    )


@pytest.fixture
def history(tmp_path) -> History:
    """What was acknowledged: a worktree, a session in it, a prompt, an answer."""
    history = History(tmp_path / "history.jsonl")

    def acknowledge(action: str, answer: dict, **request: str) -> None:
        history.finish(history.invoke(action, **request), "ok", action, answer, **request)

    acknowledge("worktree", WORKTREE)
    acknowledge("session", SESSION)
    acknowledge("prompt", turn(state="queued"), token="aa")  # noqa: S106 it finds the prompt again
    acknowledge("answer", {"id": "pe_1"}, permission="pe_1")
    return history


def say(history: History, kind: str, action: str, answer: Any = None, **request: str) -> None:
    history.finish(history.invoke(action, **request), kind, action, answer, **request)


def test_a_good_end_is_good(history, good):
    assert checker.check(history, good) == []


def test_a_parked_turn_is_a_good_rest(history, good):
    parked = turn(state="parked", endedAt=None, errorCode="unreachable", retryAt="2026-01-01T00:10:00.000Z", parks=1)
    events = [*EVENTS[:2], event(3, 3, "notice", code="parked")]
    session = SESSION | {"state": "parked", "currentTurnId": "tu_1"}
    state = replace(good, turns={"tu_1": parked}, sessions={"se_1": session}, transcripts={"se_1": events}, streamed=events)

    assert checker.check(history, state) == []


def test_what_was_refused_or_not_answered_may_be_missing(history, good):
    say(history, "fail", "worktree", name="refused")
    say(history, "info", "prompt", token="bb")
    say(history, "info", "archive", worktree="wt_1")

    assert checker.check(history, good) == []


TURNS = {
    "P1: acknowledged prompt tu_1 is gone": {},
    "P1: acknowledged prompt tu_1 has another text": {"tu_1": turn(prompt="echo bb")},
    "P2: turn tu_1 is running at rest": {"tu_1": turn(state="running")},
    "P2: turn tu_1 is queued at rest": {"tu_1": turn(state="queued")},
    "P2: turn tu_1 is parked without a reason or a next attempt": {"tu_1": turn(state="parked", errorCode="overloaded", retryAt=None)},
    "P2: turn tu_1 was parked 1 times, and 0 times in the transcript": {"tu_1": turn(parks=1)},
    "P8: session se_1 is done, and a turn of it is parked": {"tu_1": turn(state="parked", errorCode="quota")},
    "P2: turn tu_1 ran though it never started": {"tu_1": turn(state="cancelled", startedAt=None)},
    "P2: one prompt became 2 turns": {"tu_1": turn(), "tu_2": turn(id="tu_2", number=2)},
    "P4: turn number 1 of se_1 stands 2 times": {"tu_1": turn(), "tu_2": turn(id="tu_2")},
}


@pytest.mark.parametrize("problem", TURNS)
def test_a_lost_or_doubled_turn_is_named(history, good, problem):
    assert problem in checker.check(history, replace(good, turns=TURNS[problem]))


STATES = {
    "P2: prompt tu_1 ran 2 times and nobody retried it": {"ran": Counter({"aa": 2})},
    "P2: turn tu_1 is done but never ran": {"ran": Counter()},
    "P1: acknowledged session se_1 is gone": {"sessions": {}, "transcripts": {}},
    "P8: session se_1 seems to work at rest: running": {"sessions": {"se_1": SESSION | {"state": "running"}}},
    "P8: session se_1 is failed, and its last turn done": {"sessions": {"se_1": SESSION | {"state": "failed"}}},
    "P8: session se_1 seems to work at rest: done": {"sessions": {"se_1": SESSION | {"currentTurnId": "tu_1"}}},
    "P8: question pe_1 is open though nothing runs": {"open_permissions": {"pe_1"}},
    "P1: the acknowledged answer to pe_1 is lost": {"transcripts": {"se_1": [EVENTS[0], settled(2, 2, state="withdrawn"), EVENTS[2]]}},
    "T24: pe_1 was settled 2 times": {"transcripts": {"se_1": [EVENTS[0], settled(2, 2), settled(3, 3), event(4, 4, "turn_ended")]}},
    "P8: session se_1 is parked, and no turn of it is parked": {"sessions": {"se_1": SESSION | {"state": "parked"}}},
    "P3: run ru_2 lives and is in no table": {"live_runs": {"ru_1", "ru_2"}},
    "P4: the transcript of se_1 is not dense: [1, 3]…[1, 3]": {"transcripts": {"se_1": [EVENTS[0], EVENTS[2]]}},
    "P4: the transcript of se_1 is not dense: [1, 2, 2, 3]…[1, 2, 2, 3]": {"transcripts": {"se_1": [*EVENTS[:2], *EVENTS[1:]]}},
    "P2: turn tu_1 began 2 times in the transcript": {"transcripts": {"se_1": [*EVENTS, event(4, 4, "prompt")]}},
    "P2: turn tu_1 ended 2 times in the transcript": {"transcripts": {"se_1": [*EVENTS, event(4, 4, "turn_ended")]}},
    "P2: turn tu_1 ended 0 times in the transcript": {"transcripts": {"se_1": EVENTS[:2]}},
    "P4: the stream has a gap or a double at 3": {"streamed": [EVENTS[0], EVENTS[2]]},
    "P4: the stream has a gap or a double at 2": {"streamed": [*EVENTS[:2], *EVENTS[1:]]},
    "P4: the client was told 1 times to load everything again": {"resyncs": 1},
    "P4: event 2 was sent to a client, and is not stored like that": {"streamed": [EVENTS[0], settled(2, 2, state="rejected"), EVENTS[2]]},
    "P4: event 4 was sent to a client, and is not stored like that": {"streamed": [*EVENTS, event(4, 4, "text")]},
    "P4: event 3 is stored, and no client saw it": {"streamed": EVENTS[:2]},
    "P6: table and git differ: only table {'/data/worktrees/fix'}, only git set()": {"in_git": set()},
    "P6: table and git differ: only table set(), only git {'/x'}": {"in_git": {WORKTREE["path"], "/x"}},
    "P6: /data/worktrees/fix is ready but not on the disk": {"on_disk": set()},
    "P6: folder /x belongs to no ready worktree": {"on_disk": {WORKTREE["path"], "/x"}},
    "P6: commit aa is on no ref": {"subjects": {"first"}},
    "P1: acknowledged worktree fix is gone": {"worktrees": {}},
    "P8: worktree fix is creating still": {"worktrees": {"wt_1": WORKTREE | {"state": "creating"}}},
    "P8: worktree fix is archiving still": {"worktrees": {"wt_1": WORKTREE | {"step": "archiving"}}},
}


@pytest.mark.parametrize("problem", STATES)
def test_a_broken_state_is_named(history, good, problem):
    assert problem in checker.check(history, replace(good, **STATES[problem]))


def environment(of_all: str = "healthy", **service: Any) -> dict[str, Any]:
    web = {"name": "web", "state": "healthy", "ports": {"web": 21000}, "reason": None} | service
    return {"worktreeId": "wt_1", "worktree": "fix", "state": of_all, "ports": {"web": 21000}, "services": [web]}


OTHER = {"worktreeId": "wt_2", "worktree": "other", "state": "stopped", "ports": {"web": 21000}, "services": []}
UP = Counter({("wt_1", "web"): 1})
ENVIRONMENTS = {
    "P10: environment fix is stopping at rest": ([environment("stopping")], UP, {21000}),
    "P10: service web of fix is healthy, and runs 0 times": ([environment()], Counter(), {21000}),
    "P10: service web of fix is healthy, and runs 2 times": ([environment()], Counter({("wt_1", "web"): 2}), {21000}),
    "P10: service web of fix is stopped, and runs 1 times": ([environment("stopped", state="stopped")], UP, {21000}),
    "P10: service web of fix is healthy, and nobody listens on 21000": ([environment()], UP, set()),
    "P10: service web of fix is failed, and does not say why": ([environment("failed", state="failed")], Counter(), set()),
    "P10: port 21000 is that of fix and of other": ([environment(), OTHER], UP, {21000}),
    "P10: service old of wt_1 runs, and is in no record": ([environment()], UP + Counter({("wt_1", "old"): 1}), {21000}),
}


@pytest.mark.parametrize("problem", ENVIRONMENTS)
def test_an_environment_that_is_not_what_its_record_says_is_named(problem):
    assert checker.check_environments([environment()], UP, {21000}) == []

    assert checker.check_environments(*ENVIRONMENTS[problem]) == [problem]


COMMANDS = {
    "P1: the acknowledged cancel of tu_1 is lost": ("cancel", {"id": "tu_1"}, {"turn": "tu_1"}),
    "P1: the acknowledged discard of tu_1 is lost": ("discard", {"id": "tu_1"}, {"turn": "tu_1"}),
    "P1: the acknowledged retry of tu_1 is lost": ("retry", {"id": "tu_9"}, {"turn": "tu_1"}),
    "P1: the turn tu_9 of an acknowledged resume is gone": ("resume", {"id": "tu_9"}, {"turn": "tu_1"}),
    "P1: the acknowledged removal of wt_1 is lost": ("remove", {"worktreeId": "wt_1"}, {"worktree": "wt_1"}),
    "P1: the acknowledged archiving of wt_1 is lost": ("archive", {"id": "wt_1"}, {"worktree": "wt_1"}),
}


@pytest.mark.parametrize("problem", COMMANDS)
def test_a_forgotten_command_is_named(history, good, problem):
    action, answer, request = COMMANDS[problem]
    say(history, "ok", action, answer, **request)

    assert problem in checker.check(history, good)


def test_a_retried_prompt_may_run_twice_and_only_once_be_retried(history, good):
    again = [
        turn(id=f"tu_{number}", number=number, retryOf="tu_1", startedAt=None, state="cancelled", endedAt="2026-01-01T00:00:00.500Z")
        for number in (2, 3)
    ]
    state = replace(good, ran=Counter({"aa": 2}), turns={"tu_1": turn(), "tu_2": again[0]})

    assert checker.check(history, state) == []
    assert "P2: turn tu_1 was retried 2 times" in checker.check(history, replace(state, turns=state.turns | {"tu_3": again[1]}))


def test_a_survivor_and_a_dead_run_that_seems_to_live_are_named():
    turns = [turn(state="running"), turn(id="tu_2", state="running", runId="ru_2"), turn(id="tu_3", state="interrupted")]

    problems = checker.check_restart({"ru_1"}, {4711: "ru_1"}, turns)

    assert problems == ["P3: process 4711 survived its run ru_1", "P8: turn tu_1 is running in the dead run ru_1"]
