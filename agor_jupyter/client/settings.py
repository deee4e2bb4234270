"""The extension's own part of Jupyter's configuration files: for a private server, which takes nothing else from them, and for whoever
looks for the server that has the data.
"""

import logging
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

log = logging.getLogger(__name__)

SECTION = "AgorApp"
PLACES = ("data_dir", "key_file", "allowed_roots", "sandbox_read", "sandbox_write")
"""Those of its settings that name files and folders."""
_FILES = ("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "agor_jupyter_config")
"""In the order in which a server reads them: a later one overrides."""


def read(folder: Path) -> Config:
    """`c.AgorApp` as a server of this person and this environment would have it that is started in `folder`: relative paths begin there.

    A file that cannot be read is left out, and logged.
    """
    found = Config()
    folders = [Path(path) for path in reversed(jupyter_config_path())]  # the most important is the last
    for name in _FILES:
        for place in folders:
            for path in (place / f"{name}.json", *sorted((place / f"{name}.d").glob("*.json")), place / f"{name}.py"):
                if SECTION in (loaded := _load(path)):
                    found.merge(Config({SECTION: loaded[SECTION]}))
    if SECTION in found:
        for name in PLACES:
            if name in found[SECTION]:
                found[SECTION][name] = _anchored(found[SECTION][name], folder)
    return found


def data_dir(folder: Path) -> Path | None:
    """Where such a server has its data. `None`: nobody configured it."""
    found = read(folder)
    chosen = found[SECTION].get("data_dir") if SECTION in found else None
    return Path(chosen) if isinstance(chosen, str) and chosen else None


def _anchored(value: object, folder: Path) -> object:
    if isinstance(value, list | tuple):
        return [_anchored(one, folder) for one in value]
    if not isinstance(value, str) or not value:  # it is refused where all are checked, or it means the default
        return value
    return str(folder / Path(value).expanduser())


def _load(path: Path) -> Config:
    if not path.is_file():
        return Config()
    loader = JSONFileConfigLoader if path.suffix == ".json" else PyFileConfigLoader
    try:
        return loader(path.name, path=str(path.parent)).load_config()
    except ConfigFileNotFound:
        return Config()
    except Exception as error:  # it is a program, or JSON that a person wrote
        log.warning("The settings in %s were left out: %s", path, error, exc_info=True)
        return Config()
