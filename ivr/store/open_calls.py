"""What an open call is, as SQL: states written out, so that statements are fast and partial indexes serve them.

A partial index serves no bound parameter, and SQLAlchemy expands a bound list anew at each execution.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ivr.store.tables import attempts

OPEN_STATES = ("reserved", "dialing", "placed")
"""An attempt in one of these may be a telephone ringing somewhere."""


def is_in(column: sa.Column[str], words: Iterable[str]) -> sa.ColumnElement[bool]:
    """`column IN ('a', 'b')`; the words are our own, never somebody's text."""
    return column.in_([sa.literal_column(f"'{word}'") for word in words])


IS_OPEN = is_in(attempts.c.state, OPEN_STATES)
IS_OUTBOUND = attempts.c.direction == sa.literal_column("'outbound'")
