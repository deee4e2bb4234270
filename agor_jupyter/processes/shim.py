"""The parent of one program: a subreaper that leaves nothing behind.

Run as `python -I -S shim.py argv…`. With the server's pid in `AGOR_SERVER_PID` it dies with the server, and a SIGTERM ends all below it at
once. Without, it stays: the program writes to the file `AGOR_LOG`, of which the last half of `AGOR_LOG_BYTES` is always there, with more
before it in `AGOR_LOG.1`; its code is in `AGOR_LOG.exit` afterwards; and a SIGTERM is for the program first, and with the second, or
after a while, all below is killed. It starts before every agent and service: standard library only, and of that what loads at
once. `signal`, `ctypes`, `contextlib`, `pathlib` and `typing` take twice as long to load as the interpreter takes to start.
"""

import _ctypes
import _signal as signal  # type: ignore[import-not-found]  # what `signal` wraps in enumerations
import _thread
import os
import sys
import time

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_IGNORED = {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP}
"""By Python, by a shell for what it runs in the background, or by nohup. It is inherited, and no agent expects it."""
_NOT_FOUND, _TERMINATED = 127, 143
_PATIENCE_S = 60.0
"""How long what stays may take to end, if nobody is there any more to say a second time that it must."""
_PIECE = 64 << 10


class _passed_over:  # noqa: N801  # as `contextlib.suppress`, which is slower to load
    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        return kind is not None and issubclass(kind, self._kinds)


def below(pid: int) -> list[int]:
    """All descendants of `pid`."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        children: list[int] = []
        with _passed_over(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208  # hot
                with open(f"/proc/{parent}/task/{task}/children", "rb", buffering=0) as file:  # noqa: PTH123  # pathlib is slower to load
                    children += map(int, file.read().split())
        found += children
        waiting += children
    return found


def tell(number: int) -> bool:
    """Send a signal to all that is below this process. False: there is nothing.

    Each is pinned by a descriptor, then looked for again: a pid that became another's meanwhile is not below us.
    """
    pinned: dict[int, int] = {}
    for pid in below(os.getpid()):
        with _passed_over(OSError):
            pinned[pid] = os.pidfd_open(pid)
    still = set(below(os.getpid())) if pinned else set()
    for pid, descriptor in pinned.items():
        if pid in still:
            with _passed_over(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, number)
        os.close(descriptor)
    return bool(pinned)


def sweep(limit_s: float = 10.0) -> None:
    """Kill all that is below this process until nothing is; what it forks meanwhile comes here, because we are a subreaper."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end and tell(signal.SIGKILL):
        with _passed_over(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _become(argv: list[str], output: int | None) -> None:
    for number in _IGNORED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.setsid()
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # that is its purpose
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
    os._exit(_NOT_FOUND)


def _code_of(program: int) -> int | None:
    """Its exit code, 128 + signal when it was killed; `None` while it runs. Whatever else has ended is reaped too."""
    with _passed_over(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == program:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
    return None


def _wait_for(program: int) -> int | None:
    """The program's exit code, or `None` when the shim itself was told to end."""
    while True:
        if signal.sigwait(_SIGNALS) != signal.SIGCHLD:
            return None
        if (code := _code_of(program)) is not None:
            return code


def _end_gently(program: int) -> int:
    """Tell all below to end, and wait until all have, or the shim is told again. The program's exit code, or 143."""
    code, end = None, time.monotonic() + _PATIENCE_S
    tell(signal.SIGTERM)
    while (left := end - time.monotonic()) > 0 and below(os.getpid()):
        heard = signal.sigtimedwait(_SIGNALS, min(left, 0.5))
        if heard is not None and heard.si_signo != signal.SIGCHLD:
            break
        found = _code_of(program)
        code = found if code is None else code
    return _TERMINATED if code is None else code


class _Log:
    """Writes what comes from a pipe, in a thread, and keeps its last half at least. What cannot be written is dropped: nothing waits."""

    def __init__(self, path: str, limit: int) -> None:
        self._path, self._half = path, limit // 2
        self._source, self.output = os.pipe()
        self._running = _thread.allocate_lock()

    def start(self) -> None:
        """Only after the fork."""
        os.close(self.output)
        self._running.acquire()
        _thread.start_new_thread(self._run, ())

    def finish(self, code: int) -> None:
        """Write the rest, and the code."""
        self._running.acquire(timeout=2)
        with _passed_over(OSError):
            with open(f"{self._path}.exit.new", "w") as file:  # noqa: PTH123  # pathlib is slower to load
                file.write(str(code))
            os.replace(f"{self._path}.exit.new", f"{self._path}.exit")  # noqa: PTH105

    def _run(self) -> None:
        file = None
        while piece := os.read(self._source, _PIECE):
            with _passed_over(OSError):
                file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if file is None else file
                if os.fstat(file).st_size + len(piece) > self._half:
                    os.close(file)
                    file = None
                    self._exchange()
                    file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.write(file, piece)
        self._running.release()

    def _exchange(self) -> None:
        """Go on in an empty file. Which places the two have is said first, so that who reads can never mistake one for the other."""
        old, start = os.stat(self._path), 0  # noqa: PTH116
        with _passed_over(OSError), open(f"{self._path}.at") as file:  # noqa: PTH123
            start = int(dict(line.split() for line in file).get(str(old.st_ino), 0))
        new = os.open(f"{self._path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        inode = os.fstat(new).st_ino
        os.close(new)
        with open(f"{self._path}.at.new", "w") as file:  # noqa: PTH123
            file.write(f"{old.st_ino} {start}\n{inode} {start + old.st_size}\n")
        os.replace(f"{self._path}.at.new", f"{self._path}.at")  # noqa: PTH105
        os.replace(self._path, f"{self._path}.1")  # noqa: PTH105
        os.replace(f"{self._path}.new", self._path)  # noqa: PTH105


def main(argv: list[str]) -> None:
    server, log = os.environ.pop("AGOR_SERVER_PID", None), None
    if server is None:
        log = _Log(os.environ.pop("AGOR_LOG"), int(os.environ.pop("AGOR_LOG_BYTES")))
    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # of this process
    _ctypes.call_function(prctl, (_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    if server is not None:
        _ctypes.call_function(prctl, (_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    if server is not None and os.getppid() != int(server):  # it died between the fork and the prctl
        os._exit(_TERMINATED)
    program = os.fork()
    if not program:
        _become(argv, log.output if log else None)
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):  # the pipes belong to the program alone, so that end-of-file works
        os.dup2(nothing, descriptor)
    if log is not None:
        log.start()
    code = _wait_for(program)
    if code is None:
        code = _TERMINATED if log is None else _end_gently(program)
    sweep()
    if log is not None:
        log.finish(code)
    os._exit(code & 255)


if __name__ == "__main__":
    main(sys.argv[1:])
