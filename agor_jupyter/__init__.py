"""Agor for Jupyter: a multiplayer canvas for AI coding agents.

`import agor_jupyter as agor` in a notebook. Importing starts nothing and loads little: the names of the API load what they need
when they are first used.
"""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "agor-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from agor_jupyter.server.extension import AgorApp

    return [{"module": "agor_jupyter", "app": AgorApp}]
