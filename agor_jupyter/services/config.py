"""What the administrator decided. Filled from the server extension's traits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.parking import Schedule


@dataclass(frozen=True, kw_only=True)
class Config:
    data_dir: Path
    key_file: Path | None = None
    """Where the key lies that variables are encrypted with, unless a keyring has it. `None`: none can be set."""
    only_account: str | None = None
    """Whose all variables are, on a server that knows no people. `None`: each person has their own."""
    root_dir: Path
    """The Jupyter server's root; boards lie under it."""
    allowed_roots: tuple[Path, ...]
    """Local repositories may be registered only under these."""
    database_url: str | None = None
    """Default: SQLite in the data directory."""
    agents: tuple[AgentType, ...] = ()
    """Agents added by configuration."""
    max_starting: int = 2
    """Agent processes that start at the same time."""
    max_running: int = 8
    """Agent processes that work at the same time; the rest wait in the queue."""
    permission_timeout: timedelta | None = None
    """How long a question waits. `None`: for ever. After it, the answer is no."""
    idle_timeout: timedelta = timedelta(minutes=10)
    """A session at rest gives up its process after this."""
    quiet_time: timedelta = timedelta(seconds=10)
    """An agent that went on by itself is believed to have ended when nothing was heard of it for this long."""
    background_timeout: timedelta = timedelta(hours=1)
    """What an agent does in the background keeps its process while something is heard of it within this time."""
    stall_timeout: timedelta = timedelta(minutes=10)
    """A running turn of which nothing was heard for this long gets a notice."""
    prices: Mapping[str, object] = field(default_factory=dict)
    """By model: dollars for a million tokens, beside or instead of those of the packaged table."""
    retries: Schedule = field(default_factory=Schedule)
    """When a turn is tried again whose model could not be reached or takes no more for now."""
    text_interval: timedelta = timedelta(milliseconds=50)
    """Pieces of text are joined this long before they are stored."""
    snapshot_bytes: int = 256 * 1024 * 1024
    """How much of changed files is looked into before and after a turn; what is larger is left out of what the turn changed."""
    pass_env: tuple[str, ...] = ()
    """Names of further variables of the server that agents may see."""
    sandbox: Literal["auto", "off", "required"] = "auto"
    """Whether agents run in a sandbox: where it works, never, or not without."""
    trust_project_files: bool = False
    """Whether agents obey what a worktree's files tell them, such as settings and hooks, although nobody has trusted that."""
    sandbox_read: tuple[Path, ...] = ()
    """What they may read there beside their worktree and the system."""
    sandbox_write: tuple[Path, ...] = ()
    """What they may read and write there beside their worktree."""
    sandbox_devices: tuple[str, ...] = ()
    """What they may use there of this machine's devices: `gpu`, or paths."""
    clone_protocols: tuple[str, ...] = ("https", "ssh")
    """What a URL to clone may use. `file` exists for tests."""
    clone_timeout: timedelta = timedelta(minutes=30)
    git_timeout: timedelta = timedelta(minutes=2)
    setup_timeout: timedelta = timedelta(minutes=15)
    backup_days: int = 30
    """How long what was in a worktree is kept that was removed although work would be lost. 0: for ever."""
    archive_caches: tuple[str, ...] = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")
    """Folders of these names, and such as say of themselves that they are caches, are not kept in an archive."""
