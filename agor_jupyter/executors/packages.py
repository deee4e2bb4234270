"""Makes Python environments with `uv`: from its shared cache, with hard links where the file system has them."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agor_jupyter.executors import environment
from agor_jupyter.processes import once

_TAIL = 1_500
_MAX_OUTPUT = 4 << 20
_PROGRESS = re.compile(rb"^((?:Resolved|Prepared|Installed|Audited|Uninstalled) \d+ packages?)", re.MULTILINE)


def find_uv() -> str | None:
    """The one that is installed beside the server, else the one on PATH."""
    try:
        from uv import find_uv_bin
    except ImportError:
        return shutil.which("uv")
    try:
        return find_uv_bin()
    except FileNotFoundError:
        return shutil.which("uv")


async def run(
    uv: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    on_progress: Callable[[str], None] | None = None,
) -> str | None:
    """`None`: it went well. Otherwise why not, with what it wrote last. It sees what an installer may, and `env`.

    `on_progress` is told how far it is, such as “Resolved 31 packages”, from another thread.

    Raises `OSError` when it cannot be started.
    """
    known = environment.for_installer() | {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", **env}

    def tell(piece: bytes) -> None:
        if on_progress is not None:
            for found in _PROGRESS.findall(piece):
                on_progress(found.decode())

    try:
        ended = await once.run([uv, *arguments], cwd=cwd, env=known, timeout_s=timeout_s, cap=_MAX_OUTPUT, on_progress=tell)
    except TimeoutError:
        return f"it took longer than {timeout_s:g} s and was stopped"
    if ended.code == 0 and not ended.is_cut:
        return None
    return f"it failed with code {ended.code}: {ended.err.decode('utf-8', 'replace')[-_TAIL:].strip()}"
