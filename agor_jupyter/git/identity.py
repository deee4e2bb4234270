"""Who commits in a worktree, and whether commits are to be signed there: what git itself finds, for the person whose server this is.

Git reads the settings of the machine, of the person, and of the repository, with all that they include on conditions (`includeIf`). Of the
answer only a few keys are looked at, and their values are only ever data. Reading settings executes nothing.
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import run
from agor_jupyter.git.repository import TRUE, Repository, Setting, parse_settings

_KEYS = r"^((user|author|committer)\.(name|email)|commit\.gpgsign)$"
_FILTERS = r"^filter\..*\.(clean|smudge|process)$"
_SIGN = b"commit.gpgsign"
_NOTE = "identity.json"
_TIMEOUT_S = 10.0
"""A pipe in the place of a file would keep git for ever."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    settings: tuple[Setting, ...] = field(default=())
    """`user.name` and the like, each key once."""
    signs: bool = False

    @property
    def is_complete(self) -> bool:
        """Git commits under it without making something up."""
        known = {key for key, value in self.settings if value}
        return all(b"user." + part in known or {b"author." + part, b"committer." + part} <= known for part in (b"name", b"email"))


async def of(repository: Repository, worktree: Path | None = None) -> Identity:
    """As git resolves it in the worktree, or in the main checkout. Nothing is made up where it finds none."""
    git_dir = repository.common_dir
    if worktree is not None and repository.is_own(worktree):
        git_dir = repository.worktree_dir(worktree)
    found = await _settings(repository, git_dir, _KEYS)
    return Identity(
        settings=tuple((key, value) for key, value in found.items() if key != _SIGN and b"\n" not in value),
        signs=found.get(_SIGN, b"").lower() in TRUE,
    )


async def filters(repository: Repository) -> dict[str, dict[str, str]]:
    """The programs that a person's git would run for each filter: to be looked for, and never to be run."""
    found: dict[str, dict[str, str]] = {}
    for key, value in (await _settings(repository, repository.common_dir, _FILTERS)).items():
        name, _, kind = os.fsdecode(key).removeprefix("filter.").rpartition(".")
        if value:
            found.setdefault(name, {})[kind] = os.fsdecode(value)
    return found


async def _settings(repository: Repository, git_dir: Path, pattern: str) -> dict[bytes, bytes]:
    """What a person's git finds in the place; nothing if that takes too long."""
    output = None
    with contextlib.suppress(errors.GitFailed):
        output = await run.run(
            "read the settings",
            ["config", "-z", "--show-scope", "--includes", "--get-regexp", pattern],
            cwd=repository.view,
            pins={"GIT_DIR": str(git_dir)},
            is_personal=True,
            ok=(0, 1),
            timeout_s=_TIMEOUT_S,
        )
    parts = output.out.split(b"\0") if output is not None else []
    listed = [one for scope, one in zip(parts[::2], parts[1::2], strict=False) if scope != b"command"]  # that is what our own calls set
    return dict(parse_settings(b"\0".join(listed)))


async def is_signed(repository: Repository, commit: str) -> bool:
    """It carries a signature, whoever made it."""
    output = await repository.git("read the commit", "cat-file", "commit", commit, cap=1 << 20)
    return any(line.startswith((b"gpgsig ", b"gpgsig-sha256 ")) for line in output.out.partition(b"\n\n")[0].split(b"\n"))


def note(folder: Path, found: Identity) -> None:
    """Write down what the git of a sandbox was told."""
    (folder / _NOTE).write_text(json.dumps(plain(found)))


def noted(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / _NOTE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def plain(found: Identity) -> dict[str, str]:
    return {os.fsdecode(key): os.fsdecode(value) for key, value in found.settings}
