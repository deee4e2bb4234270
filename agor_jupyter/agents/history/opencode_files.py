"""opencode: `~/.local/share/opencode/opencode.db`, SQLite. Opened to read only, and as a file that somebody else wrote."""

import itertools
import json
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from agor_jupyter.agents.history.past import Builder, Folders, Found, Past, Piece, headline, home_of, kinds, moment, object_of, title_of

_MAX_LISTED = 200
_MAX_PARTS = 20_000
_MAX_VALUE = 4 << 20
_BUSY_S = 2.0
_LIMIT_S = 10.0
_STEP = 10_000
_MAX_ERROR = 256 << 10
_ID = re.compile(r"[0-9A-Za-z_]{8,80}")
_KINDS = kinds(
    execute="bash",
    edit="write edit patch multiedit",
    read="read",
    search="grep glob list",
    fetch="webfetch",
    think="todowrite",
)
_STATUSES = {"completed": "completed", "error": "failed", "running": "in_progress", "pending": "pending"}
_SESSIONS = (
    "SELECT s.id, s.title, s.directory, s.time_created, s.time_updated,"
    ' (SELECT count(*) FROM message m WHERE m.session_id = s.id AND m.data LIKE \'{"role":"user"%\')'
    " FROM session s WHERE (s.directory = ?1 OR (s.directory > ?1 || '/' AND s.directory < ?1 || '0')) AND s.parent_id IS NULL"
    " ORDER BY s.time_updated DESC"
)
_PARTS = (
    "SELECT m.id, m.data, p.data, p.time_created FROM message m JOIN part p ON p.message_id = m.id"
    " WHERE m.session_id = ? ORDER BY m.time_created, m.id, p.id LIMIT ?"
)
_LAST = "SELECT data FROM message WHERE session_id = ? AND time_created >= ? ORDER BY time_created DESC, id DESC LIMIT 1"


def find(env: Mapping[str, str], folders: Folders) -> list[Found]:
    found: dict[str, Found] = {}
    with suppress(sqlite3.Error, OSError), closing(_open(env)) as database:
        for root in sorted(folders.roots):
            listed = (one for row in database.execute(_SESSIONS, (root,)) if (one := _found(row)) and one.turns and one.folder in folders)
            found |= {one.agent_session_id: one for one in itertools.islice(listed, _MAX_LISTED)}
    return list(found.values())


def read(env: Mapping[str, str], folders: Folders, agent_session_id: str) -> Past | None:
    if not _ID.fullmatch(agent_session_id):
        return None
    listed = next((one for one in find(env, folders) if one.agent_session_id == agent_session_id), None)
    if listed is None:
        return None
    builder, skipped, count = Builder(), 0, 0
    with suppress(sqlite3.Error, OSError), closing(_open(env)) as database:
        for message_id, message, part, created in database.execute(_PARTS, (agent_session_id, _MAX_PARTS)):
            count += 1
            try:
                _read_part(object_of(json.loads(message)), object_of(json.loads(part)), builder, str(message_id), created)
            except (ValueError, TypeError, RecursionError):
                skipped += 1
    if not builder.turns:
        return None
    return Past(found=listed, turns=builder.turns, skipped=skipped, is_cut=builder.is_cut or count == _MAX_PARTS)


def tidy(env: Mapping[str, str], agent_session_id: str) -> None:
    """Nothing to do."""


def last_error(env: Mapping[str, str], agent_session_id: str, since: datetime) -> object:
    """It has the status and the headers of the provider's answer, of which opencode tells only the sentence.

    Where it has no status and may be tried again, nobody answered: it gets the code `NoAnswer`.
    """
    with suppress(sqlite3.Error, OSError, ValueError, TypeError, RecursionError), closing(_open(env)) as database:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ERROR)
        row = database.execute(_LAST, (agent_session_id, int(since.timestamp() * 1000))).fetchone()
        error = object_of(json.loads(row[0])).get("error") if row else None
        found = object_of(object_of(error).get("data"))
        return {"code": "NoAnswer", **object_of(error)} if found.get("isRetryable") is True and "statusCode" not in found else error
    return None


def _open(env: Mapping[str, str]) -> sqlite3.Connection:
    path = Path(env.get("XDG_DATA_HOME") or home_of(env) / ".local" / "share") / "opencode" / "opencode.db"
    if path.is_symlink() or not path.is_file():
        raise FileNotFoundError(path)
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
    end = time.monotonic() + _LIMIT_S
    database.set_progress_handler(lambda: int(time.monotonic() > end), _STEP)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
    database.execute("PRAGMA trusted_schema=OFF")
    database.execute("PRAGMA query_only=ON")
    return database


def _found(row: tuple[object, ...]) -> Found | None:
    session_id, title, folder, created, updated, turns = row
    if not isinstance(session_id, str) or not _ID.fullmatch(session_id):
        return None
    return Found(
        agent_session_id=session_id,
        title=headline(str(title)),
        folder=str(folder),
        turns=turns if isinstance(turns, int) else 0,
        started_at=moment(created),
        updated_at=moment(updated),
    )


def _read_part(message: Piece, part: Piece, builder: Builder, message_id: str, created: object) -> None:
    at = moment(object_of(part.get("time")).get("start")) or moment(created)
    if message.get("role") == "user":
        if part.get("type") == "text" and part.get("synthetic") is not True:
            builder.prompt(str(part.get("text", "")), at)
        return
    builder.model(message.get("modelID"))
    match part.get("type"):
        case "text":
            builder.text(part.get("text"), at, message_id)
        case "reasoning":
            builder.thought(part.get("text"), at, message_id)
        case "tool":
            state, name = object_of(part.get("state")), str(part.get("tool", ""))[:100]
            given = object_of(state.get("input"))
            raw = {"output": str(state.get("output", state.get("error", "")))}
            code = object_of(state.get("metadata")).get("exit")
            builder.tool(
                at,
                part.get("callID"),
                title=title_of(name, given),
                kind=_KINDS.get(name, "other"),
                status=_STATUSES.get(str(state.get("status")), "completed"),
                rawInput=given,
                rawOutput=raw | ({"exit_code": code} if isinstance(code, int) else {}),
            )
