"""Codex: `~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, whose first line names the folder."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

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

_MAX_LISTED = 1_000
_ID = re.compile(r"[0-9a-zA-Z-]{8,80}")
_KINDS = kinds(
    execute="exec_command shell local_shell exec write_stdin",
    edit="apply_patch",
    think="update_plan",
    fetch="web_search",
    read="view_image",
)
_NO_PROMPT = re.compile(r"\s*(?:<[a-z_]+>|# AGENTS\.md instructions)")
"""What the program itself says in a person's place stands in a tag."""
_EXIT = re.compile(r"(?:Process exited with code|Exit code:) (-?\d+)")


def find(env: Mapping[str, str], folders: Folders) -> list[Found]:
    return [past.found for folder, path in files.in_time(_files(env, folders)) if (past := _read(folder, path)) is not None]


def read(env: Mapping[str, str], folders: Folders, agent_session_id: str) -> Past | None:
    if not _ID.fullmatch(agent_session_id):
        return None
    found = (_read(folder, path) for folder, path in _files(env, folders) if agent_session_id in path.name)
    return next((past for past in found if past is not None and past.found.agent_session_id == agent_session_id), None)


def tidy(env: Mapping[str, str], agent_session_id: str) -> None:
    """Nothing to do."""


def last_error(env: Mapping[str, str], agent_session_id: str, since: datetime) -> None:
    """It says over ACP why a turn failed."""


def _files(env: Mapping[str, str], folders: Folders) -> Iterator[tuple[str, Path]]:
    root = Path(env.get("CODEX_HOME") or home_of(env) / ".codex") / "sessions"
    for path in files.newest(root, (".jsonl",), depth=3)[:_MAX_LISTED]:
        if path.name.startswith("rollout-"):
            first = next(iter(Lines(path, limit=files.MAX_LINE)), {})
            cwd = object_of(first.get("payload")).get("cwd")
            if isinstance(cwd, str) and cwd in folders:
                yield cwd, path


def _read(folder: str, path: Path) -> Past | None:
    lines, builder, session_id, started, model = Lines(path), Builder(), "", None, None
    for entry in lines:
        payload, at = object_of(entry.get("payload")), moment(entry.get("timestamp"))
        if entry.get("type") == "session_meta" and not session_id:
            session_id, started = str(payload.get("id", "")), at
        elif entry.get("type") == "turn_context":
            model = payload.get("model")
        elif entry.get("type") == "response_item":
            _read_item(payload, builder, at)
            builder.model(model)
    if not _ID.fullmatch(session_id) or not builder.turns:
        return None
    found = Found(
        agent_session_id=session_id, title=headline(builder.turns[0].prompt), folder=folder, turns=len(builder.turns),
        started_at=started or builder.turns[0].at, updated_at=builder.turns[-1].ended_at,
    )  # fmt: skip
    return Past(found=found, turns=builder.turns, skipped=lines.skipped, is_cut=lines.is_cut or builder.is_cut)


def _read_item(item: Piece, builder: Builder, at: datetime | None) -> None:
    match item.get("type"):
        case "message":
            _read_message(item, builder, at)
        case "reasoning":
            builder.thought("\n".join(str(part.get("text", "")) for part in list_of(item.get("summary"))), at, item.get("id"))
        case "function_call" | "custom_tool_call" | "local_shell_call":
            name = str(item.get("name", "local_shell"))[:100]
            given = _given(item)
            builder.tool(
                at, item.get("call_id"), title=title_of(name, given), kind=_KINDS.get(name, "other"), status="in_progress", rawInput=given
            )
        case "function_call_output" | "custom_tool_call_output":
            output = item.get("output")
            if isinstance(output, dict):
                output = output.get("content")
            text = output if isinstance(output, str) else "\n".join(str(part.get("text", "")) for part in list_of(output))
            found = _EXIT.search(text[:500])
            raw: dict[str, object] = {"output": text} | ({"exit_code": int(found[1])} if found else {})
            builder.tool(at, item.get("call_id"), status="failed" if found and found[1] != "0" else "completed", rawOutput=raw)


def _read_message(item: Piece, builder: Builder, at: datetime | None) -> None:
    blocks = list_of(item.get("content"))
    if item.get("role") == "user":
        texts = [str(block.get("text", "")) for block in blocks if block.get("type") == "input_text"]
        builder.prompt("\n".join(text for text in texts if not _NO_PROMPT.match(text)), at)
    elif item.get("role") == "assistant":
        builder.text("".join(str(block.get("text", "")) for block in blocks if block.get("type") == "output_text"), at, item.get("id"))


def _given(item: Piece) -> Piece:
    """What a tool was called with; custom tools take text, others JSON in a string."""
    if isinstance(item.get("input"), str):
        return {"input": item["input"]}
    if isinstance(item.get("action"), dict):
        return object_of(item["action"])
    try:
        return object_of(json.loads(str(item.get("arguments", "{}"))))
    except (ValueError, RecursionError):
        return {}
