"""The records of schedules."""

from itertools import combinations

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.schedules import Cron, Interval, ScheduleChange, SchedulePlan, in_words


@pytest.mark.parametrize(("expression", "words"), [
    ("0 3 * * *", "each day at 03:00, UTC"),
    ("*/5 * * * *", "every 5 minutes, UTC"),
    ("30 9 * * 1-5", "Monday to Friday at 09:30, UTC"),
    ("0 0 1 * *", "cron 0 0 1 * *, UTC"),
])  # fmt: skip
def test_a_cron_expression_in_words(expression, words):
    assert in_words(Cron(expression=expression)) == words


WORKTREE = {"kind": "worktree", "worktree_id": "wt_1"}
ZONE = {"kind": "zone", "worktree_id": "wt_1", "zone_id": "zo_1"}
WORK = {"prompt": "go", "script": "true", "notebook": "a.ipynb"}
ODD = {
    "late_limit": 0,
    "retries": 11,
    "retry_seconds": 0,
    "limit_seconds": 0,
    "keep": 0,
    "name": "a\nb",
}
"""Each is refused by itself."""


def refused(change, target, **work):
    plan = SchedulePlan(name="nightly", when=Interval(seconds=60), target=target, **work)
    with pytest.raises(errors.BadRequest) as caught:
        ScheduleChange.model_validate(change).applied_to(plan)
    return caught.value.details["problems"]


@pytest.mark.parametrize(("had", "added"), [(had, added) for had in WORK for added in WORK if had != added])
def test_a_change_that_adds_other_work_is_refused(had, added):
    first, second = sorted((had, added), key=list(WORK).index)

    lines = refused({added: WORK[added]}, WORKTREE, **{had: WORK[had]})

    assert lines == [f"set one of prompt, script and notebook; {first} and {second} are set"]
    assert ScheduleChange.model_validate({added: WORK[added], had: ""}).applied_to(
        SchedulePlan(name="nightly", when=Interval(seconds=60), target=WORKTREE, **{had: WORK[had]})
    )


@pytest.mark.parametrize("work", WORK)
def test_a_change_that_gives_a_zone_work_or_leaves_a_session_without_is_refused(work):
    only_zone = [f"{work}: the zone says what starts. Leave it out, or choose a worktree as the target"]

    assert refused({work: WORK[work]}, ZONE) == only_zone
    assert refused({"target": ZONE}, WORKTREE, **{work: WORK[work]}) == only_zone
    assert refused({work: ""}, WORKTREE, **{work: WORK[work]}) == ["set one of prompt, script and notebook"]
    assert refused({"target": WORKTREE}, ZONE) == ["set one of prompt, script and notebook"]


@pytest.mark.parametrize(("one", "other"), combinations(ODD, 2))
def test_two_odd_values_are_refused_with_a_line_for_each(one, other):
    lines = refused({one: ODD[one], other: ODD[other]}, WORKTREE, script="true")

    assert sorted(line.partition(":")[0] for line in lines) == sorted((one, other))


@pytest.mark.parametrize("path", ["/etc/a.ipynb", "../a.ipynb", "a.py", "a\x00.ipynb"])
def test_a_notebook_outside_the_worktree_is_refused(path):
    assert refused({"notebook": path, "script": ""}, WORKTREE, script="true") == [
        "notebook: the path of a notebook in the worktree, which ends with .ipynb"
    ]
