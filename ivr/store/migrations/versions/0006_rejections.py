"""How many rows of each delivered list were rejected, and why

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0006
Before: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rejections",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("respondent_group", sa.String(), nullable=False, comment="client | commissioner"),
        sa.Column("file", sa.String(64), nullable=False, comment="SHA-256 of what was delivered"),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_rejections_sample_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", "respondent_group", "file", "code", name=op.f("pk_rejections")),
    )


def downgrade() -> None:
    op.drop_table("rejections")
