"""Brings a database to the newest schema before the store opens it.

Alembic is imported only when there is something to do: it costs a quarter of a second.
"""

import contextlib
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.storage.store import make_engine, translate
from agor_jupyter.storage.tables import SCHEMA_VERSION

SCRIPTS = Path(__file__).with_name("migrations")


def migrate(url: str) -> Path | None:
    """Upgrade to `SCHEMA_VERSION`, all or nothing. A SQLite file is copied first; returns the copy, or `None` if none was made.

    Errors:
        StorageBroken: the database was made by a newer version, or cannot be used.
        StorageBusy, StorageFull: as the names say; nothing was changed.
    """
    where = url.removeprefix("sqlite:///")
    try:
        found = version(url)
        if found == SCHEMA_VERSION:
            return None
        known = [path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py")]
        if found is not None and found not in known:
            why = f"{where} has the schema {found}, which this version of agor-jupyter does not know; install the newer one that created it"
            raise errors.StorageBroken(why)
        backup = _copy(Path(where), found) if found is not None and url.startswith("sqlite") else None
        _upgrade(url)
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise translate(error, where) from error
    return backup


def version(url: str) -> str | None:
    """The revision the database is at. `None`: it is new."""
    if not url.startswith("sqlite"):
        engine = make_engine(url, writes=False)
        with contextlib.closing(engine.connect()) as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    path = Path(url.removeprefix("sqlite:///"))
    if not path.exists():
        return None
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _copy(path: Path, found: str) -> Path:
    target = path.with_name(f"{path.name}.before-{SCHEMA_VERSION}-from-{found}")
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def _upgrade(url: str, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    engine = make_engine(url, writes=True)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        engine.dispose()
