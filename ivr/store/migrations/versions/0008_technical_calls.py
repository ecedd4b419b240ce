"""An index of the calls that went wrong for a technical reason: the board asks for the last of them every few seconds

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - An index holds writers up while it is made: here one pass over `attempts`, a second for a million calls.

Revision: 0008
Before: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WHERE = sa.text("outcome = 'technical'")


def upgrade() -> None:
    op.create_index("ix_attempts_technical", "attempts", ["planned_at"], sqlite_where=_WHERE, postgresql_where=_WHERE)


def downgrade() -> None:
    op.drop_index("ix_attempts_technical", "attempts")
