"""When a parked turn is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.domain.parking import PARKING, PASSING, Schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
parks, dice = st.integers(1, 100), st.floats(0, 1, exclude_max=True)


@given(st.sampled_from(sorted(PASSING)), parks, dice)
def test_the_wait_grows_to_the_longest_and_is_spread(code, parks, dice):
    plan = Schedule()

    wait = plan.next_attempt(code, parks=parks, now=NOW, dice=dice) - NOW

    middle = min(plan.first * 2 ** min(parks - 1, 20), plan.longest)
    assert middle * 0.75 <= wait <= middle * 1.25
    assert wait == plan.next_attempt(code, parks=parks, now=NOW, dice=dice) - NOW


@given(st.sampled_from(sorted(PARKING)), parks, dice, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_it_is_never_tried_before_the_provider_says(code, parks, dice, after):
    moment = Schedule().next_attempt(code, parks=parks, now=NOW, dice=dice, told=NOW + after)

    assert NOW + after <= moment <= NOW + after + timedelta(minutes=1)


@given(parks, dice)
def test_a_quota_without_a_moment_waits_for_a_person(parks, dice):
    assert Schedule().next_attempt("quota", parks=parks, now=NOW, dice=dice) is None


def test_a_moment_that_has_passed_is_now():
    assert Schedule().next_attempt("rate_limited", parks=1, now=NOW, dice=0, told=NOW - timedelta(hours=1)) == NOW
