"""Responses and turns lie in the tree of their key, on SQLite

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Only where the rows lie changes; every statement of the old code holds. Nothing changes on PostgreSQL.

Revision: 0007
Before: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _lay(by_key=True)


def downgrade() -> None:
    _lay(by_key=False)


def _lay(*, by_key: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in ("responses", "turns"):
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_with_rowid": not by_key}):
            pass
