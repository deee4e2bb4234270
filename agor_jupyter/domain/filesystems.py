"""Which file systems are a network's. They cannot hold an SQLite database in WAL mode, nor a lock that can be believed."""

import re
from pathlib import Path
from typing import NamedTuple

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ceph|lustre|gpfs|beegfs|glusterfs|pvfs2|orangefs|ocfs2|gfs2?|coda|ncpfs|davfs|9p|vboxsf|prl_fs"
    r"|fuse\.(?!lxcfs|mergerfs|bindfs|unionfs|overlayfs|fuse-overlayfs|encfs|gocryptfs|cryfs|ntfs|exfat|ext\d|zfs|squashfuse|portal).+"
)
"""Shared by several machines, or served by another one. Of FUSE all that is not known to be local."""
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    folder: Path
    kind: str


def network_mount(place: Path, mountinfo: str) -> Mount | None:
    """The network file system that the absolute `place`, with no link in it, lies on, or would lie on once it is made. `None`: a local one.

    `mountinfo` is what /proc/self/mountinfo holds, see proc(5).
    """
    found: Mount | None = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            folder = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]))
            is_nearer = found is None or len(folder.parts) >= len(found.folder.parts)  # a later mount covers an earlier one
            if is_nearer and place.is_relative_to(folder):
                found = Mount(folder, after.split(" ", 1)[0])
    if found is None or not _NETWORK.fullmatch(found.kind):
        return None
    is_root_of_a_container = found.kind == "9p" and found.folder == Path("/")
    return None if is_root_of_a_container else found
