"""The terms of an order's subsidy, and the day of the report

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0003
Before: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("samples") as batch:
        batch.add_column(
            sa.Column(
                "reported_on",
                sa.Date(),
                nullable=True,
                comment="when the report went (or will go) to the provider; holds retention back",
            )
        )
    with op.batch_alter_table("orders") as batch:
        batch.add_column(
            sa.Column(
                "subsidy_first",
                sa.Integer(),
                nullable=True,
                comment="terms when it was ordered: first so many are shared; null: default",
            )
        )
        batch.add_column(
            sa.Column(
                "subsidy_share",
                sa.Numeric(5, 4),
                nullable=True,
                comment="by this share of the price; null: default",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.drop_column("subsidy_share")
        batch.drop_column("subsidy_first")
    with op.batch_alter_table("samples") as batch:
        batch.drop_column("reported_on")
