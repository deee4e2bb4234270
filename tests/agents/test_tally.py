"""A lower bound of what a turn has read, from reports of how full the context is."""

import pytest

from agor_jupyter.agents.protocol.tally import Tally
from agor_jupyter.domain.events import ToolCall, UsageReported
from agor_jupyter.domain.sessions import Usage


def _told(tally, *reports):
    """Each report is a context, or `None` for a tool that ends. Returns what was counted as new and as read again."""
    for used in reports:
        body = ToolCall(tool_call_id="t", status="completed") if used is None else UsageReported(usage=Usage(context_used=used))
        tally.hear(body, "m")
    return [(one.model, one.input_tokens, one.cached_read_tokens) for one in tally.models]


@pytest.mark.parametrize(
    ("reports", "new", "again"),
    [
        ((100,), 100, 0),
        ((100, 120), 120, 0),  # the answer of the same request
        ((100, 120, None, 150, 160), 160, 120),
        ((None, 120, None, 150), 150, 120),  # a tool that ends before its request is reported
        ((100, None, None, 130), 130, 100),  # two tools, one request
        ((100, None, 40, None, 60), 120, 80),  # the conversation was summarised
    ],
)
def test_what_is_new_counts_once_and_what_was_there_with_each_request(reports, new, again):
    assert _told(Tally(), *reports) == [("m", new, again)]


def test_the_next_turn_reads_again_what_the_last_one_had():
    tally = Tally()
    _told(tally, 100)

    tally.begin_turn()

    assert tally.models == []
    assert _told(tally, 130) == [("m", 30, 100)]


def test_a_conversation_that_was_brought_back_is_in_a_cache():
    tally = Tally()
    tally.open(is_new=False)

    assert _told(tally, 1000, 1010) == [("m", 10, 1000)]


def test_a_report_of_dollars_has_all_that_was_before_it():
    tally = Tally()
    _told(tally, 100)

    tally.hear(UsageReported(usage=Usage(context_used=120, cost_usd=0.5)), "m")

    assert tally.models == []
    assert _told(tally, None, 150) == [("m", 30, 120)]
