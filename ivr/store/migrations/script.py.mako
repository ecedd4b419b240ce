"""${message}

The deploy rule: the old code runs on the new schema while a release rolls out, and calls are in progress.
  - Add: a new column is nullable or has a server default; a new table may come at any time.
  - Take away in two releases: first the code that uses it, in a later release the column.
  - Never rename; add, copy, and take away later.
  - A long change of data goes in batches, outside the migration: a locked table is a silent telephone.

Revision: ${up_revision}
Before: ${down_revision | comma,n}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
