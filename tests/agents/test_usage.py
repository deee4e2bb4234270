"""Counts that agents mean in different ways, beside what the model's server itself has counted."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agor_jupyter.agents.protocol.usage import Reports
from agor_jupyter.domain.agents import UsageForm

SCOPES, CACHED, PLACES = ("request", "turn", "session"), ("beside", "inside"), (None, "own.tokens")
FORMS = [form for form in itertools.product(SCOPES, CACHED, PLACES) if form[0] != "request" or form[2]]
"""Of a turn's last request alone nobody can know the turn's."""


class Server:
    """A model's server, and an agent that passes its counts on in one of the forms."""

    def __init__(self, scope, cached, at) -> None:
        self.scope, self.cached, self.at = scope, cached, at
        self.truth = self.turn = self.last = (0, 0, 0, 0)

    def form(self) -> UsageForm:
        return UsageForm(scope=self.scope, cached=self.cached, at=self.at)

    def told(self) -> dict:
        new, out, read, written = {"request": self.last, "turn": self.turn, "session": self.truth}[self.scope]
        given = new + read + written if self.cached == "inside" else new
        total = new + out + read + written
        return {"inputTokens": given, "outputTokens": out, "cachedReadTokens": read, "cachedWriteTokens": written, "totalTokens": total}

    def play(self, reports: Reports, *requests) -> tuple:
        """One turn of these requests. Returns what is read from the reports."""
        reports.begin_turn()
        self.turn = (0, 0, 0, 0)
        for place, counts in enumerate(requests):
            if place:
                reports.hear({"sessionUpdate": "tool_call_update", "toolCallId": "t", "status": "completed"})
            self.last = counts
            self.turn, self.truth = (tuple(map(sum, zip(one, counts, strict=True))) for one in (self.turn, self.truth))
            if self.at:
                reports.hear({"sessionUpdate": "usage_update", "used": 1, "size": 2, "_meta": {"own": {"tokens": self.told()}}})
        usage, _ = reports.at_end({} if self.at else {"usage": self.told()}, None)
        counts = (usage.input_tokens, usage.output_tokens, usage.cached_read_tokens, usage.cached_write_tokens)
        return tuple(count or 0 for count in counts)


def added(*all_counts):
    return tuple(map(sum, zip(*all_counts, strict=True))) if all_counts else (0, 0, 0, 0)


REQUEST = st.tuples(st.integers(1, 5000), st.integers(1, 500), st.integers(0, 20_000), st.integers(0, 3000))
TURNS = st.lists(st.lists(REQUEST, min_size=1, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize("form", FORMS, ids=str)
@given(turns=TURNS)
@settings(max_examples=40)
def test_what_turns_used_adds_up_to_what_the_server_counted(form, turns):
    server = Server(*form)
    reports = Reports(server.form())
    reports.open(None, is_new=True)

    read = [server.play(reports, *requests) for requests in turns]

    assert read == [added(*requests) for requests in turns]
    assert added(*read) == server.truth


@given(turns=TURNS, scope=st.sampled_from(["turn", "session"]), cached=st.sampled_from(CACHED))
@settings(max_examples=100)
def test_of_an_agent_that_nobody_described_sums_are_never_counted_double(turns, scope, cached):
    """A conversation grows: each request reads at least what the one before had."""
    context, grown = 0, []
    for requests in turns:
        grown.append([])
        for new, out, *_ in requests:
            grown[-1].append((new, out, context, 0))
            context += new + out
    server = Server(scope, cached, None)
    reports = Reports(UsageForm())
    reports.open(None, is_new=True)

    read = [server.play(reports, *requests) for requests in grown]

    assert read[0] == added(*grown[0])
    assert all(counts <= true for counts, true in zip(added(*read), server.truth, strict=True))
    if scope == "session":
        assert added(*read) == server.truth


def test_turns_that_use_less_show_that_counts_are_no_sums():
    server, reports = Server("turn", "beside", None), Reports(UsageForm())
    reports.open(None, is_new=True)

    read = [server.play(reports, *[(1000, 50, 0, 0)] * count) for count in (2, 1, 3)]

    assert added(*read) == server.truth


def test_a_conversation_that_is_brought_back_is_counted_from_what_it_had():
    server, first, second, third = Server("session", "beside", None), *(Reports(UsageForm(scope="session")) for _ in range(3))
    first.open(None, is_new=True)
    usage = server.play(first, (100, 10, 5, 0))
    spent = first.at_end({"usage": {}}, None)[0].replace(input_tokens=100, output_tokens=10, cached_read_tokens=5, cached_write_tokens=0)

    second.open(spent, is_new=False)
    third.open(None, is_new=False)

    assert usage == (100, 10, 5, 0)
    assert server.play(second, (7, 1, 2, 0)) == (7, 1, 2, 0)
    assert server.play(third, (7, 1, 2, 0)) == (0, 0, 0, 0)
    assert server.play(third, (8, 2, 3, 0)) == (8, 2, 3, 0)


def test_thoughts_that_are_beside_the_output_are_written_too():
    reports = Reports(UsageForm(scope="turn"))
    reports.open(None, is_new=True)

    beside, _ = reports.at_end({"usage": {"inputTokens": 10, "outputTokens": 5, "thoughtTokens": 3, "totalTokens": 18}}, None)
    inside, _ = reports.at_end({"usage": {"inputTokens": 10, "outputTokens": 5, "thoughtTokens": 3, "totalTokens": 15}}, None)

    assert (beside.output_tokens, inside.output_tokens) == (8, 5)
