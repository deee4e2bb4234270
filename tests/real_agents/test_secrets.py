"""A secret that the agent prints is nowhere in what is stored."""

import base64
import sqlite3

from agor_jupyter.domain.variables import VariableSet
from harness.kits import KEY

SECRET = "deploy-4f8a1c-heron+slash/equals=="


def forms(value: str) -> set[bytes]:
    """As it is, and the middle of its base64 wherever it begins."""
    plain = value.encode()
    return {plain, *(base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3))}


async def test_a_secret_that_the_agent_prints_is_masked_everywhere_it_is_stored(stage):
    await stage.agor.variables.set(stage.caller, "DEPLOY_TOKEN", VariableSet(value=SECRET))
    session = await stage.begin()
    show = 'echo "plain: $DEPLOY_TOKEN"; printf %s "$DEPLOY_TOKEN" | base64; printf "xx%s" "$DEPLOY_TOKEN" | base64 -w0; printenv'

    turn = await stage.play(
        session,
        {"do": "shell", "cmd": f"{show}; cat /proc/self/environ > seen.bin; sleep 0.2", "asks": True},
        {"text": "It printed: {result}", "chunk": 5},
    )

    assert (turn.state, turn.error) == ("done", None)
    assert SECRET.encode() in (stage.folder / "seen.bin").read_bytes(), "the tool did not have it, so nothing was proved"
    shown = await stage.text(turn)
    assert "[DEPLOY_TOKEN]" in shown
    await stage.agor.runner.dismiss([session.id])
    found = stored(stage)
    for value in (SECRET, KEY):
        for form in forms(value):
            assert [place for place, content in found.items() if form in content] == []


def stored(stage) -> dict[str, bytes]:
    """All that was kept: each row of each table, and each file of the data folder as it lies on the disk."""
    data = stage.agor.config.data_dir
    found = {
        str(path.relative_to(data)): path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and not path.is_relative_to(data / "agents") and path.name != "seen.bin"
    }
    with sqlite3.connect(data / "agor.db") as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            rows = connection.execute(f"select * from {table}").fetchall()
            found[f"table {table}"] = "\n".join(map(repr, rows)).encode()
    assert b"[DEPLOY_TOKEN]" in found["table events"]
    return found
