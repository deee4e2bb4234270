"""Run git, and only git: argument lists, a scrubbed environment, a deadline, a cap on what it says.

A thread waits for the process, so that neither a full pipe nor a slow exit touches the event loop. Cancelling kills git's whole
process group and waits for it.
"""

import asyncio
import contextlib
import functools
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors

MAX_OUTPUT = 64 * 1024 * 1024
TIMEOUT_S = 120.0
_SCARCE_BYTES = 32 * 1024 * 1024
_THREADS = 16

_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "TMPDIR")
_PASSED_TO_PERSONAL = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""Where the user's own settings stand, if not in the usual places."""
_PASSED_TO_NETWORK = (
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    *(name for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (lower, lower.upper())),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_IMPERSONAL = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ATTR_NOSYSTEM": "1"}

# The second net. The first is that git is never shown the configuration of a repository: see `repository.py`.
_OPTIONS = (
    "--no-pager",
    "--no-optional-locks",
    *(
        part
        for setting in (
            *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "core.splitIndex=false"),
            *("core.pager=cat", "core.sshCommand=", "core.gitProxy=", "core.askPass=", "core.alternateRefsCommand="),
            *("core.quotePath=false", "diff.external=", "diff.ignoreSubmodules=all", "submodule.recurse=false"),
            *("gc.auto=0", "maintenance.auto=false", "commit.gpgSign=false", "credential.interactive=never"),
        )
        for part in ("-c", setting)
    ),
)
_NO_NETWORK = ("-c", "protocol.allow=never", "-c", "credential.helper=")


def quiet(pins: Mapping[str, str]) -> dict[str, str]:
    """Variables with which another program's git is as hardened as ours, on the repository that `pins` name."""
    given = [part for part in (*_OPTIONS, *_NO_NETWORK) if "=" in part and part != "diff.external="]  # alone that is an empty command
    settings = {}
    for at, one in enumerate(given):
        settings[f"GIT_CONFIG_KEY_{at}"], _, settings[f"GIT_CONFIG_VALUE_{at}"] = one.partition("=")
    kept = {name: value for name, value in _ENVIRONMENT.items() if name != "GIT_LITERAL_PATHSPECS"}
    more = {"GIT_ALLOW_PROTOCOL": "", "GIT_OPTIONAL_LOCKS": "0", "GIT_CONFIG_COUNT": str(len(given))}
    return kept | _IMPERSONAL | more | settings | dict(pins)


@dataclass(frozen=True, kw_only=True)
class Output:
    code: int
    out: bytes
    err: bytes
    is_cut: bool = False

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "surrogateescape")


async def run(
    action: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    pins: Mapping[str, str] | None = None,
    protocols: Sequence[str] = (),
    is_personal: bool = False,
    inside: Sequence[str] = (),
    stdin: bytes = b"",
    ok: Collection[int] = (0,),
    timeout_s: float = TIMEOUT_S,
    cap: int = MAX_OUTPUT,
    on_progress: Callable[[bytes], None] | None = None,
) -> Output:
    """Run `git arguments` in `cwd`. An exit code that is not in `ok` raises `GitFailed`; `action` completes "git could not …".

    `pins` says which repository, as `GIT_*` variables: none comes from the server's own environment. `protocols` says what the
    network may be used for. With `is_personal` the git settings of the server's own user count too, where proxies, credential
    helpers and safe folders stand. `inside` comes before git: the command line of a sandbox, which has its own variables. Of the
    output `cap` bytes are kept; git is stopped when it writes more, and `is_cut` says so. `on_progress` gets pieces of stderr, from
    another thread.
    """
    argv = [*inside, "git", *_OPTIONS, *(() if protocols else _NO_NETWORK), *arguments]
    passed = (*_PASSED, *(_PASSED_TO_NETWORK if protocols else ()), *(_PASSED_TO_PERSONAL if is_personal else ()))
    environment = {name: os.environ[name] for name in passed if name in os.environ}
    environment |= _ENVIRONMENT
    environment |= {"GIT_ALLOW_PROTOCOL": ":".join(protocols)}
    environment |= {} if is_personal else _IMPERSONAL
    environment |= pins or {}
    child = _Child(argv, cwd, environment, stdin, timeout_s, cap, on_progress)
    try:
        running = asyncio.get_running_loop().run_in_executor(_pool(), child.run)
        try:
            output = await asyncio.shield(running)
        except asyncio.CancelledError:
            child.kill()
            with contextlib.suppress(Exception):
                await asyncio.shield(running)
            raise
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise errors.GitFailed(action, f"the folder {str(cwd)!r} does not exist") from error
        raise errors.GitFailed(action, "git was not found on PATH. Install git, then try again") from error
    except TimeoutError as error:
        raise errors.GitFailed(action, f"it took longer than {timeout_s:g} s and was stopped") from error
    if output.code not in ok and not output.is_cut:
        if is_full(Path((pins or {}).get("GIT_WORK_TREE", cwd))):
            raise errors.StorageFull(str(cwd))
        raise errors.GitFailed(action, output.err.decode("utf-8", "replace").strip() or f"exit code {output.code}")
    return output


def is_full(folder: Path) -> bool:
    """So little is left, or no inode, that a write which failed will have failed for this reason. git tidies up after itself,
    so that it is never quite full.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize < _SCARCE_BYTES or (room.f_files > 0 and room.f_favail == 0)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "agor-git")


class _Child:
    """One git process, run to its end by a thread of the pool."""

    def __init__(  # noqa: PLR0917 made in one place
        self,
        argv: list[str],
        cwd: Path,
        environment: dict[str, str],
        stdin: bytes,
        timeout_s: float,
        cap: int,
        on_progress: Callable[[bytes], None] | None,
    ) -> None:
        self._argv, self._cwd, self._environment, self._stdin = argv, cwd, environment, stdin
        self._timeout_s, self._cap, self._on_progress = timeout_s, cap, on_progress
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def kill(self) -> None:
        """Kill the process group, now or as soon as it starts. Safe from any thread: an id is not used after it was reaped."""
        with self._lock:
            self._is_killed = True
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def run(self) -> Output:
        with self._lock:
            if self._is_killed:
                return Output(code=-signal.SIGKILL, out=b"", err=b"")
            process = subprocess.Popen(
                self._argv,
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.PIPE if self._stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
            self._process = process
        is_late = is_cut = has_talked = False
        out, err = bytearray(), bytearray()
        try:
            is_late, is_cut = self._talk(process, out, err)
            has_talked = True
        finally:
            if is_late or is_cut or not has_talked:
                self.kill()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._reap(process)
        if is_late:
            raise TimeoutError
        return Output(code=process.returncode, out=bytes(out), err=bytes(err), is_cut=is_cut)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        """Wait without the lock, reap under it, so that `kill` never meets an id that was given to another."""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            process.wait()

    def _talk(self, process: subprocess.Popen[bytes], out: bytearray, err: bytearray) -> tuple[bool, bool]:
        """Feed and drain until both outputs end. Returns whether the deadline passed, and whether the cap was reached."""
        deadline = time.monotonic() + self._timeout_s
        left = memoryview(self._stdin)
        with selectors.DefaultSelector() as selector:
            assert process.stdout is not None
            assert process.stderr is not None
            selector.register(process.stdout, selectors.EVENT_READ, out)
            selector.register(process.stderr, selectors.EVENT_READ, err)
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
                selector.register(process.stdin, selectors.EVENT_WRITE)
            while len(selector.get_map()) > (process.stdin is not None and not process.stdin.closed):
                ready = selector.select(max(0.0, min(deadline - time.monotonic(), 5.0)))
                if time.monotonic() > deadline:
                    return True, False
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        left = self._feed(selector, process, left)
                        continue
                    piece = os.read(key.fd, 262_144)
                    if not piece:
                        selector.unregister(key.fileobj)
                        continue
                    key.data.extend(piece)
                    if key.data is err:
                        if self._on_progress is not None:
                            self._on_progress(piece)
                        del err[:-65_536]
                    elif len(out) > self._cap:
                        del out[self._cap :]
                        return False, True
        return False, False

    def _feed(self, selector: selectors.BaseSelector, process: subprocess.Popen[bytes], left: memoryview) -> memoryview:
        assert process.stdin is not None
        try:
            left = left[os.write(process.stdin.fileno(), left[:65_536]) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            left = left[len(left) :]
        if not left:
            selector.unregister(process.stdin)
            process.stdin.close()
        return left
