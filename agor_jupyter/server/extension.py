"""The Jupyter Server extension: its configuration, its routes, its life. Loads nothing but tornado.

It is long because half of it is a table: each setting is a trait with its default, unit and help, which traitlets reads from one class.
"""

import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Dict, Enum, Float, Integer, List, TraitError, Unicode, validate

from agor_jupyter._assets import STATIC, bundle_hash
from agor_jupyter.domain import errors
from agor_jupyter.server.base import NothingHere, knows_people
from agor_jupyter.server.handlers.mcp import McpHandler
from agor_jupyter.server.hooks import Hook
from agor_jupyter.server.lifetime import Lifetime
from agor_jupyter.server.opening import OpenLink
from agor_jupyter.server.routes import MODULES, ROUTES, handler_of
from agor_jupyter.server.stream import Stream

_PRIVATE_STOP_S = 2.0
"""How long a service may take to end with a private server, which has few seconds itself."""


class Bundle(FileFindHandler):
    """The front end's files. Public, because a page behind JupyterHub cannot import a module that asks for a login; they hold no data."""

    def set_headers(self) -> None:
        super().set_headers()
        is_current = bundle_hash() and self.get_query_argument("v", "") == bundle_hash()
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if is_current else "no-cache")

    def get_content_type(self) -> str:
        return "text/javascript" if str(self.absolute_path).endswith(".js") else str(super().get_content_type())

    @allow_unauthenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        await super().get(path, include_body)

    @allow_unauthenticated
    async def head(self, path: str) -> None:
        await super().get(path, False)


class AgorApp(ExtensionApp):
    """Agor for Jupyter: git worktrees and AI coding agents on shared boards."""

    name = "agor_jupyter"
    app_name = "Agor for Jupyter"
    extension_url = "/agor"
    load_other_extensions = True

    data_dir = Unicode(
        "",
        help=(
            "Folder for the database, worktrees and logs. Empty, the default: `agor` in Jupyter's data folder. AGOR_DATA_DIR overrides it."
        ),
    ).tag(config=True)
    allowed_roots = List(
        Unicode(),
        help="Folders in which local repositories may be registered. Empty, the default: the server's root folder.",
    ).tag(config=True)
    key_file = Unicode(
        "",
        help=(
            "File with the key that encrypts variables, on a machine without a keyring. It must be outside the data folder. Empty, "
            "the default: `agor/key` in JUPYTER_CONFIG_DIR, otherwise in `~/.jupyter`. AGOR_KEY_FILE overrides it."
        ),
    ).tag(config=True)
    database_url = Unicode(
        "", help="SQLAlchemy URL of the database, which must be on a local disk. Empty, the default: an SQLite file in the data folder."
    ).tag(config=True)
    agents = List(
        Dict(),
        help=(
            "Additional agents that speak the Agent Client Protocol over stdio, each as a dict with `name`, `label`, `icon`, "
            "`command` (a list) and, optionally, other fields, most of them in dicts by subject such as `sign_in`. An entry with a known "
            "agent's name replaces that agent. Default: none."
        ),
    ).tag(config=True)
    pass_env = List(
        Unicode(),
        help="Names of additional environment variables of the server that agents may see. Default: none. Nothing else is passed on.",
    ).tag(config=True)
    max_starting = Integer(2, min=1, help="How many agent processes may start at the same time. Default 2, at least 1.").tag(config=True)
    max_running = Integer(
        8, min=1, help="How many agents may work at the same time; further prompts wait in their queues. Default 8, at least 1."
    ).tag(config=True)
    max_tree_depth = Integer(
        3, min=0, help="How many levels of sessions may be spawned below a session that nobody spawned. Default 3. 0: none."
    ).tag(config=True)
    max_children = Integer(8, min=0, help="How many sessions that are not archived may be directly below one. Default 8. 0: none.").tag(
        config=True
    )
    max_agent_schedules = Integer(
        5,
        min=0,
        help="How many schedules on one board agents may have that start something or wait for a person's yes. Default 5. 0: none.",
    ).tag(config=True)
    agent_schedule_interval_s = Float(
        900, min=60, help="Seconds that have to lie between two times of a schedule that an agent makes. Default 900, which is 15 minutes."
    ).tag(config=True)
    agent_schedule_usd = Float(
        5.0, min=0.01, help="Dollars that a schedule that an agent makes may use in a day at most. Default 5, at least 0.01."
    ).tag(config=True)
    concurrent_edits = Enum(
        ("allow", "warn", "refuse"),
        "warn",
        help=(
            "What happens when a session is about to work in a worktree where another one is working. `warn`, the default: it works, and "
            "its transcript has a notice. `allow`: it works. `refuse`: its prompt is refused. Side questions are always allowed."
        ),
    ).tag(config=True)
    permission_timeout_s = Float(
        0, min=0, help="Seconds that an agent's question waits before it is answered with no. Default 0: it waits forever."
    ).tag(config=True)
    idle_timeout_s = Float(
        600, min=0, help="Seconds after which an idle session gives up its process. Default 600. 0: as soon as a turn has ended."
    ).tag(config=True)
    quiet_s = Float(
        10,
        min=0,
        help=(
            "Seconds without text, a tool or a question after which an agent that continued by itself after its turn is considered "
            "finished; four times as long while it is the model's turn to speak. Default 10. 0: at once."
        ),
    ).tag(config=True)
    background_timeout_s = Float(
        3600,
        min=0,
        help=(
            "Seconds for which an agent's process is kept for its background work, counted from when it was last heard from. "
            "Default 3600. 0: no longer than for any idle session."
        ),
    ).tag(config=True)
    stall_timeout_s = Float(
        600,
        min=0,
        help="Seconds without a sign of life after which a running turn shows a notice; it is not stopped. Default 600. 0: at once.",
    ).tag(config=True)
    prices = Dict(
        help=(
            "Prices for estimates, by model (`*` stands for anything), each a dict with `input`, `output` and, optionally, "
            "`cached_read` and `cached_write`, in US dollars per million tokens. They extend the packaged table or replace its "
            "entries. Default: none."
        )
    ).tag(config=True)
    retry_first_s = Float(
        15,
        min=0,
        help=(
            "Seconds before a turn is retried when the model cannot be reached or accepts no requests for now; each further attempt"
            " waits twice as long. If the provider says when it accepts requests again, that time is used. Default 15. 0: at once."
        ),
    ).tag(config=True)
    retry_longest_s = Float(600, min=0, help="Longest time between two such attempts, in seconds. Default 600.").tag(config=True)
    max_retries = Integer(
        8, min=0, help="How many times a turn is retried automatically before it fails. Default 8. 0: it fails at once."
    ).tag(config=True)
    text_interval_ms = Integer(
        50,
        min=0,
        help=("Milliseconds for which pieces of an agent's text are collected before they are stored and sent. Default 50. 0: not at all."),
    ).tag(config=True)
    sandbox = Enum(
        ("auto", "off", "required"),
        "auto",
        help=(
            "Whether agents run in a sandbox, which needs bubblewrap. `auto`, the default: where it works. `off`: never. "
            "`required`: no agent starts without it."
        ),
    ).tag(config=True)
    trust_project_files = Bool(
        False,
        help=(
            "Whether agents load the agent instruction files of any worktree, such as CLAUDE.md, settings, hooks and MCP servers, "
            "even if no owner has trusted their content. Default: no, an owner is asked. Say yes only on a server that never sees "
            "other people's repositories."
        ),
    ).tag(config=True)
    sandbox_read = List(
        Unicode(),
        help=(
            "Folders and files that agents may read in the sandbox, such as `/data` or `~/.dbt`. Default: none but the system's programs."
        ),
    ).tag(config=True)
    sandbox_write = List(
        Unicode(), help="Folders and files that agents may read and change in the sandbox, in addition to their worktree. Default: none."
    ).tag(config=True)
    sandbox_devices = List(
        Unicode(),
        help=(
            "Devices that agents may use in the sandbox: `gpu` for all GPUs of the machine, or paths such as `/dev/ttyUSB0`. Each "
            "session says which it has. Default: none."
        ),
    ).tag(config=True)
    snapshot_mib = Integer(
        256,
        min=1,
        help=(
            "Mebibytes of changed files that are compared before and after a turn. Whatever exceeds this is left out of the turn's "
            "changes, with a notice, and so is any file larger than 64. Default 256, at least 1."
        ),
    ).tag(config=True)
    git_timeout_s = Float(120, min=1, help="Seconds that a single git command may take, apart from a clone. Default 120, at least 1.").tag(
        config=True
    )
    clone_timeout_s = Float(1800, min=1, help="Seconds that a clone may take. Default 1800, at least 1.").tag(config=True)
    setup_timeout_s = Float(900, min=1, help="Seconds that a worktree's setup commands may take. Default 900, at least 1.").tag(config=True)
    backup_days = Integer(
        30,
        min=0,
        help="Days for which everything in a worktree is kept after it was removed with work in it. Default 30. 0: forever.",
    ).tag(config=True)
    archive_caches = List(
        Unicode(),
        ["__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"],
        help=(
            "Names of folders that an archive leaves out if nothing in them is tracked. Folders that a CACHEDIR.TAG marks as caches"
            " are left out too; environments and node_modules are kept unless they are named here. Default: Python's caches."
        ),
    ).tag(config=True)

    issue_providers = List(
        Dict(),
        help=(
            "Hosts whose issues and pull requests are read for templates, each a dict with `host`, `kind` (`github` or `gitlab`) and, "
            "optionally, `base_url` (of its API) and `token_variable` (the name of the server's environment variable that holds a token). "
            "github.com and gitlab.com are known without a token; an entry for one of them replaces it. Default: none."
        ),
    ).tag(config=True)
    issue_max_age_s = Float(
        300, min=0, help="Seconds after which a copy of an issue or pull request is read again when it is needed. Default 300. 0: always."
    ).tag(config=True)
    notify_url = Unicode(
        "",
        help=(
            "This server's address, as people reach it in a browser, for links in notifications, such as "
            "https://hub.example.org/user/ann/. Empty, the default: what Jupyter or JupyterHub says."
        ),
    ).tag(config=True)
    notify_window_s = Float(
        30, min=0, help="Seconds for which notifications to one destination are collected into one message. Default 30. 0: not at all."
    ).tag(config=True)
    notify_timeout_s = Float(
        30, min=1, help="Seconds that sending a single notification may take before it counts as failed. Default 30, at least 1."
    ).tag(config=True)
    environment_ports = Unicode(
        "21000-21999",
        help=(
            "First and last port of this machine that the services of worktrees may have. Each worktree gets its own. Default 21000-21999."
        ),
    ).tag(config=True)
    environment_idle_timeout_s = Float(
        28_800,
        min=0,
        help=(
            "Seconds after which an environment is stopped that nobody has used: no connection to what its links "
            "open, no look at its logs, no command. Default 28800, which is 8 hours. 0: never."
        ),
    ).tag(config=True)
    environment_memory_mib = Integer(
        0, min=0, help="Mebibytes of addresses that each process of a service may have. Default 0: as many as the server."
    ).tag(config=True)
    environment_open_files = Integer(
        0, min=0, help="How many files each process of a service may have open. Default 0: as many as the server."
    ).tag(config=True)
    environment_cpu_s = Integer(
        0,
        min=0,
        help=(
            "Seconds of processor that each process of a service may use from its start; the kernel ends one that uses more. "
            "Default 0: as many as the server."
        ),
    ).tag(config=True)
    environment_processes = Integer(
        512,
        min=0,
        help=(
            "How many processes a healthy service may have at once. They are counted every 10 s, and a service with more is "
            "stopped. Default 512. 0: any number."
        ),
    ).tag(config=True)
    environment_log_mib = Integer(
        8,
        min=1,
        help="Mebibytes of each service's log that are kept; the oldest half is dropped when they are full. Default 8, at least 1.",
    ).tag(config=True)
    environment_stop_s = Float(
        10, min=0, help="Seconds that a service may take to end before it is killed. Default 10. 0: it is killed at once."
    ).tag(config=True)

    lifetime: Lifetime
    mcp: Any
    """The `McpApp`, once the services are open; importing its type here would load it."""

    def initialize_settings(self) -> None:
        self.lifetime = Lifetime(self._open_services, warm=("agor_jupyter.services.app", *MODULES))
        self.server.web_app.settings.setdefault("page_config_data", {})["agorBundle"] = bundle_hash()
        self.settings.update({"agor": self.lifetime, "agor_app": self})
        # Kernels and terminals inherit it; so they find this server and no other.
        os.environ["AGOR_SERVER_FILE"] = self.server.info_file
        self._show_kernels()

    def _show_kernels(self) -> None:
        """Kernel spec managers search the worktrees' specs too: this server's, whichever class it has, and those of its kernels."""
        shared = str(self.data_path / "jupyter")
        paths = [path for path in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if path]
        if shared not in paths:
            os.environ["JUPYTER_PATH"] = os.pathsep.join([*paths, shared])
        manager: Any = self.server.kernel_spec_manager  # a gateway's has no folders
        folder = str(Path(os.path.realpath(self.data_path)) / "jupyter" / "kernels")
        if hasattr(manager, "kernel_dirs") and folder not in manager.kernel_dirs:
            manager.kernel_dirs = [*manager.kernel_dirs, folder]

    def initialize_handlers(self) -> None:
        self.handlers.extend((route.pattern, handler_of(route)) for route in ROUTES)
        self.handlers.append((r"/agor/api/stream", Stream))
        self.handlers.append((r"/agor/mcp", McpHandler))
        self.handlers.append((r"/agor/hooks/([^/]+)", Hook))
        self.handlers.append((r"/agor/open/([^/]+)/([^/]+)", OpenLink))
        self.handlers.append((r"/agor/static/(.*)", Bundle, {"path": [str(STATIC)]}))
        self.handlers.append((r"/agor/api(?:/.*)?", NothingHere))

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        if "jupyter_server_ydoc" in sys.modules:  # before anybody's browser comes back to a notebook
            from agor_jupyter.server import merging

            merging.install()
        self.lifetime.start()

    async def stop_extension(self) -> None:
        await self.lifetime.close()

    @validate("sandbox_devices")
    def _check_devices(self, proposal: Any) -> Any:
        for name in proposal["value"]:
            if name != "gpu" and not (name.startswith("/dev/") and ".." not in Path(name).parts):
                raise TraitError(f"AgorApp.sandbox_devices: {name!r} is neither `gpu` nor the path of a device, such as /dev/ttyUSB0.")
        return proposal["value"]

    @validate("environment_ports")
    def _check_ports(self, proposal: Any) -> Any:
        first, _, last = proposal["value"].partition("-")
        if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
            raise TraitError(f"AgorApp.environment_ports: {proposal['value']!r} is no range of ports, such as 21000-21999.")
        return proposal["value"]

    @property
    def server(self) -> ServerApp:
        assert self.serverapp is not None  # linked before anything of ours runs
        return self.serverapp

    @property
    def data_path(self) -> Path:
        """Where everything is kept."""
        chosen = os.environ.get("AGOR_DATA_DIR") or self.data_dir or Path(jupyter_data_dir()) / "agor"
        return Path(chosen).expanduser().absolute()

    @property
    def key_path(self) -> Path:
        """Where the key of the variables is. It does not move with Jupyter's settings, or a private server would make another one."""
        folder = os.environ.get("JUPYTER_CONFIG_DIR") or "~/.jupyter"
        chosen = os.environ.get("AGOR_KEY_FILE") or self.key_file or f"{folder}/agor/key"
        return Path(chosen).expanduser().absolute()

    @property
    def public_address(self) -> str | None:
        """Where people reach this server in a browser, without its token. `None`: it is behind a hub that does not say."""
        if chosen := self.notify_url or os.environ.get("JUPYTERHUB_PUBLIC_URL"):
            return chosen
        if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
            return None
        parts = urlsplit(self.server.public_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{self.server.base_url}"

    @property
    def root_path(self) -> Path:
        return Path(self.server.root_dir).expanduser().absolute()

    @asynccontextmanager
    async def _open_services(self) -> AsyncIterator[Any]:
        from agor_jupyter.mcp.app import OPEN, McpApp
        from agor_jupyter.server import guard, merging
        from agor_jupyter.server.notebooks import JupyterNotebooks
        from agor_jupyter.server.rooms import JupyterRooms
        from agor_jupyter.services.app import Agor

        guard.install()
        merging.install()
        self.mcp = McpApp()
        mcp_url = f"{self.server.connection_url.rstrip('/')}/agor/mcp"
        agor = Agor(
            self.services_config(),
            rooms=JupyterRooms(self.server),
            jupyter=JupyterNotebooks(self.server),
            mcp_url=mcp_url,
            warm_mcp=self.mcp.warm,
        )
        async with contextlib.aclosing(self.mcp), agor:
            agor.lock.announce(self.server.connection_url, self.server.info_file)
            # A hub stops servers at rest; one whose agents work is not, though nobody may look at it.
            seen = self.server.web_app.settings["last_activity_times"]
            agor.store.listen(lambda _: seen.update({self.name: datetime.now(UTC)}))
            OPEN.append(agor)
            merging.KEEPERS[self.root_path] = agor.merges
            try:
                yield agor
            finally:
                del merging.KEEPERS[self.root_path]
                OPEN.remove(agor)

    def _agent(self, entry: dict[str, Any]) -> Any:
        """Raises `Misconfigured`."""
        from pydantic import ValidationError

        from agor_jupyter.domain.agents import AgentType

        try:
            return AgentType.model_validate(entry)
        except ValidationError as error:
            name = str(entry.get("name", ""))[:60]
            raise errors.Misconfigured("AgorApp.agents", [f"{name!r}: {line}" for line in errors.problems(error)]) from None

    def _issue_host(self, entry: dict[str, Any]) -> Any:
        """Raises `Misconfigured`."""
        from pydantic import ValidationError

        from agor_jupyter.domain.issues import IssueHost

        try:
            return IssueHost.model_validate(entry)
        except ValidationError as error:
            name = str(entry.get("host", ""))[:60]
            raise errors.Misconfigured("AgorApp.issue_providers", [f"{name!r}: {line}" for line in errors.problems(error)]) from None

    def services_config(self) -> Any:
        """The `Config` of the services. Importing its type here would load the records."""
        from agor_jupyter.domain.parking import Schedule
        from agor_jupyter.services.config import Config

        is_private = "AGOR_PARENT" in os.environ  # `server/private.py`
        stop_s = min(self.environment_stop_s, _PRIVATE_STOP_S) if is_private else self.environment_stop_s
        return Config(
            data_dir=self.data_path,
            key_file=self.key_path,
            only_account=None if knows_people(self.server.identity_provider) else self.lifetime.owner,
            root_dir=self.root_path,
            base_url=self.server.base_url,
            allowed_roots=tuple(Path(root).expanduser().absolute() for root in self.allowed_roots) or (self.root_path,),
            database_url=self.database_url or None,
            agents=tuple(self._agent(entry) for entry in self.agents),
            max_starting=self.max_starting,
            max_running=self.max_running,
            max_tree_depth=self.max_tree_depth,
            max_children=self.max_children,
            max_agent_schedules=self.max_agent_schedules,
            agent_schedule_interval=timedelta(seconds=self.agent_schedule_interval_s),
            agent_schedule_usd=self.agent_schedule_usd,
            concurrent_edits=self.concurrent_edits,  # type: ignore[arg-type]  # the trait has checked it
            permission_timeout=timedelta(seconds=self.permission_timeout_s) if self.permission_timeout_s else None,
            idle_timeout=timedelta(seconds=self.idle_timeout_s),
            quiet_time=timedelta(seconds=self.quiet_s),
            background_timeout=timedelta(seconds=self.background_timeout_s),
            stall_timeout=timedelta(seconds=self.stall_timeout_s),
            prices=dict(self.prices),
            retries=Schedule(
                first=timedelta(seconds=self.retry_first_s), longest=timedelta(seconds=self.retry_longest_s), attempts=self.max_retries
            ),
            text_interval=timedelta(milliseconds=self.text_interval_ms),
            pass_env=tuple(self.pass_env),
            sandbox=self.sandbox,  # type: ignore[arg-type]  # the trait has checked it
            trust_project_files=self.trust_project_files,
            sandbox_read=tuple(Path(path).expanduser().absolute() for path in self.sandbox_read),
            sandbox_write=tuple(Path(path).expanduser().absolute() for path in self.sandbox_write),
            sandbox_devices=tuple(self.sandbox_devices),
            snapshot_bytes=self.snapshot_mib * 1024 * 1024,
            git_timeout=timedelta(seconds=self.git_timeout_s),
            clone_timeout=timedelta(seconds=self.clone_timeout_s),
            setup_timeout=timedelta(seconds=self.setup_timeout_s),
            environment_ports=(int(self.environment_ports.partition("-")[0]), int(self.environment_ports.partition("-")[2])),
            environment_idle_timeout=timedelta(seconds=self.environment_idle_timeout_s) if self.environment_idle_timeout_s else None,
            environment_memory_bytes=(self.environment_memory_mib << 20) or None,
            environment_open_files=self.environment_open_files or None,
            environment_cpu_s=self.environment_cpu_s or None,
            environment_processes=self.environment_processes or None,
            environment_log_bytes=self.environment_log_mib << 20,
            environment_stop_grace=timedelta(seconds=stop_s),
            environments_outlive=not is_private,
            backup_days=self.backup_days,
            archive_caches=tuple(self.archive_caches),
            issue_providers=tuple(self._issue_host(entry) for entry in self.issue_providers),
            issue_max_age=timedelta(seconds=self.issue_max_age_s),
            server_url=None if is_private else self.public_address,
            notify_window=timedelta(seconds=self.notify_window_s),
            notify_timeout=timedelta(seconds=self.notify_timeout_s),
        )


main = AgorApp.launch_instance
