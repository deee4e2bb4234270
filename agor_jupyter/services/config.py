"""What the administrator decided. Filled from the server extension's traits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.issues import IssueHost
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
    base_url: str = "/"
    """The path at which the Jupyter server answers."""
    database_url: str | None = None
    """Default: SQLite in the data directory."""
    agents: tuple[AgentType, ...] = ()
    """Agents added by configuration."""
    max_starting: int = 2
    """Agent processes that start at the same time."""
    max_running: int = 8
    """Agent processes that work at the same time; the rest wait in the queue."""
    max_tree_depth: int = 3
    """How many steps a session may be below the root of its tree."""
    max_children: int = 8
    """How many sessions that are not archived may be right below one."""
    max_agent_schedules: int = 5
    """How many schedules on one board agents may have that may start something, or wait for a person's yes. 0: they may make none."""
    agent_schedule_interval: timedelta = timedelta(minutes=15)
    """How far apart the moments of a schedule have to be that an agent makes."""
    agent_schedule_usd: float = 5.0
    """Dollars a day that a schedule may use at most that an agent makes."""
    concurrent_edits: Literal["allow", "warn", "refuse"] = "warn"
    """What happens when a second session would work in a worktree in which one works already."""
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
    environment_ports: tuple[int, int] = (21000, 21999)
    """The first and the last port that environments may have."""
    environment_idle_timeout: timedelta | None = timedelta(hours=8)
    """An environment that nobody has used for this long is stopped. `None`: never."""
    environment_memory_bytes: int | None = None
    """Of addresses, for each process of a service. `None`: what the server may."""
    environment_open_files: int | None = None
    """Of each process of a service. `None`: what the server may."""
    environment_cpu_s: int | None = None
    """Of each process of a service, since it began. `None`: what the server may."""
    environment_processes: int | None = 512
    """That a healthy service may have at once. One with more is stopped. `None`: any number."""
    environment_log_bytes: int = 8 << 20
    """Of each service."""
    environment_stop_grace: timedelta = timedelta(seconds=10)
    """How long a service may take to end before it is killed."""
    environments_outlive: bool = True
    """What runs in environments goes on when the server ends, for the next one to adopt. Not so with a private server."""
    backup_days: int = 30
    """How long what was in a worktree is kept that was removed although work would be lost. 0: for ever."""
    archive_caches: tuple[str, ...] = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")
    """Folders of these names, and such as say of themselves that they are caches, are not kept in an archive."""
    issue_providers: tuple[IssueHost, ...] = ()
    """Hosts whose issues are read, beside those that are known, or instead of them."""
    server_url: str | None = None
    """This server's address, as people reach it, for links in messages. `None`: they have none."""
    notify_window: timedelta = timedelta(seconds=30)
    """What comes for one destination within this time is one message."""
    notify_timeout: timedelta = timedelta(seconds=30)
    """How long sending one message may take."""
    issue_max_age: timedelta = timedelta(minutes=5)
    """How old a copy of an issue may be before its host is asked again."""
