"""Puts the records of `records/` where each agent keeps its own: made by real runs, for a folder and a home of a test."""

import os
import re
import sqlite3
from pathlib import Path

RECORDS = Path(__file__).with_name("records")
IDS = {
    "claude": "af5379f3-6d8d-4631-a03f-fb8befb564ce",
    "codex": "01a2159f-0969-75b3-82c7-b32f66d3e993",
    "gemini": "d36ec5cc-e820-4296-a937-acbef68ec865",
    "opencode": "ses_dea60b12cffezDufbc5caDssiW",
}


def place(name: str, home: Path, folder: Path | str, *, extra: str = "") -> Path:
    """The file, with `extra` at its end."""
    path = {
        "claude": home / ".claude" / "projects" / re.sub(r"[^A-Za-z0-9]", "-", str(folder)) / f"{IDS['claude']}.jsonl",
        "codex": home / ".codex/sessions/2026/11/26" / f"rollout-2026-11-26T02-11-13-{IDS['codex']}.jsonl",
        "gemini": home / ".gemini/tmp/project/chats" / f"session-2026-11-26T02-11-{IDS['gemini'][:8]}.jsonl",
        "opencode": home / ".local/share/opencode/opencode.db",
    }[name]
    path.parent.mkdir(parents=True)
    [record] = RECORDS.glob(f"{name}.*")
    text = record.read_text().replace("/home/ann/project", str(folder)) + extra
    if name == "opencode":
        with sqlite3.connect(path) as database:
            database.executescript(text)
        database.close()
    else:
        path.write_text(text)
    if name == "gemini":
        (path.parents[1] / ".project_root").write_text(str(folder))
    return path


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"]}
