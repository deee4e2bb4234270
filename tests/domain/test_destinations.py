"""Quiet hours by the clock of a zone, also on the days on which it is changed; and what a message says."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from agor_jupyter.domain.destinations import MAX_LINES, Message, QuietHours, body_of, named, title_of

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
VIENNA = "Europe/Vienna"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


@pytest.mark.parametrize(
    ("start", "end", "moment", "over"),
    [
        ("22:00", "07:00", "11-30T20:59", "11-30T20:59"),  # 21:59 in Vienna
        ("22:00", "07:00", "11-30T21:00", "12-01T06:00"),
        ("22:00", "07:00", "12-01T05:59", "12-01T06:00"),
        ("22:00", "07:00", "12-01T06:00", "12-01T06:00"),
        ("12:00", "13:00", "11-30T11:30", "11-30T12:00"),
        ("22:00", "07:00", "03-28T22:30", "03-29T05:00"),  # an hour is left out: 07:00 is one earlier
        ("22:00", "07:00", "10-24T21:30", "10-25T06:00"),  # an hour comes twice
        ("22:00", "02:30", "03-29T00:30", "03-29T01:00"),  # 02:30 is left out: 03:00 comes after 01:59
        ("22:00", "02:30", "10-25T00:10", "10-25T00:30"),  # the first 02:30
        ("22:00", "02:30", "10-25T01:10", "10-25T01:30"),  # the second: quiet again until then, and not for a day
    ],
)
def test_quiet_hours_end_when_the_clock_of_the_zone_says_so(start, end, moment, over):
    quiet = QuietHours(start=start, end=end, zone=VIENNA)

    assert quiet.over(utc(moment)) == utc(over)
    assert quiet.holds(utc(moment)) == (moment != over)


def test_quiet_hours_without_length_or_place_are_refused():
    for fields in (
        {"start": "07:00", "end": "07:00"},
        {"start": "25:00", "end": "07:00"},
        {"start": "1:00", "end": "2:00", "zone": "Mars"},
    ):
        with pytest.raises(ValidationError):
            QuietHours.model_validate(fields)


def message(kind="question", board="work/team.agor", text="Script asks"):
    return Message(key=text, kind=kind, board=board, text=text, created_at=AT)


def test_a_title_counts_and_a_body_ends_somewhere():
    several = [message("slot"), message("question"), message("question"), message("failure", text="Script failed")]

    assert title_of(several) == "2 questions, 1 failure and 1 finished slot on “team.agor”"
    assert title_of([message(), message(board="b.agor")]) == "2 questions on 2 boards"
    assert title_of([message("budget", None)]) == "1 budget"
    assert body_of([message()], ["https://x.example/"]) == "Script asks.\nhttps://x.example/"
    assert body_of([message()] * (MAX_LINES + 3), [""] * (MAX_LINES + 3)).endswith("\n\nAnd 3 more.")


def test_a_name_is_no_mention_no_link_and_no_markup():
    hostile = named("<!channel> @everyone [x](https://evil.example) \x1b[31m`a`\n\u202eb" + "c" * 200)

    assert not set("<>@[]`\n\x1b\u202e") & set(hostile)
    assert "://" not in hostile.replace(": //", "")
    assert len(hostile) < 100


def test_quiet_hours_are_over_within_a_day_and_a_bit():
    quiet = QuietHours(start="07:01", end="07:00", zone=VIENNA)

    for hours in range(0, 400 * 24, 37):
        moment = AT + timedelta(hours=hours)
        assert not quiet.holds(quiet.over(moment))
        assert quiet.over(moment) - moment <= timedelta(hours=25)
