"""Mail: the rounds that were made, and the outbox

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0005
Before: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_rounds",
        sa.Column("kind", sa.String(), nullable=False, comment="staff | provider"),
        sa.Column("span", sa.String(), nullable=False, comment="2026-11-23 or 2026-W48: once for each"),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False, comment="0: all was well"),
        sa.PrimaryKeyConstraint("kind", "span", name=op.f("pk_mail_rounds")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("span", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, comment="waiting → sending → sent; unknown: perhaps; given_up"),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", Moment(), nullable=False, comment="back-off: the next try"),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column(
            "error", sa.String(), nullable=True, comment="class or SMTP code of the last failure, never its text"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'unknown', 'given_up')", name=op.f("ck_mails_state")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mails_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("kind", "span", "user_id", name=op.f("uq_mails_kind_span_user_id")),
    )
    op.create_index(op.f("ix_mails_user_id"), "mails", ["user_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_mails_user_id"), "mails")
    op.drop_table("mails")
    op.drop_table("mail_rounds")
