"""The readers, by the name that an agent's `history` gives."""

import importlib
import pkgutil
from functools import cache
from typing import cast

import agor_jupyter.agents.history
from agor_jupyter.agents.history.past import Reader

_SUFFIX = "_files"


@cache
def known() -> tuple[str, ...]:
    """Each `<name>_files.py` of this folder."""
    names = (module.name for module in pkgutil.iter_modules(agor_jupyter.agents.history.__path__))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def reader(name: str) -> Reader | None:
    """`None`: there is none of that name."""
    if name not in known():
        return None
    return cast("Reader", importlib.import_module(f"agor_jupyter.agents.history.{name}{_SUFFIX}"))  # a test checks each for its functions


__all__ = ["Reader", "known", "reader"]
