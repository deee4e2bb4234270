"""Clone a URL that was checked before, and tell how far it is."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from agor_jupyter.domain.repos import CloneProgress
from agor_jupyter.git import run

_PROGRESS = re.compile(r"(?:remote: )?([A-Z][A-Za-z ]+):\s+(\d{1,3})%")


def forget(target: Path) -> None:
    """Remove what an attempt that nobody has used left behind."""
    for folder in (_temporary(target), target):
        shutil.rmtree(folder, ignore_errors=True)


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


async def clone(url: str, target: Path, protocols: Sequence[str], timeout_s: float, on_progress: Callable[[CloneProgress], None]) -> None:
    """Clone into `target`, which is not there before and is there after success only. `on_progress` is called from another thread."""
    target.parent.mkdir(parents=True, exist_ok=True)
    forget(target)
    temporary = _temporary(target)
    rest = b""

    def read(piece: bytes) -> None:
        nonlocal rest
        *lines, rest = re.split(rb"[\r\n]", rest + piece)
        for line in reversed(lines):
            if found := _PROGRESS.match(line.decode("utf-8", "replace")):
                on_progress(CloneProgress(phase=found[1].strip(), percent=min(100, int(found[2]))))
                break
        rest = rest[-1000:]

    try:
        await run.run(
            "clone the repository",
            ["clone", "--progress", "--no-recurse-submodules", "--template=", "--origin=origin", "--", url, str(temporary)],
            cwd=target.parent,
            protocols=protocols,
            is_personal=True,
            timeout_s=timeout_s,
            on_progress=read,
        )
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
