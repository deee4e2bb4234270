"""A path as a person wrote it in a cell or a shell, made absolute for the server."""

import os
from pathlib import Path

from agor_jupyter.domain.errors import BadPath


def absolute(path: str | os.PathLike[str]) -> Path:
    """With `~` for the home. Links are not followed.

    Raises:
        BadPath: no system has such a path, or there is no such user.

    """
    text = os.fspath(path)
    if "\0" in text:
        raise BadPath(text, "it has a NUL character")
    if any("\ud800" <= one <= "\udbff" or "\udc00" <= one <= "\udc7f" for one in text):  # the others stand for bytes of a name on the disk
        raise BadPath(text, "it has half of a character")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise BadPath(text, "there is no such user") from None
