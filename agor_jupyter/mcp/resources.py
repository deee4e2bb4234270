"""What can be read as a resource of MCP: the board, a session's transcript, and what a worktree changed."""

import json
from typing import Any

from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.text import plain
from agor_jupyter.mcp.tools import boards, sessions
from agor_jupyter.services.sessions.delegation import Delegation

BOARD = "agor://board"
_SESSION, _WORKTREE, _DIFF = "agor://session/", "agor://worktree/", "/diff"
TEMPLATES: list[dict[str, Any]] = [
    {
        "uriTemplate": f"{_SESSION}{{session_id}}",
        "name": "session",
        "title": "A session",
        "description": "The last 200 entries of a session's transcript.",
        "mimeType": "application/json",
    },
    {
        "uriTemplate": f"{_WORKTREE}{{worktree_id}}{_DIFF}",
        "name": "diff",
        "title": "What a worktree changed",
        "description": "The patch of all that differs in a worktree from its base.",
        "mimeType": "text/x-diff",
    },
]


def of(engine: Delegation) -> list[dict[str, Any]]:
    """Those that have an address of their own."""
    if engine.board is None:
        return []
    text = "What lies on your board: zones, worktrees, notes, and the sessions that are not archived."
    return [{"uri": BOARD, "name": "board", "title": engine.board, "description": text, "mimeType": "application/json"}]


async def read(engine: Delegation, uri: str) -> tuple[str, str]:
    """The text, and its media type.

    Errors:
        BadRequest: there is no such resource. WorktreeNotFound, SessionNotFound: as everywhere.
    """
    if uri == BOARD:
        board = await boards.read(engine)
        found = [sessions.show(one) for one in await engine.sessions()]
        return json.dumps({**board, "sessions": found}, ensure_ascii=False), "application/json"
    if uri.startswith(_SESSION):
        session = await engine.session(uri.removeprefix(_SESSION))
        entries = await sessions.entries(engine, session.id, max(0, session.last_seq - 200))
        return json.dumps(entries, ensure_ascii=False), "application/json"
    if uri.startswith(_WORKTREE) and uri.endswith(_DIFF):
        return (await engine.diff(uri.removeprefix(_WORKTREE).removesuffix(_DIFF))).text, "text/x-diff"
    known = ", ".join([BOARD, *(one["uriTemplate"] for one in TEMPLATES)])
    raise BadRequest([f"there is no resource {plain(uri)[:200]!r}; there are {known}"])
