"""The parent of one agent: a subreaper that dies with the server and leaves nothing behind.

Run as `python -I -S shim.py argv…`, with the server's pid in `AGOR_SERVER_PID`. Standard library only: it starts with every agent.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_IGNORED = {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP}
"""By Python, by a shell for what it runs in the background, or by nohup. It is inherited, and no agent expects it."""
_NOT_FOUND, _TERMINATED = 127, 143


def below(pid: int) -> list[int]:
    """All descendants of `pid`."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  # hot
            children += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return [found for child in children for found in (child, *below(child))]


def sweep(limit_s: float = 10.0) -> None:
    """Kill all that is below this process until nothing is; what it forks meanwhile comes here, because we are a subreaper."""
    end = time.monotonic() + limit_s
    while (children := below(os.getpid())) and time.monotonic() < end:
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _become_agent(argv: list[str]) -> NoReturn:
    for number in _IGNORED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.setsid()
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # that is its purpose
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
    os._exit(_NOT_FOUND)


def _wait_for(agent: int) -> int:
    """The agent's exit code (128 + signal when it was killed), or 143 when the shim itself was told to end."""
    while True:
        if signal.sigwait(_SIGNALS) != signal.SIGCHLD:
            return _TERMINATED
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                if pid == agent:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code


def main(argv: list[str]) -> NoReturn:
    server = int(os.environ.pop("AGOR_SERVER_PID"))
    prctl = ctypes.CDLL(None).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    if os.getppid() != server:  # it died between the fork and the prctl
        os._exit(_TERMINATED)
    agent = os.fork()
    if not agent:
        _become_agent(argv)
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):  # the pipes belong to the agent alone, so that end-of-file works
        os.dup2(nothing, descriptor)
    code = _wait_for(agent)
    sweep()
    os._exit(code & 255)


if __name__ == "__main__":
    main(sys.argv[1:])
