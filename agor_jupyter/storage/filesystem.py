"""Refuses a data folder where records could be lost, before anything is written there."""

import os
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.filesystems import network_mount

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux says what is mounted. Other systems do not have it, and are not asked."""


def check(data_dir: Path, database_url: str | None = None, mounts: Path | None = None) -> None:
    """`database_url` is SQLAlchemy's, `None` the SQLite file in the folder. Every link is followed.

    Errors:
        DataOnNetwork: the data folder, or the file of the SQLite database, lies on a network file system. Where another database keeps
            the records the folder may lie there.
    """
    if database_url is not None and not database_url.startswith("sqlite"):
        return
    try:
        mountinfo = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    file = database_url.partition("///")[2].partition("?")[0] if database_url else ""
    for path in (data_dir, *([Path(file)] if file and not file.startswith((":", "file:")) else [])):
        mount = network_mount(Path(os.path.realpath(path)), mountinfo)
        if mount is not None:
            raise errors.DataOnNetwork(str(path), mount.kind, str(mount.folder))
