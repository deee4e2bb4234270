"""A turn that is cancelled ends at once, and nothing that it started lives on, however it tried to get away."""

import asyncio
import time

from tests.real_agents.stage import PATIENCE_S


def escapes(mark: str) -> str:
    """A child, one in a session of its own, one that ignores the hang-up, and one without a parent, an environment or a folder."""
    slow = f"bash -c 'sleep 400; : {mark}'"
    orphan = f"(cd /; env -i setsid {slow} >/dev/null 2>&1 &)"
    return f"echo begun; {slow} & setsid {slow} >/dev/null 2>&1 & nohup setsid {slow} >/dev/null 2>&1 & {orphan}; {slow}"


async def test_a_turn_cancelled_in_the_middle_of_its_text_ends_at_once(stage):
    session = await stage.begin()
    turn = await stage.say(session, {"text": "word by word, ", "times": 2000, "chunk": 14, "delay": 0.05})
    answering = asyncio.create_task(stage.see_through(turn))
    await stage.wait_for_text(turn, "word by word, word by word, ")

    began = time.monotonic()
    turn = await stage.cancelled(session)
    took = time.monotonic() - began

    await answering
    assert (turn.state, turn.error) == ("cancelled", None)
    assert took < 5
    assert (await stage.text(turn)).count("word by word") < 1500
    again = await stage.play(session, {"text": "I am still here."})
    assert again.state == "done"
    assert "I am still here." in await stage.text(again)


async def test_a_turn_cancelled_in_the_middle_of_a_command_leaves_no_process(stage):
    session = await stage.begin()
    turn = await stage.say(session, {"do": "shell", "cmd": escapes(stage.table.mark), "asks": True}, {"text": "Never said."})
    answering = asyncio.create_task(stage.see_through(turn))
    await stage.eventually(lambda: len(stage.table.marked()) >= 5, timeout=PATIENCE_S)
    assert stage.table.ours()

    began = time.monotonic()
    turn = await stage.cancelled(session)
    took = time.monotonic() - began

    await answering
    assert turn.state == "cancelled"
    assert took < 10
    assert {stage.table.show(one) for one in stage.table.marked()} == set()
    again = await stage.play(session, stage.write("after.txt", "1\n"), {"text": "Done."})
    assert (again.state, (stage.folder / "after.txt").exists()) == ("done", True)
