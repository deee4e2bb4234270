"""Databases and schemas that worktrees have for themselves on a PostgreSQL server of the person's. All functions block.

Errors are sentences for a person, without the address, which holds a password.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_CONNECT_S = 10
_STATEMENT_MS = 300_000


class Unreachable(Exception):
    """For a person."""


def name_of(template: str | None, worktree: str, worktree_id: str) -> str:
    """Of at most 63 bytes, as PostgreSQL has them: what it is made from, the worktree, and enough of its id to be its own."""
    own = re.sub(r"[^a-z0-9]+", "_", worktree.lower()).strip("_")[:24]
    begin = re.sub(r"[^A-Za-z0-9_]", "_", template or "agor")[:28]
    return "_".join([begin, own, re.sub(r"[^a-z0-9]", "", worktree_id.lower())[-8:]])


def make(address: str, template: str | None, name: str) -> None:
    """What is there already stays as it is."""
    from psycopg import sql

    with _connected(address) as connection:
        if template is None:
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
        elif connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop(address: str, *, is_schema: bool, name: str) -> None:
    """Of what is not there, nothing. Who is connected to a database is disconnected."""
    from psycopg import sql

    line = "drop schema if exists {} cascade" if is_schema else "drop database if exists {} with (force)"
    with _connected(address) as connection:
        connection.execute(sql.SQL(line).format(sql.Identifier(name)))


def size(address: str, *, is_schema: bool, name: str) -> int | None:
    """In bytes. `None`: it is not there."""
    with _connected(address) as connection:
        if not is_schema:
            found = connection.execute("select pg_database_size(oid) from pg_database where datname = %s", [name]).fetchone()
            return int(found[0]) if found else None
        if connection.execute("select 1 from pg_namespace where nspname = %s", [name]).fetchone() is None:
            return None
        total = "select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        found = connection.execute(f"{total} where n.nspname = %s and c.relkind in ('r', 'm')", [name]).fetchone()
        return int(found[0]) if found else 0


def address_of(address: str, *, is_schema: bool, name: str) -> str:
    """How the worktree's own is reached."""
    from psycopg import conninfo

    if "://" not in address:
        own = {"options": f"-csearch_path={name}"} if is_schema else {"dbname": name}
        return str(conninfo.make_conninfo(address, **own))
    parts = urlsplit(address)
    if not is_schema:
        return urlunsplit(parts._replace(path=f"/{quote(name)}"))
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "options"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("options", f"-csearch_path={name}")], quote_via=quote)))


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:  # psycopg is loaded only where somebody needs it
    try:
        import psycopg
    except ImportError:
        raise Unreachable("psycopg is missing; install it with `pip install agor-jupyter[postgresql]`") from None
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=_CONNECT_S, application_name="agor") as connection:
            connection.execute(f"set statement_timeout = {_STATEMENT_MS}")
            yield connection
    except psycopg.Error as error:
        diagnosis = error.diag.message_primary if error.sqlstate else None
        said = f"PostgreSQL says: {diagnosis}" if diagnosis else "the PostgreSQL server cannot be reached by this address"
        raise Unreachable(said) from None
