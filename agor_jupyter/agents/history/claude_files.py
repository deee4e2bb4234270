"""Claude Code: `~/.claude/projects/<folder>/<id>.jsonl`, one entry a line."""

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

_MAX_LISTED = 200
_MAX_BELOW = 1_000
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


def find(env: Mapping[str, str], folders: Folders) -> list[Found]:
    found = []
    for path in files.in_time(_files(env, folders)):
        lines, builder, title, times, folder = Lines(path, only=_WANTED), Builder(), "", [], None
        for entry in lines:
            title = _title(entry) or title
            if entry.get("isSidechain") is True:
                continue
            folder = folder or _folder(entry, path)
            if folder is not None and folder not in folders:
                break
            times += [at] if (at := moment(entry.get("timestamp"))) else []
            if (prompt := _prompt(entry)) is not None:
                builder.prompt(prompt, None)
        if folder is not None and folder in folders and builder.turns:
            first = headline(builder.turns[0].prompt)
            found.append(
                Found(
                    agent_session_id=path.stem, title=title or first, folder=folder, turns=len(builder.turns),
                    started_at=times[0] if times else None, updated_at=times[-1] if times else None,
                )
            )  # fmt: skip
    return found


def read(env: Mapping[str, str], folders: Folders, agent_session_id: str) -> Past | None:
    if not _ID.fullmatch(agent_session_id):
        return None
    same = (path for path in _files(env, folders) if path.stem == agent_session_id)
    return next((past for path in same if (past := _read(folders, path)) is not None), None)


def _read(folders: Folders, path: Path) -> Past | None:
    lines, builder, title, folder = Lines(path), Builder(), "", None
    for entry in lines:
        title = _title(entry) or title
        if entry.get("isSidechain") is not True:
            folder = folder or _folder(entry, path)
            _read_entry(entry, builder)
    if folder is None or folder not in folders or not builder.turns:
        return None
    found = Found(
        agent_session_id=path.stem, title=title or headline(builder.turns[0].prompt), folder=folder, turns=len(builder.turns),
        started_at=builder.turns[0].at, updated_at=builder.turns[-1].ended_at,
    )  # fmt: skip
    return Past(found=found, turns=builder.turns, skipped=lines.skipped, is_cut=lines.is_cut or builder.is_cut)


def tidy(env: Mapping[str, str], agent_session_id: str) -> None:
    """Nothing to do."""


def last_error(env: Mapping[str, str], agent_session_id: str, since: datetime) -> None:
    """It says over ACP why a turn failed."""


def _files(env: Mapping[str, str], folders: Folders) -> Iterator[Path]:
    """Those of the folders themselves before those of what lies below, which may be many. Others may have the same name."""
    projects = Path(env.get("CLAUDE_CONFIG_DIR") or home_of(env) / ".claude") / "projects"
    roots = {_name(folder) for folder in folders.roots}
    exact = [projects / name for name in sorted(roots)]
    begins = tuple(f"{name}-" for name in roots)
    below = [place for place in files.folders(projects) if place.name not in roots and place.name.startswith(begins)]
    left = _MAX_BELOW
    for place in (*exact, *sorted(below)):
        if place.is_symlink() or left <= 0:
            continue
        found = [path for path in files.newest(place, (".jsonl",))[:_MAX_LISTED] if _ID.fullmatch(path.stem)]
        if place.name not in roots:
            found = found[:left]
            left -= len(found)
        yield from found


def _name(folder: str) -> str:
    """Of the folder below `projects`."""
    return re.sub(r"[^A-Za-z0-9]", "-", folder)


def _folder(entry: Piece, path: Path) -> str | None:
    """Where the conversation of this file began. Within it the program may have changed to another."""
    cwd = entry.get("cwd")
    return cwd if isinstance(cwd, str) and _name(cwd) == path.parent.name else None


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
