"""What was asked and what was answered, in order, one JSON line each, written through at once.

As in Jepsen: `invoke`, then `ok` (acknowledged), `fail` (refused: no effect) or `info` (unknown: either is allowed).
"""

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    at: float
    kind: str
    op: int
    action: str
    request: dict[str, Any] = field(default_factory=dict)
    answer: Any = None


class History:
    def __init__(self, path: Path) -> None:
        self.path, self.entries, self._lock, self._ops = path, [], threading.Lock(), 0

    def invoke(self, action: str, **request: Any) -> int:
        with self._lock:
            self._ops += 1
            op = self._ops
        self._add(Entry(time.time(), "invoke", op, action, request))
        return op

    def finish(self, op: int, kind: str, action: str, answer: Any = None, **request: Any) -> None:
        self._add(Entry(time.time(), kind, op, action, request, answer))

    def note(self, action: str, **request: Any) -> None:
        self._add(Entry(time.time(), "note", 0, action, request))

    def _add(self, entry: Entry) -> None:
        with self._lock:
            self.entries.append(entry)
            with self.path.open("a") as file:
                file.write(json.dumps(asdict(entry)) + "\n")

    def acknowledged(self, action: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == "ok" and entry.action == action]
