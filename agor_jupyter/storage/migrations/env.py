"""Alembic runs this file. The connection comes from `storage/migrate.py`, with a transaction that is open already."""

from alembic import context

from agor_jupyter.storage import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
