"""Cards that arrive in zones: what starts, what comes of it, and where the card is then."""

from pathlib import Path

from tests.services.zones.scene import block, command


async def test_a_zone_without_a_policy_only_holds_the_card(flow):
    todo = await flow.zone("To do")

    dropped = await flow.drop(todo)

    assert (dropped.zone_id, dropped.arrival, dropped.firing) == (todo, 1, None)
    assert await flow.lies_in() == todo
    assert await flow.firings() == []


async def test_a_card_goes_through_a_prompt_and_a_gate_to_the_next_zone(flow):
    done = await flow.zone("Done")
    build = await flow.zone("Build", prompt=block("echo built > out.txt"), gates=[command("test -s out.txt")], next=done)

    firing = await flow.fire(build)

    assert (firing.state, firing.reason) == ("passed", None)
    assert firing.moved_to == done
    assert [run.gate for run in firing.runs] == [None, 0]
    assert (Path(flow.worktree.path) / "out.txt").read_text() == "built\n"
    assert await flow.where() == done
    await flow.eventually(flow.lies_in, done)


async def test_a_failed_gate_sends_the_card_to_the_zone_for_failures(flow):
    mend = await flow.zone("Mend")
    done = await flow.zone("Done")
    test = await flow.zone("Test", gates=[command("exit 3")], next=done, on_failure=mend)

    firing = await flow.fire(test)

    assert firing.state == "failed"
    assert "“exit 3”" in firing.reason
    assert "code 3" in firing.reason
    assert await flow.where() == mend
