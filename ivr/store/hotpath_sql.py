"""The statements of the hot path that both databases share, built from the tables once.

Decides under which conditions a turn is kept and an interview counted; how many round trips that takes is each
database's own (`hotpath_sqlite.py`, `hotpath_postgres.py`).
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ivr.store.tables import attempts, cells, interviews, orders, turns

OPEN = "placed"
"""The only state in which a call goes on."""
IDLE = 32
"""So many idle connections are kept at most; a thread uses one at a time."""

TURN = ("attempt_id", "turn", "signal", "reply", "at")
ANSWER = ("interview_id", "question", "value", "mode", "answered_at")
REPLACED = ("value", "mode", "answered_at")

LOAD = (
    sa.select(
        attempts.c.id,
        attempts.c.call_sid,
        attempts.c.turn,
        attempts.c.dialogue,
        attempts.c.interview_id,
        cells.c.id,
        cells.c.track,
        orders.c.id,
        orders.c.voiced_at,
        turns.c.reply,
    )
    .select_from(
        attempts.join(cells, cells.c.id == attempts.c.cell_id)
        .join(orders, orders.c.id == cells.c.order_id)
        .join(turns, sa.and_(turns.c.attempt_id == attempts.c.id, turns.c.turn == attempts.c.turn))
    )
    .where(
        attempts.c.id == sa.bindparam("id"),
        attempts.c.state == sa.literal_column(f"'{OPEN}'"),
        attempts.c.is_test == sa.false(),
        attempts.c.dialogue.is_not(None),
    )
)
"""The columns of `Standing`."""


def move(as_json: Callable[[str], Any], *, lets_go: bool = False) -> sa.Update:
    """The attempt goes one turn on, if it still stands there. lets_go: and lets go of its slot, if it holds one."""
    moved = (
        sa.update(attempts)
        .where(
            attempts.c.id == sa.bindparam("id"),
            attempts.c.turn == sa.bindparam("before", type_=sa.Integer),
            attempts.c.state == sa.literal_column(f"'{OPEN}'"),
            attempts.c.call_sid == sa.bindparam("call_sid"),
            attempts.c.interview_id.is_not_distinct_from(sa.bindparam("interview_id", type_=sa.String)),
        )
        .values(turn=sa.bindparam("turn_", type_=sa.Integer), dialogue=as_json("dialogue_"))
    )
    if lets_go:
        return moved.where(
            attempts.c.holds_slot.is_(sa.true()), attempts.c.cell_id == sa.bindparam("cell", type_=sa.Integer)
        ).values(holds_slot=sa.false())
    return moved


def count(at: Any) -> sa.Update:
    """The interview becomes usable and counts, if it is the first of its person that does (as `quotas.spend`)."""
    other = interviews.alias("other")
    elsewhere = sa.exists().where(
        other.c.case_id == interviews.c.case_id,
        other.c.id != interviews.c.id,
        other.c.usable.is_(sa.true()),
        other.c.is_superseded.is_(sa.false()),
    )
    return (
        sa.update(interviews)
        .where(
            interviews.c.id == sa.bindparam("interview_id", type_=sa.String),
            interviews.c.usable.is_(sa.false()),
            interviews.c.successful.is_(sa.false()),
            interviews.c.is_superseded.is_(sa.false()),
            ~elsewhere,
        )
        .values(usable=sa.true(), usable_at=at, successful=sa.true(), cell_id=sa.bindparam("cell", type_=sa.Integer))
    )


def spend() -> sa.Update:
    """The slot becomes a success."""
    return (
        sa.update(cells)
        .where(cells.c.id == sa.bindparam("cell", type_=sa.Integer))
        .values(
            in_flight=cells.c.in_flight - sa.literal_column("1"), successful=cells.c.successful + sa.literal_column("1")
        )
    )


def close_all(idle: deque[Any], close: Callable[[Any], None]) -> None:
    """Close the connections that nobody uses."""
    while idle:
        with contextlib.suppress(IndexError):
            close(idle.pop())
