"""Links, visits and the sounds of the web page

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.

Revision: 0002
Before: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ivr.store.tables import Json, Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False, comment="keyed hash of what stands in the link"),
        sa.Column(
            "salt", sa.String(), nullable=False, comment="with the key it makes the same link again; alone nothing"
        ),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column(
            "missed_at",
            Moment(),
            nullable=True,
            comment="when a missed-call SMS was last written out for the mailing tool",
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_links_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_links_token_hash")),
    )
    op.create_table(
        "visits",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column(
            "id",
            sa.String(length=32),
            nullable=False,
            comment="random; in the visitor's cookie. A newer visit replaces it",
        ),
        sa.Column("interview_id", sa.String(length=32), nullable=True, comment="once there is an answer"),
        sa.Column("questionnaire", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("dialogue", Json, nullable=False, comment="state of the engine"),
        sa.Column("trail", Json, nullable=False, comment="the questions put in this visit, in order"),
        sa.Column("seen_at", Moment(), nullable=False, comment="wall clock of the last request"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_visits_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_visits")),
    )
    with op.batch_alter_table("visits") as batch:
        batch.create_index(batch.f("ix_visits_seen_at"), ["seen_at"], unique=False)
    op.create_table(
        "page_prompts",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("questionnaire", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False, comment="phrase id, <question>.text or <question>.<option>"),
        sa.Column("is_slow", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["samples.id"], name=op.f("fk_page_prompts_sample_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["prompts.sha256"], name=op.f("fk_page_prompts_sha256")),
        sa.PrimaryKeyConstraint(
            "sample_id", "questionnaire", "version", "prompt", "is_slow", name=op.f("pk_page_prompts")
        ),
    )


def downgrade() -> None:
    op.drop_table("page_prompts")
    with op.batch_alter_table("visits") as batch:
        batch.drop_index(batch.f("ix_visits_seen_at"))
    op.drop_table("visits")
    op.drop_table("links")
