"""Alembic runs this to migrate the connection that `batuta.store.revisions` hands it, within its transaction."""

from __future__ import annotations

from alembic import context

from batuta.store.schema import REVISION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=REVISION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
