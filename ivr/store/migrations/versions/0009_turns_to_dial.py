"""The moment at which the carrier may be asked for the next call, beside the one at which it may be planned

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0009
Before: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lines") as batch:
        batch.add_column(
            sa.Column(
                "dial_at",
                Moment(),
                nullable=True,
                comment="calls per second: when the carrier may be asked for the next call",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("lines") as batch:
        batch.drop_column("dial_at")
