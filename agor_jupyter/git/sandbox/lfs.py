"""Large files that agents committed by Git LFS: their contents lie in the sandbox, and have to come out with the pointers."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from agor_jupyter.git.files import opened_file, opened_folder
from agor_jupyter.git.private import Private

_PIECE = 1 << 20


def bring_out(private: Private, pointers: Mapping[str, int]) -> list[str]:
    """Copy the contents that `pointers` name, each with its size, into the real repository. Returns those that are nowhere.

    A content is what its name says, or it does not come out.
    """
    missing = []
    real = private.repository.common_dir
    for oid, size in pointers.items():
        parts = ["lfs", "objects", oid[:2], oid[2:4]]
        if (real / Path(*parts) / oid).is_file():
            continue
        try:
            with opened_file(private.git_dir, "/".join([*parts, oid])) as source, opened_folder(real, parts, create=True) as folder:
                if not _copy(source, folder, real / Path(*parts), oid, size):
                    missing.append(oid)
        except OSError:
            missing.append(oid)
    return missing


def _copy(source: int, folder: int, place: Path, oid: str, size: int) -> bool:
    descriptor, temporary = tempfile.mkstemp(prefix=".agor-", dir=place)
    digest, written = hashlib.sha256(), 0
    try:
        with os.fdopen(descriptor, "wb") as target:
            while written <= size and (piece := os.read(source, _PIECE)):
                digest.update(piece)
                target.write(piece)
                written += len(piece)
        if written != size or digest.hexdigest() != oid:
            return False
        os.replace(temporary, oid, dst_dir_fd=folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
    return True
