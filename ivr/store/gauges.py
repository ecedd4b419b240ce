"""Sums over the whole fieldwork, for `/metrics`: never of a provider or person. Few and plain statements."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import attempts, cells, lines, orders


@dataclass(frozen=True, slots=True)
class CellSums:
    """Cells of one track in one state (open | filled | paused | closed), and what their counters add up to."""

    track: str
    state: str
    cells: int
    target: int
    successful: int
    in_flight: int


def calls_by_outcome(session: Session) -> dict[str, int]:
    """Closed calls ever, without test calls, by outcome."""
    query = (
        sa.select(sa.func.coalesce(attempts.c.outcome, "none"), sa.func.count())
        .where(attempts.c.state == "closed", attempts.c.is_test.is_(sa.false()))
        .group_by(attempts.c.outcome)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def open_calls(session: Session) -> dict[str, int]:
    """Calls that are not over by state: reserved, dialing, placed, unknown."""
    found: dict[str, int] = dict.fromkeys(("reserved", "dialing", "placed", "unknown"), 0)
    query = (
        sa.select(attempts.c.state, sa.func.count())
        .where(attempts.c.state.in_(tuple(found)), attempts.c.is_test.is_(sa.false()))
        .group_by(attempts.c.state)
    )
    found.update({row[0]: row[1] for row in session.execute(query)})
    return found


def quota(session: Session) -> list[CellSums]:
    """All cells, summed by track and state. Who is `exhausted` takes a look at every person: the board tells that."""
    is_closed, is_full = cells.c.state == "closed", cells.c.successful >= cells.c.target
    state = sa.case((is_closed, "closed"), (is_full, "filled"), else_=cells.c.state).label("state")
    each = sa.select(cells.c.track, state, cells.c.target, cells.c.successful, cells.c.in_flight).subquery()
    added = [sa.func.sum(column).label(column.name) for column in (each.c.target, each.c.successful, each.c.in_flight)]
    query = sa.select(each.c.track, each.c.state, sa.func.count().label("cells"), *added).group_by(
        each.c.track, each.c.state
    )
    return [
        CellSums(row.track, row.state, row.cells, int(row.target), int(row.successful), int(row.in_flight))
        for row in session.execute(query)
    ]


def lines_down(session: Session) -> int:
    """Lines to a carrier that are out."""
    return session.execute(sa.select(sa.func.count()).where(lines.c.is_down.is_(sa.true()))).scalar_one()


def orders_without_audio(session: Session) -> int:
    """Orders whose cell is not closed, and that may not be dialled because prompts are missing."""
    query = (
        sa.select(sa.func.count())
        .select_from(orders.join(cells, cells.c.order_id == orders.c.id))
        .where(orders.c.voiced_at.is_(None), cells.c.state != "closed")
    )
    return session.execute(query).scalar_one()
