"""Paths that come from outside: relative, plain, and below a folder of ours."""

from agor_jupyter.domain import errors

_MAX_PATH = 1000


def check(path: str, noun: str, suffix: str, *, of: str, beneath: str, hidden: str) -> str:
    """`path` as it is kept: relative, with `/`, ending in `suffix`. Nothing of it is hidden.

    Args:
        path: from outside.
        noun: what lies there, such as “board”.
        suffix: with its dot.
        of: what it is relative to, for a person.
        beneath: where it must be, for a person.
        hidden: why hidden files and folders are refused, for a person: they “are not …”.

    Raises `BadPath`.

    """
    if not path or len(path) > _MAX_PATH or not path.isprintable() or "\\" in path:
        raise errors.BadPath(path, f"a {noun}'s path is relative to {of} and has 1 to {_MAX_PATH} printable characters")
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise errors.BadPath(path, f"it must be {beneath}, without “..” and without a leading slash")
    if any(part.startswith(".") for part in parts):
        raise errors.BadPath(path, f"hidden files and folders are not {hidden}")
    if not path.endswith(suffix):
        raise errors.BadPath(path, f"the name of a {noun} ends in {suffix}")
    return path
