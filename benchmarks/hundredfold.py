"""A hundred times the size: 100,000 sessions, 10,000,000 events and 1,000 boards, beside 5,000 sessions, 500,000 events and 50 boards.

`python -m benchmarks hundredfold`. The two databases are made by SQL and kept in `build/hundredfold`, or in `AGOR_BENCH_DIR`: a
further run measures on copies of them.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
from pathlib import Path

from agor_jupyter.client.stream import Stream
from agor_jupyter.domain.events import PromptSent, Text, ToolCall, ToolOutput, TurnEnded
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.storage.tables import SCHEMA_VERSION
from benchmarks.server import BOARD, median_ms, prepare, row, running
from harness.servers import RealServer

SIZES = ((5_000, 50), (100_000, 1_000))
"""Sessions and boards."""
TURNS, EVENTS = 5, 20
"""Of a session, and of a turn."""
SAYINGS = 4000
_PERSON = Person(username="alice", name="Alice")
_AT = "2026-09-20T10:00:00.000Z"


def sayings(count: int, least: int, most: int) -> list[str]:
    """Sentences of made-up words, few of which are said often, as in a language."""
    chance = random.Random(count + least)
    syllables = [one + other for one in "bdfgklmnprstvz" for other in ("a", "e", "i", "o", "u", "an", "er")]
    words = ["".join(chance.choice(syllables) for _ in range(chance.randint(1, 4))) for _ in range(30_000)]
    weights = [1 / (place + 2) for place in range(len(words))]
    return [" ".join(chance.choices(words, weights, k=chance.randint(least, most))) for _ in range(count)]


def _bodies() -> list[tuple[int, str]]:
    """The entries of a turn by their place in it. `@P`, `@A` and `@T` stand for the prompt, a piece of the answer, and the turn."""
    turn = Turn.model_validate(
        {"id": "@T", "sessionId": "@S", "worktreeId": "@W", "number": 1, "prompt": "@P", "state": TurnState.DONE, "createdAt": _AT,
         "createdBy": _PERSON, "startedAt": _AT, "endedAt": _AT, "stopReason": "end_turn", "seconds": 12.5, "inputTokens": 1200}
    )  # fmt: skip
    found: list[Record] = [PromptSent(text="@P", by=_PERSON)]
    for place in range(1, EVENTS - 1):
        call = f"call-{place // 3}"
        if place % 3 == 1:
            found.append(ToolCall(tool_call_id=call, title="Read src/load.py", tool_kind="read", status="completed"))
        elif place % 3 == 2:
            found.append(ToolOutput(tool_call_id=call, text="x = 1\n" * 30))
        else:
            found.append(Text(text="@A ", message_id="m"))
    found.append(TurnEnded(turn=turn))
    return [(place, body.model_dump_json()) for place, body in enumerate(found)]


def fill(database: Path, count: int, boards: int) -> None:
    """Put `count` sessions with their turns, events and words into a database that has one session, and worktrees on `boards` boards."""
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    model = connection.execute("SELECT id, worktree_id, record FROM sessions").fetchone()
    for table in ("sessions", "turns", "events", "search_docs"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("INSERT INTO search_words (search_words) VALUES ('delete-all')")
    _scaffold(connection, model, count, boards)
    connection.execute("""
        INSERT INTO sessions (id, worktree_id, board, agent, state, created_by, is_archived, updated_at, last_seq, last_line, record)
        SELECT id, worktree, board, agent, 'done', 'alice', 0, at, ?, 'x = 1', replace(replace(replace(replace(replace(
            ?, '@S', id), '@W', worktree), '"@B"', '"' || board || '"'), '@G', agent), '@L', substr(p.text, 1, 60))
        FROM s JOIN said p ON p.kind = 'P' AND p.place = s.n * 7 % ?
    """, (TURNS * EVENTS, _session(model[2], model[0], model[1]), SAYINGS))  # fmt: skip
    connection.execute(
        """
        INSERT INTO turns (id, session_id, number, position, state, is_unresolved, ended_at, record)
        SELECT id, session, number, number, 'done', 0, at, replace(replace(replace(replace(?, '@T', id), '@S', session), '@W', worktree),
            '@P', prompt) FROM t
    """,
        (json.dumps(json.loads(_bodies()[-1][1])["turn"], separators=(",", ":")),),
    )
    connection.execute("""
        INSERT INTO events (at, session_id, turn_id, seq, body)
        SELECT t.at, t.session, t.id, (t.number - 1) * ? + b.place + 1,
            CASE WHEN b.place IN (0, ?) THEN replace(replace(replace(replace(b.body, '@T', t.id), '@S', t.session), '@W', t.worktree), '@P', t.prompt)
                WHEN b.place % 3 = 0 THEN replace(b.body, '@A', a.text) ELSE b.body END
        FROM t CROSS JOIN bodies b LEFT JOIN said a ON b.place % 3 = 0 AND a.kind = 'A' AND a.place = (t.n * 6 + b.place / 3) % ?
        ORDER BY t.n, b.place
    """, (EVENTS, EVENTS - 1, SAYINGS))  # fmt: skip
    connection.execute(
        "INSERT INTO search_docs (id, session_id, subject, seq, at) SELECT n, session, id, number * ?, at FROM t ORDER BY n", (EVENTS,)
    )
    connection.execute("""
        INSERT INTO search_words (rowid, prompt, answer, place)
        SELECT n, prompt, (SELECT group_concat(text, ' ') FROM said a WHERE a.kind = 'A' AND a.place IN (
            (t.n * 6 + 1) % ?1, (t.n * 6 + 2) % ?1, (t.n * 6 + 3) % ?1, (t.n * 6 + 4) % ?1, (t.n * 6 + 5) % ?1, (t.n * 6 + 6) % ?1)),
            'wt' || substr(worktree, 4) || ' ag' || agent || ' stdone' FROM t ORDER BY n
    """, (SAYINGS,))  # fmt: skip
    connection.execute("""
        INSERT INTO search_docs (id, session_id, subject, seq, at, title)
        SELECT s.n - ?, id, id, 0, at, substr(p.text, 1, 60) FROM s JOIN said p ON p.kind = 'P' AND p.place = s.n * 7 % ? ORDER BY s.n
    """, (count, SAYINGS))  # fmt: skip
    connection.execute("""
        INSERT INTO search_words (rowid, title, place)
        SELECT s.n - ?, substr(p.text, 1, 60), 'wt' || substr(worktree, 4) || ' ag' || agent
        FROM s JOIN said p ON p.kind = 'P' AND p.place = s.n * 7 % ? ORDER BY s.n
    """, (count, SAYINGS))  # fmt: skip
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _session(record: str, session: str, worktree: str) -> str:
    fields = json.loads(record) | {
        "id": "@S",
        "worktreeId": "@W",
        "board": "@B",
        "agent": "@G",
        "state": "done",
        "title": "@L",
        "turnCount": TURNS,
    }
    return json.dumps(fields, separators=(",", ":"))


def _scaffold(connection: sqlite3.Connection, model: tuple, count: int, boards: int) -> None:
    """Temporary tables: `s` the sessions, `t` their turns, `said` sentences, `bodies` the entries of a turn."""
    connection.execute("CREATE TEMP TABLE said (kind TEXT, place INTEGER, text TEXT, PRIMARY KEY (kind, place)) WITHOUT ROWID")
    for kind, least, most in (("P", 8, 40), ("A", 10, 60)):
        connection.executemany(
            "INSERT INTO said VALUES (?, ?, ?)", [(kind, place, text) for place, text in enumerate(sayings(SAYINGS, least, most))]
        )
    connection.execute("CREATE TEMP TABLE bodies (place INTEGER PRIMARY KEY, body TEXT)")
    connection.executemany("INSERT INTO bodies VALUES (?, ?)", _bodies())
    own, record, board = connection.execute("SELECT id, record, board FROM worktrees WHERE id = ?", (model[1],)).fetchone()
    repo, updated = connection.execute("SELECT repo_id, updated_at FROM worktrees WHERE id = ?", (own,)).fetchone()
    connection.execute("CREATE TEMP TABLE w (place INTEGER PRIMARY KEY, id TEXT, board TEXT)")
    connection.execute("INSERT INTO w VALUES (0, ?, ?)", (own, board))
    for place in range(1, boards):
        name, here = f"hundred-{place}", f"board-{place}.agor"
        fields = json.loads(record) | {
            "id": f"wt_{place:020d}",
            "name": name,
            "branch": name,
            "board": here,
            "state": "archived",
            "path": f"/none/{name}",
        }
        connection.execute("INSERT INTO w VALUES (?, ?, ?)", (place, fields["id"], here))
        connection.execute(
            "INSERT INTO worktrees (id, repo_id, name_key, board, state, updated_at, record) VALUES (?, ?, ?, ?, 'archived', ?, ?)",
            (fields["id"], repo, name, here, updated, json.dumps(fields, separators=(",", ":"))),
        )
    connection.execute(
        "CREATE TEMP TABLE s AS WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < ?1) "
        "SELECT c.n AS n, printf('se_%020d', c.n) AS id, w.id AS worktree, w.board AS board, "
        "CASE c.n % 3 WHEN 0 THEN 'script' WHEN 1 THEN 'claude' ELSE 'codex' END AS agent, "
        "strftime('%Y-%m-%dT%H:%M:%S', 1790000000 - (?1 - c.n) * 60, 'unixepoch') || '.000+00:00' AS at "
        "FROM c JOIN w ON w.place = c.n % ?2 ORDER BY c.n",
        (count, boards),
    )
    connection.execute(
        "CREATE TEMP TABLE t AS WITH RECURSIVE k(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM k WHERE number < ?1) "
        "SELECT s.n * ?1 + k.number AS n, printf('tu_%020d', s.n * ?1 + k.number) AS id, s.id AS session, s.worktree AS worktree, s.agent AS agent, "
        "k.number AS number, s.at AS at, p.text || ' ticket' || (s.n * ?1 + k.number) AS prompt "
        "FROM s CROSS JOIN k JOIN said p ON p.kind = 'P' AND p.place = (s.n * 7 + k.number * 13) % ?2 ORDER BY s.n, k.number",
        (TURNS, SAYINGS),
    )


# What is measured


def databases() -> dict[int, Path]:
    """The two data directories, made once. Outside of the folder that is thrown away, since making them takes minutes."""
    home = Path(os.environ.get("AGOR_BENCH_DIR", "build")) / "hundredfold"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "base" / "data" / "agor.db").exists():
        prepare(home / "base")
    found = {}
    for count, boards in SIZES:
        found[count] = home / f"{SCHEMA_VERSION}-{count}.db"
        if not found[count].exists():
            made = found[count].with_suffix(".part")
            shutil.copy(home / "base" / "data" / "agor.db", made)
            fill(made, count, boards)
            made.rename(found[count])
    return found


def rows() -> list[dict]:
    kept = databases()
    home = next(iter(kept.values())).parent
    figures = {}
    for count, database in kept.items():
        target = home / "run"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(home / "base", target, symlinks=True)
        shutil.copy(database, target / "data" / "agor.db")
        figures[count] = measure(target, count)
        shutil.rmtree(target)
    few, many = (figures[count] for count in kept)
    searches = many.pop("search")
    few.pop("search")
    found = [row("search_ms", max(searches), "ms", 100, f"the slowest of: {' '.join(f'{value:.0f}' for value in searches)}")]
    for name, value in many.items():
        reference = f"{value:.2f} ms at 100,000 sessions, {few[name]:.2f} ms at 5,000"
        found.append(row(f"{name}_100x_ratio", value / few[name], "×", 1.5, reference))
    return found


def measure(folder: Path, count: int) -> dict:
    """Milliseconds of each kind of request on a real server."""
    middle = f"se_{count // 2:020d}"
    with running(folder) as server:
        alice = server.client("alice")
        worktree = alice.get(f"sessions/se_{0:020d}")["worktreeId"]
        request = SessionCreate(worktree_id=worktree, agent="script", title="New")
        found = {
            "page": median_ms(lambda: alice.get("sessions", limit=50)),
            "get": median_ms(lambda: alice.get(f"sessions/{middle}")),
            "create": median_ms(lambda: alice.post("sessions", request)),
            "snapshot": median_ms(lambda: alice.get("board/snapshot", path=BOARD), 15),
        }
        session = alice.post("sessions", request)["id"]
        found["accept"] = median_ms(lambda: alice.post(f"sessions/{session}/prompt", {"text": "true"}), 20)
        found["reconnect"] = median_ms(lambda: asyncio.run(_reconnect(server)), 15)
        common = sayings(SAYINGS, 8, 40)[0].split()
        words = [common[0], f'"{common[0]} {common[1]}"', f"{common[0]} {common[2]}", f"ticket{count}", f"{common[3][:4]}*"]
        found["search"] = [median_ms(lambda word=word: alice.get("search", q=word), 10) for word in words]
        return found


async def _reconnect(server: RealServer) -> None:
    """A client that knows an event of a while ago gets what it missed."""
    with contextlib.closing(sqlite3.connect(server.folder / "data" / "agor.db")) as connection:
        [newest] = connection.execute("SELECT max(n) FROM events").fetchone()
    async with Stream(server.url, "alice-token", after=newest - 200) as stream, contextlib.aclosing(stream.frames()) as frames:
        async for _ in frames:
            return
