"""A start while another process of the agent holds what they share."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from harness.kits import KITS


@pytest.mark.agent
@pytest.mark.parametrize("kit", [KITS["opencode"]], ids=["opencode"])
async def test_opencode_starts_again_when_its_database_was_locked_for_too_long(stage, home):
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})
    await stage.agor.runner.dismiss([session.id])
    with closing(sqlite3.connect(home / ".local/share/opencode/opencode.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")

        turn = await stage.say(session, {"text": "Hello again."})
        while not (told := await stage.events(turn, "notice")):
            await asyncio.sleep(0.1)
        database.execute("ROLLBACK")
        await stage.see_through(turn)

    turn = await stage.agor.turns.get(turn.id)
    assert (turn.state, turn.error) == ("done", None)
    assert told[0]["code"] == "obstructed"
    assert "It is started again" in told[0]["text"]
