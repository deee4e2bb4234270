"""A real PostgreSQL server of a test's own: from Debian's package, as another user where the test runs as root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Server:
    address: str


def serve() -> Iterator[Server]:
    """It listens only in its own folder. Skips where there is no server to start."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else Path(shutil.which("initdb") or "")
    if not initdb.is_file():
        pytest.skip("no PostgreSQL server is installed: install the package postgresql")
    as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="agor-pg-", dir="/tmp"))  # a socket's path is short  # noqa: S108
    if as_other:
        os.chown(folder, 65534, 65534)

    def run(*command: str) -> None:
        subprocess.run([*as_other, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    pg_ctl = str(initdb.with_name("pg_ctl"))
    data = str(folder / "data")
    try:
        run(str(initdb), "-D", data, "-U", "agor", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        run(pg_ctl, "-D", data, "-w", "-t", "50", "-l", str(folder / "log"), "-o", f"-c listen_addresses='' -k {folder} -F", "start")
        try:
            yield Server(f"postgresql://agor@/postgres?host={folder}")
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
