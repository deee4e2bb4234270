"""The extension's own part of Jupyter's configuration files, for a server that takes nothing else from them."""

import logging
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

log = logging.getLogger(__name__)

SECTION = "AgorApp"
_FILES = ("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "agor_jupyter_config")
"""In the order in which a server reads them: a later one overrides."""


def read() -> Config:
    """`c.AgorApp` as a server of this person and this environment would have it. A file that cannot be read is left out, and logged."""
    found = Config()
    folders = [Path(path) for path in reversed(jupyter_config_path())]  # the most important is the last
    for name in _FILES:
        for folder in folders:
            for path in (folder / f"{name}.json", *sorted((folder / f"{name}.d").glob("*.json")), folder / f"{name}.py"):
                if SECTION in (loaded := _load(path)):
                    found.merge(Config({SECTION: loaded[SECTION]}))
    return found


def _load(path: Path) -> Config:
    loader = JSONFileConfigLoader if path.suffix == ".json" else PyFileConfigLoader
    try:
        return loader(path.name, path=str(path.parent)).load_config()
    except ConfigFileNotFound:
        return Config()
    except Exception as error:  # it is a program, or JSON that a person wrote
        log.warning("The settings in %s were left out: %s", path, error, exc_info=True)
        return Config()
