"""Alembic's entry: it is run by `ivr.store.schema` within a transaction that is already open."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

# Their tables belong to the schema too.
from ivr.store import tables_accounts, tables_links, tables_mail, tables_providers  # noqa: F401
from ivr.store.tables import Moment, metadata


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own types by their names, so that a migration reads like tables.py."""
    if kind == "type" and isinstance(item, Moment):
        autogen.imports.add("from ivr.store.tables import Moment")
        return "Moment()"
    if kind == "type" and isinstance(item, sa.JSON):
        autogen.imports.add("from ivr.store.tables import Json")
        return "Json"
    return False


session = context.config.attributes.get("session")
if session is None:
    raise RuntimeError("Migrations run through `ivr db upgrade` (ivr.store.schema), not through alembic's own command.")

context.configure(
    connection=session,
    target_metadata=metadata,
    render_item=_render,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
