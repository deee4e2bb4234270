"""Gemini CLI: `~/.gemini/tmp/<project>/chats/session-<minute>-<id>.jsonl`, messages that replace each other by their id; older, `.json`."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from agor_jupyter.agents.history import files
from agor_jupyter.agents.history.files import Lines
from agor_jupyter.agents.history.past import (
    Builder,
    Folders,
    Found,
    Past,
    Piece,
    headline,
    home_of,
    kinds,
    list_of,
    moment,
    object_of,
    title_of,
)

_MAX_LISTED = 200
_MAX_MESSAGES = 20_000
_ID = re.compile(r"[0-9a-fA-F-]{8,80}")
_KINDS = kinds(
    execute="run_shell_command",
    edit="write_file replace edit",
    read="read_file read_many_files",
    search="list_directory glob search_file_content",
    fetch="web_fetch google_web_search",
)
_NO_PROMPT = ("<session_context>", "<hook_context>")
_STATUSES = {"success": "completed", "error": "failed", "cancelled": "failed"}


def find(env: Mapping[str, str], folders: Folders) -> list[Found]:
    """One conversation may have several files; the one with the most turns counts."""
    best: dict[str, Found] = {}
    for folder, path in files.in_time(_files(env, folders)):
        if (past := _read(folder, path)) is not None:
            known = best.get(past.found.agent_session_id)
            if known is None or known.turns < past.found.turns:
                best[past.found.agent_session_id] = past.found
    return list(best.values())


def read(env: Mapping[str, str], folders: Folders, agent_session_id: str) -> Past | None:
    if not _ID.fullmatch(agent_session_id):
        return None
    found = [past for folder, path in _files(env, folders) if agent_session_id[:8] in path.name and (past := _read(folder, path))]
    same = [past for past in found if past.found.agent_session_id == agent_session_id]
    return max(same, key=lambda past: len(past.turns), default=None)


def tidy(env: Mapping[str, str], agent_session_id: str) -> None:
    """Remove the empty files that loading leaves beside a conversation's own.

    Gemini 0.61 begins a second file of the same id when it loads one over ACP. Its next start finds that file empty and removes all
    files of this id, the conversation too. Removed is only what has this id, holds no word of anybody, and has an older file beside it.
    """
    if not _ID.fullmatch(agent_session_id):
        return
    for project in files.folders(home_of(env) / ".gemini" / "tmp"):
        ours = sorted(
            path
            for path in files.newest(project / "chats", (".jsonl",))
            if path.name.endswith(f"-{agent_session_id[:8]}.jsonl") and _session_id(path) == agent_session_id
        )
        for path in ours[1:]:
            messages, lines = _messages(Lines(path))
            if not lines.skipped and not lines.is_cut and all(_is_ours(message) for message in messages.values()):
                with suppress(OSError):
                    path.unlink()


def last_error(env: Mapping[str, str], agent_session_id: str, since: datetime) -> None:
    """It says over ACP why a turn failed."""


def _is_ours(message: Piece) -> bool:
    return message.get("type") == "user" and _prompt(message) == ""


def _session_id(path: Path) -> str:
    return str(next(iter(Lines(path, limit=files.MAX_LINE)), {}).get("sessionId", ""))


def _files(env: Mapping[str, str], folders: Folders) -> Iterator[tuple[str, Path]]:
    by_hash = {hashlib.sha256(folder.encode()).hexdigest(): folder for folder in folders.roots}
    for project in files.folders(home_of(env) / ".gemini" / "tmp"):
        folder = by_hash.get(project.name) or files.small(project / ".project_root").strip()
        if folder in folders and not (project / "chats").is_symlink():
            for path in files.newest(project / "chats", (".jsonl", ".json"))[:_MAX_LISTED]:
                if path.name.startswith("session-"):
                    yield folder, path


def _read(folder: str, path: Path) -> Past | None:
    if path.suffix == ".json":
        skipped, is_cut = 0, False
        head = _whole(path)
        messages = {str(place): message for place, message in enumerate(list_of(head.get("messages"))[-_MAX_MESSAGES:])}
    else:
        lines = Lines(path)
        head = next(iter(Lines(path, limit=files.MAX_LINE)), {})
        messages, _ = _messages(lines)
        skipped, is_cut = lines.skipped, lines.is_cut
    session_id, builder = str(head.get("sessionId", "")), Builder()
    for message in messages.values():
        _read_message(message, builder)
    if not _ID.fullmatch(session_id) or not builder.turns or head.get("kind") == "subagent":
        return None
    found = Found(
        agent_session_id=session_id, title=headline(builder.turns[0].prompt), folder=folder, turns=len(builder.turns),
        started_at=moment(head.get("startTime")) or builder.turns[0].at, updated_at=builder.turns[-1].ended_at,
    )  # fmt: skip
    return Past(found=found, turns=builder.turns, skipped=skipped, is_cut=is_cut or builder.is_cut)


def _whole(path: Path) -> dict[str, Any]:  # any JSON
    text = files.small(path, files.MAX_FILE)
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}


def _messages(lines: Lines) -> tuple[dict[str, Piece], Lines]:
    """As they are at the end of the file."""
    found: dict[str, Piece] = {}
    for entry in lines:
        replaced = object_of(entry.get("$set")).get("messages")
        given: Iterable[Piece] = [entry] if isinstance(entry.get("id"), str) else []
        if isinstance(replaced, list):
            found.clear()
            given = list_of(replaced)
        for message in given:
            if isinstance(message.get("id"), str) and (len(found) < _MAX_MESSAGES or message["id"] in found):
                found[message["id"]] = message
    return found, lines


def _prompt(message: Piece) -> str:
    content = message.get("content")
    texts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in list_of(content)]
    return "\n".join(text for text in texts if not text.lstrip().startswith(_NO_PROMPT)).strip()


def _read_message(message: Piece, builder: Builder) -> None:
    at = moment(message.get("timestamp"))
    if message.get("type") == "user":
        builder.prompt(_prompt(message), at)
    elif message.get("type") == "gemini":
        builder.model(message.get("model"))
        for thought in list_of(message.get("thoughts")):
            said = ": ".join(str(thought[name]) for name in ("subject", "description") if thought.get(name))
            builder.thought(said, at, message.get("id"))
        builder.text(message.get("content"), at, message.get("id"))
        for call in list_of(message.get("toolCalls")):
            name, given = str(call.get("name", ""))[:100], object_of(call.get("args"))
            builder.tool(
                moment(call.get("timestamp")) or at,
                call.get("id"),
                title=title_of(name, given),
                kind=_KINDS.get(name, "other"),
                status=_STATUSES.get(str(call.get("status")), "completed"),
                rawInput=given,
                rawOutput={"output": _output(call.get("result"))},
            )


def _output(result: object) -> str:
    answers = [object_of(object_of(part.get("functionResponse")).get("response")) for part in list_of(result)]
    return "\n".join(str(answer.get("output", answer.get("error", ""))) for answer in answers)
