"""Sparse checkouts: a worktree of one is one too, with the same patterns, as `git worktree add` makes it.

Which files are left out is written in files that an agent can write. They are only ever data: a switch, and patterns of paths.
"""

import re
from pathlib import Path

from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.repository import TRUE, Repository, Setting, is_set, read_settings

PATTERNS = "info/sparse-checkout"
_MAX_BYTES = 4 * 1024 * 1024
_SWITCH = re.compile(rb"^\s*sparsecheckout\s*(?:=\s*(\S*))?\s*$", re.IGNORECASE | re.MULTILINE)
_CONE = re.compile(rb"^\s*sparsecheckoutcone\s*(?:=\s*(\S*))?\s*$", re.IGNORECASE | re.MULTILINE)


async def adopt(repository: Repository, worktree: Path) -> bool:
    """Make a worktree that has no files yet as sparse as the main checkout is. Says whether that is so."""
    await repository.refresh()
    settings = dict(repository.own)
    if is_set(settings, b"extensions.worktreeconfig"):
        settings |= dict(await read_settings(repository.common_dir / "config.worktree"))
    if not is_set(settings, b"core.sparsecheckout"):
        return False
    patterns = read_beneath(repository.common_dir, PATTERNS, _MAX_BYTES)
    if patterns is None:
        return False
    own = repository.worktree_dir(worktree)
    (own / "info").mkdir(exist_ok=True)
    (own / PATTERNS).write_bytes(patterns)
    cone = b"true" if is_set(settings, b"core.sparsecheckoutcone") else b"false"
    (own / "config.worktree").write_bytes(b"[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = " + cone + b"\n")
    return True


def settings(repository: Repository, worktree: Path) -> list[Setting]:
    """What git has to know to fill the worktree or its index. Empty: it is not sparse. No process."""
    own = repository.worktree_dir(worktree)
    text = read_beneath(own, "config.worktree", 65_536)
    if text is None or read_beneath(own, PATTERNS, _MAX_BYTES) is None or not _says(_SWITCH, text):
        return []
    return [(b"core.sparsecheckout", b"true"), (b"core.sparsecheckoutcone", b"true" if _says(_CONE, text) else b"false")]


def options(repository: Repository, worktree: Path) -> list[str]:
    """The same for a command line."""
    return [part for key, value in settings(repository, worktree) for part in ("-c", f"{key.decode()}={value.decode()}")]


def copy(repository: Repository, worktree: Path, own: Path) -> None:
    """Give another git folder of the worktree, which nobody has seen yet, the same patterns."""
    patterns = read_beneath(repository.worktree_dir(worktree), PATTERNS, _MAX_BYTES)
    if patterns is not None:
        (own / "info").mkdir(exist_ok=True)
        (own / PATTERNS).write_bytes(patterns)


def _says(switch: "re.Pattern[bytes]", text: bytes) -> bool:
    found = switch.findall(text)
    return bool(found) and (found[-1] or b"true").strip(b'"').lower() in TRUE
