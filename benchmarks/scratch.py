"""Where benchmarks put their files. All of it goes when the program ends, and nothing before.

ext4 gives out no inode that was deleted in the last minutes, and asks about each such one before it finds another: files that one row
deletes make the next row's many times slower, whoever makes them.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def folder() -> Path:
    """A new one, in `AGOR_BENCH_DIR` or where temporary files go."""
    path = Path(tempfile.mkdtemp(prefix="agor-bench-", dir=os.environ.get("AGOR_BENCH_DIR")))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
