"""Schedules from a cell and from a shell's functions."""

import pytest

from agor_jupyter.domain.errors import BadRequest


async def test_a_cell_makes_a_schedule_and_runs_it(hub, repo):
    worktree = repo.worktree("scheduled", board="schedules.agor") if hasattr(repo, "worktree") else None
    board = hub.board("schedules.agor")

    made = board.schedule("nightly", cron="0 3 * * *", tz="Europe/Vienna", worktree=worktree, script="echo x", allow=True)
    slot = await made.run()

    assert slot.state.value == "passed", slot
    assert repr(made) == "Schedule 'nightly': each day at 03:00, Europe/Vienna"
    assert len(made.next_times) == 5
    again = board.schedule("nightly", cron="30 4 * * *", tz="Europe/Vienna", worktree=worktree)
    assert (again.record.id, again.record.script) == (made.record.id, "echo x")
    assert repr(again) == "Schedule 'nightly': each day at 04:30, Europe/Vienna"
    assert board.schedules["nightly"].pause().next_times == []
    assert list(board.schedules.df["name"]) == ["nightly"]
    assert [one.state.value for one in made.slots] == ["passed"]
    with pytest.raises(BadRequest, match="five fields"):
        board.schedule("other", cron="* * * * * *", worktree=worktree, script="true")
    with pytest.raises(BadRequest, match="one of cron"):
        board.schedule("other", worktree=worktree, script="true")
    made.remove()
    assert len(board.schedules) == 0
