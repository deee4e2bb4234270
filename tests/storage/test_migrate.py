"""Migrations: the scripts and the tables say the same, and nothing is half done."""

import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.storage import migrate, tables
from agor_jupyter.storage.store import sqlite_url


def _schema(path: Path) -> dict[str, object]:
    engine = sa.create_engine(sqlite_url(path))
    inspector = sa.inspect(engine)
    found: dict[str, object] = {}
    for name in inspector.get_table_names():
        if name == "alembic_version":
            continue
        found[name] = {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in inspector.get_columns(name)],
            "indexes": sorted((i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(name)),
            "unique": sorted((u["name"], tuple(u["column_names"])) for u in inspector.get_unique_constraints(name)),
            "primary": inspector.get_pk_constraint(name)["name"],
        }
    with engine.connect() as connection:
        found["autoincrement"] = sorted(
            connection.execute(sa.text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        )
    engine.dispose()
    return found


def test_the_migrations_make_exactly_the_tables(tmp_path):
    migrate.migrate(sqlite_url(tmp_path / "migrated"))
    engine = sa.create_engine(sqlite_url(tmp_path / "made"))
    tables.metadata.create_all(engine)
    engine.dispose()

    assert _schema(tmp_path / "migrated") == _schema(tmp_path / "made")


def test_the_constant_is_the_newest_revision(tmp_path):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))

    assert ScriptDirectory.from_config(config).get_heads() == [tables.SCHEMA_VERSION]


def test_a_current_database_is_left_alone_and_alembic_is_not_imported(tmp_path):
    import subprocess
    import sys

    url = sqlite_url(tmp_path / "db")
    migrate.migrate(url)
    code = f"import sys; from agor_jupyter.storage.migrate import migrate; assert migrate({url!r}) is None; assert 'alembic' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_newer_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "db"
    migrate.migrate(sqlite_url(path))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(errors.StorageBroken, match="9999.*newer"):
        migrate.migrate(sqlite_url(path))

    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE worktrees (mine)")  # stands in the way of the last steps
    connection.close()

    with pytest.raises(sa.exc.OperationalError, match="already exists"):
        migrate.migrate(sqlite_url(path))

    connection = sqlite3.connect(path)
    assert {row[0] for row in connection.execute("SELECT name FROM sqlite_master")} == {"worktrees"}
    connection.close()


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "db"
    path.write_bytes(b"certainly not a database" * 100)

    with pytest.raises(errors.StorageBroken, match="not a database"):
        migrate.migrate(sqlite_url(path))


def test_news_of_agents_in_their_older_form_go_and_numbers_are_not_given_again(tmp_path):
    path = tmp_path / "db"
    migrate._upgrade(sqlite_url(path), "0006")
    with sqlite3.connect(path) as connection:
        for session, body in (
            (None, '{"kind":"repo","repo":{}}'),
            ("se_1", '{"kind":"agent","said":1}'),
            (None, '{"kind":"agent","status":{}}'),
        ):
            connection.execute("INSERT INTO events (at, session_id, body) VALUES ('2026-01-01', ?, ?)", (session, body))
    connection.close()

    migrate.migrate(sqlite_url(path))

    with sqlite3.connect(path) as connection:
        left = [row[0] for row in connection.execute("SELECT n FROM events")]
        connection.execute("INSERT INTO events (at, body) VALUES ('2026-01-02', '{}')")
        newest = connection.execute("SELECT max(n) FROM events").fetchone()[0]
    connection.close()
    assert (left, newest) == ([1, 2], 4)


def test_sessions_of_before_get_the_root_of_their_tree(tmp_path):
    path = tmp_path / "db"
    migrate._upgrade(sqlite_url(path), "0007")
    sprung = {"se_1": (None, None), "se_2": ("se_1", None), "se_3": (None, "se_2"), "se_4": ("se_4", None), "se_5": ("se_gone", None)}
    with sqlite3.connect(path) as connection:
        for name, (parent, origin) in sprung.items():
            record = json.dumps({"id": name, "parentId": parent, "originId": origin, "title": "é"}, separators=(",", ":"))
            connection.execute(
                "INSERT INTO sessions (id, worktree_id, agent, state, created_by, parent_id, is_archived, updated_at, last_seq, last_line, record)"
                " VALUES (?, 'wt', 'script', 'idle', 'ann', ?, 0, '', 0, '', ?)",
                (name, parent, record),
            )
    connection.close()

    migrate.migrate(sqlite_url(path))

    with sqlite3.connect(path) as connection:
        found = {
            row[0]: (row[1], json.loads(row[2]).get("rootId")) for row in connection.execute("SELECT id, root_id, record FROM sessions")
        }
    connection.close()
    roots = {"se_1": None, "se_2": "se_1", "se_3": "se_1", "se_4": None, "se_5": "se_gone"}
    assert found == {name: (root, root) for name, root in roots.items()}
