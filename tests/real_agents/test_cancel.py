"""A turn that is cancelled ends at once, and nothing that it started lives on, however it tried to get away."""

import asyncio
import time

from harness.process_table import escapes


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
    await stage.wait_for_escapes(turn)
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
