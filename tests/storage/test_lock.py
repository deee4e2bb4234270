"""One server for each data directory, whatever became of the one before."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.storage.lock import DataLock

HOLD = """
import os, sys
from pathlib import Path
from agor_jupyter.storage.lock import DataLock
lock = DataLock(Path(sys.argv[1])).__enter__()
if sys.argv[2] == "forks":
    if os.fork() == 0:
        os.read(0, 1)  # as a child that has not got its program yet
        os._exit(0)
    os.write(1, b"held")
    os._exit(0)
os.write(1, b"held")
os.read(0, 1)
"""


def hold(folder: Path, how: str) -> subprocess.Popen[bytes]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.read(4) == b"held"
    return holder


def test_a_live_server_keeps_the_folder(tmp_path):
    holder = hold(tmp_path, "lives")

    with pytest.raises(errors.DataInUse, match=str(holder.pid)):
        DataLock(tmp_path).__enter__()

    holder.communicate(b"x")
    with DataLock(tmp_path):
        pass


@pytest.mark.parametrize("is_collected", [True, False])
def test_a_child_that_a_killed_server_was_about_to_start_is_waited_for(tmp_path, is_collected):
    holder = hold(tmp_path, "forks")
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet collected
    if is_collected:
        holder.wait()
    lock = DataLock(tmp_path)
    entered = threading.Thread(target=lock.__enter__)

    entered.start()
    entered.join(0.2)
    assert entered.is_alive()
    holder.communicate(b"x")
    entered.join(50)

    assert not entered.is_alive()
    assert DataLock.read(tmp_path)["pid"] == os.getpid()
    lock.__exit__(None, None, None)


def test_who_holds_it_without_saying_so_is_not_waited_for(tmp_path):
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        with pytest.raises(errors.DataInUse):
            DataLock(tmp_path).__enter__()
