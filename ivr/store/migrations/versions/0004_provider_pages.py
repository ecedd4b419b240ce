"""What became of a delivered list, and how a provider's cells stood on a morning

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0004
Before: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import Json, Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("who", sa.String(), nullable=False, comment="address of the account"),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", Json, nullable=False, comment="[row, column, message], as the provider was told"),
        sa.Column("warnings", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_deliveries_sample_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_sample_id"), "deliveries", ["sample_id"])
    op.create_table(
        "daily_figures",
        sa.Column("cell_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="shown on this day: as it stood at its midnight"),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("successful", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False, comment="on the list of the cell"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_voiced", sa.Boolean(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True, comment="null: nothing is expected any more"),
        sa.Column("low", sa.Integer(), nullable=True),
        sa.Column("high", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name=op.f("fk_daily_figures_cell_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cell_id", "day", name=op.f("pk_daily_figures")),
    )


def downgrade() -> None:
    op.drop_table("daily_figures")
    op.drop_index(op.f("ix_deliveries_sample_id"), "deliveries")
    op.drop_table("deliveries")
