"""The kinds of hosts: one file of this folder each."""

import importlib
import pkgutil
from functools import cache

import agor_jupyter.providers
from agor_jupyter.providers.provider import Provider


@cache
def discover() -> dict[str, Provider]:
    """Every `PROVIDER` of a module in this folder, by kind."""
    names = sorted(module.name for module in pkgutil.iter_modules(agor_jupyter.providers.__path__))
    modules = (importlib.import_module(f"agor_jupyter.providers.{name}") for name in names)
    return {found.kind: found for module in modules if (found := getattr(module, "PROVIDER", None)) is not None}
