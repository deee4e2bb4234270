"""Runs one block in a process group of its own."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

from agor_jupyter.agents.runner.blocks import Block
from agor_jupyter.agents.runner.output import Output

_COALESCE_S = 0.05
_PIECE = 64 << 10
_PIECES = 8
_MAX_ARGUMENT = 100_000
"""The kernel's limit for one argument is 128 KiB; a longer block is read from memory."""

_SHELLS = {"sh": ["/bin/sh", "-e"], "bash": ["bash", "-e", "-o", "pipefail"]}


class Canceller:
    """What a cancel has to end: whoever holds the turn waits on it, whoever runs a block hands it the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.is_set = False

    def set(self) -> None:
        """End the running block's process group at once; no other block will run."""
        with self._lock:
            self.is_set = True
            self._kill()

    @contextlib.contextmanager
    def holding(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        with self._lock:
            self._process = process
            if self.is_set:
                self._kill()
        try:
            yield
        finally:
            with self._lock:  # it is not reaped before this, so that its pid is not another's
                process.wait()
                self._process = None

    def _kill(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def run(block: Block, cwd: str, on_output: Callable[[str], None], canceller: Canceller) -> int:
    """The block's exit code, negative for a signal. Its output comes in pieces. Raises `OSError` or `ValueError` when it cannot start."""
    with _command(block) as (command, descriptors):
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=_environment(cwd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=descriptors,
            bufsize=0,
        )
    with canceller.holding(process):
        _follow(process, on_output)
    return process.returncode


@contextlib.contextmanager
def _command(block: Block) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    is_python = block.language == "python"
    if len(block.code.encode()) <= _MAX_ARGUMENT:
        yield [*([sys.executable, "-u"] if is_python else _SHELLS[block.language]), "-c", block.code], ()
        return
    memory = os.memfd_create("block")
    with os.fdopen(memory, "wb") as file:
        file.write(block.code.encode())
        file.flush()
        path = f"/proc/self/fd/{memory}"
        read = f"exec(compile(open('{path}', 'rb').read(), 'block', 'exec'))"
        yield ([sys.executable, "-u", "-c", read] if is_python else [*_SHELLS[block.language], path]), (memory,)


def _follow(process: subprocess.Popen[bytes], on_output: Callable[[str], None]) -> None:
    """Until the process ends; a child in the background that keeps the pipe open is not waited for."""
    assert process.stdout
    pipe, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
    os.set_blocking(pipe, False)
    output, text, flush_at = Output(), "", 0.0
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        has_ended = False
        while not has_ended:
            ready = {key.fd for key, _ in selector.select(max(0.0, flush_at - time.monotonic()) if text else None)}
            has_ended = ended in ready
            for _ in range(_PIECES):  # a child in the background may write for ever
                if not (piece := _read(pipe)):
                    if piece == b"" and pipe in selector.get_map():
                        selector.unregister(pipe)
                    break
                flush_at = flush_at if text else time.monotonic() + _COALESCE_S
                text += output.feed(piece)
            if text and (len(text) >= _PIECE or time.monotonic() >= flush_at):
                on_output(text)
                text = ""
    os.close(ended)
    if text := text + output.finish():
        on_output(text)


def _read(pipe: int) -> bytes | None:
    """`None`: nothing now. Empty: never again."""
    try:
        return os.read(pipe, _PIECE)
    except BlockingIOError:
        return None


def _environment(cwd: str) -> dict[str, str]:
    """The server's Python first on the path; a name for commits where git knows none."""
    own = os.path.dirname(sys.executable)  # noqa: PTH120  # pathlib costs 10 ms of the start
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != own]
    env = {**os.environ, "PATH": os.pathsep.join([own, *rest])}
    for key, value in (("name", "Agor script"), ("email", "agor-script@localhost")):
        if not _configured(key, cwd):
            env[f"GIT_AUTHOR_{key.upper()}"] = env[f"GIT_COMMITTER_{key.upper()}"] = value
    return env


def _configured(key: str, cwd: str) -> bool:
    try:
        found = subprocess.run(["git", "config", "--get", f"user.{key}"], cwd=cwd, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0
