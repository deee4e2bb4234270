"""Claude Code: `~/.claude/projects/<folder>/<id>.jsonl`, one entry a line."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from agor_jupyter.agents.history import files
from agor_jupyter.agents.history.files import Lines
from agor_jupyter.agents.history.past import Builder, Found, Past, Piece, headline, home_of, kinds, list_of, moment, object_of, title_of

_MAX_LISTED = 200
_ID = re.compile(r"[0-9a-fA-F-]{8,80}")
_KINDS = kinds(
    execute="Bash",
    edit="Write Edit MultiEdit NotebookEdit",
    read="Read",
    search="Grep Glob",
    fetch="WebFetch WebSearch",
    think="TodoWrite",
)
_NO_PROMPT = ("<command-", "<local-command-", "<system-reminder>", "<task-notification>", "Caveat: ", "[Request interrupted")
_WANTED = (b'"type":"user"', b'"type":"ai-title"', b'"type": "user"', b'"type":"summary"')


def find(env: Mapping[str, str], folders: Collection[str]) -> list[Found]:
    found = []
    for folder, path in files.in_time(_files(env, folders)):
        lines, builder, title, times = Lines(path, only=_WANTED), Builder(), "", []
        is_here = False
        for entry in lines:
            title = _title(entry) or title
            if entry.get("isSidechain") is True:
                continue
            is_here = is_here or entry.get("cwd") == folder
            times += [at] if (at := moment(entry.get("timestamp"))) else []
            if (prompt := _prompt(entry)) is not None:
                builder.prompt(prompt, None)
        if is_here and builder.turns:
            first = headline(builder.turns[0].prompt)
            found.append(
                Found(
                    agent_session_id=path.stem, title=title or first, folder=folder, turns=len(builder.turns),
                    started_at=times[0] if times else None, updated_at=times[-1] if times else None,
                )
            )  # fmt: skip
    return found


def read(env: Mapping[str, str], folders: Collection[str], agent_session_id: str) -> Past | None:
    if not _ID.fullmatch(agent_session_id):
        return None
    listed = {path.stem: (folder, path) for folder, path in _files(env, folders)}
    if agent_session_id not in listed:
        return None
    folder, path = listed[agent_session_id]
    lines, builder, title, is_here = Lines(path), Builder(), "", False
    for entry in lines:
        title = _title(entry) or title
        is_here = is_here or entry.get("cwd") == folder
        if entry.get("isSidechain") is not True:
            _read_entry(entry, builder)
    if not is_here or not builder.turns:
        return None
    found = Found(
        agent_session_id=agent_session_id, title=title or headline(builder.turns[0].prompt), folder=folder, turns=len(builder.turns),
        started_at=builder.turns[0].at, updated_at=builder.turns[-1].ended_at,
    )  # fmt: skip
    return Past(found=found, turns=builder.turns, skipped=lines.skipped, is_cut=lines.is_cut or builder.is_cut)


def tidy(env: Mapping[str, str], agent_session_id: str) -> None:
    """Nothing to do."""


def last_error(env: Mapping[str, str], agent_session_id: str, since: datetime) -> None:
    """It says over ACP why a turn failed."""


def _files(env: Mapping[str, str], folders: Collection[str]) -> Iterator[tuple[str, Path]]:
    root = Path(env.get("CLAUDE_CONFIG_DIR") or home_of(env) / ".claude") / "projects"
    for folder in folders:
        place = root / re.sub(r"[^A-Za-z0-9]", "-", folder)
        if not place.is_symlink():
            for path in files.newest(place, (".jsonl",))[:_MAX_LISTED]:
                if _ID.fullmatch(path.stem):
                    yield folder, path


def _title(entry: Piece) -> str:
    title = {"ai-title": entry.get("aiTitle"), "summary": entry.get("summary")}.get(str(entry.get("type")))
    return headline(title) if isinstance(title, str) else ""


def _prompt(entry: Piece) -> str | None:
    """What a person said; `None` for all else that has their role."""
    if entry.get("type") != "user" or entry.get("isMeta") is True or entry.get("isCompactSummary") is True:
        return None
    content = object_of(entry.get("message")).get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list_of(content)
    if any(block.get("type") == "tool_result" for block in blocks):
        return None
    texts = [block["text"] for block in blocks if block.get("type") == "text" and isinstance(block.get("text"), str)]
    said = "\n".join(text for text in texts if not text.lstrip().startswith(_NO_PROMPT)).strip()
    return said or None


def _read_entry(entry: Piece, builder: Builder) -> None:
    at, message = moment(entry.get("timestamp")), object_of(entry.get("message"))
    if (prompt := _prompt(entry)) is not None:
        builder.prompt(prompt, at)
    elif entry.get("type") == "user":
        for block in list_of(message.get("content")):
            if block.get("type") == "tool_result":
                status = "failed" if block.get("is_error") is True else "completed"
                builder.tool(at, block.get("tool_use_id"), status=status, rawOutput={"output": _output(block.get("content"))})
    elif entry.get("type") == "assistant":
        builder.model(message.get("model") if message.get("model") != "<synthetic>" else None)
        for block in list_of(message.get("content")):
            match block.get("type"):
                case "text":
                    builder.text(block.get("text"), at, message.get("id"))
                case "thinking":
                    builder.thought(block.get("thinking"), at, message.get("id"))
                case "tool_use":
                    name, given = str(block.get("name", ""))[:100], object_of(block.get("input"))
                    builder.tool(
                        at,
                        block.get("id"),
                        title=title_of(name, given),
                        kind=_KINDS.get(name, "other"),
                        status="in_progress",
                        rawInput=given,
                    )


def _output(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", f"[{block.get('type')}]")) for block in list_of(content))
