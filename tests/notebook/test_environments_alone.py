"""An environment of a private server: its page is reached on its port, and it ends with the program that asked for it."""

import os
import subprocess
import sys
import textwrap
import time

from tests.services.environments.conftest import of_worktree

PATIENCE_S = 50
PROGRAM = """
    import urllib.request
    import agor_jupyter as agor

    hub = agor.connect()
    page = hub.repo(agor.sample("warehouse")).worktree("page").environment.start().wait(50)
    print(urllib.request.urlopen(page.links[0].url).read().decode()[:15], page.record.worktree_id)
"""


def test_its_page_is_open_and_nothing_of_it_outlives_the_program(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JPY_", "JUPYTER"))}
    folders = {"AGOR_DATA_DIR": str(tmp_path / "data"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], cwd=tmp_path, env=kept | folders, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    page, worktree_id = done.stdout.rsplit(maxsplit=1)
    assert page == "<!doctype html>"
    end = time.monotonic() + PATIENCE_S
    while left := of_worktree(worktree_id):
        assert time.monotonic() < end, left
        time.sleep(0.1)
