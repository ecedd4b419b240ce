"""Quota cells: which have work now, which have work later, and what staff may change while they run.

The counters are moved in `admission.py` and `quotas.py` alone; here they are read, checked against the attempts, and
bounded anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.admission import Bounds
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import Moment, attempts, cases, cells, orders, providers, samples


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's counters. state: open | paused | closed, as staff set it."""

    id: int
    order_id: int
    sample_id: int
    track: str
    target: int
    capacity: int
    successful: int
    in_flight: int
    state: str

    @property
    def is_filled(self) -> bool:
        return self.successful >= self.target


_COLUMNS = [cells.c[name] for name in Cell.__dataclass_fields__]
_ONE = sa.select(*_COLUMNS).where(cells.c.id == sa.bindparam("cell"))
_GET, _GET_LOCKED = Prepared(_ONE), Prepared(_ONE.with_for_update())


def get(session: Session, cell_id: int, *, lock: bool = False) -> Cell:
    """The cell. NotFoundError."""
    row = (_GET_LOCKED if lock else _GET).row(session, {"cell": cell_id})
    if row is None:
        raise NotFoundError(f"There is no cell {cell_id}. `ivr fieldwork status` lists them.")
    return Cell(*row)


# Somebody of a later replicate does not make a cell due: it would be looked at in every tick, for nobody.
_DUE = Prepared(
    sa.text("""
    WITH waiting AS (
        SELECT c.cell_id, c.priority, c.replicate
        FROM cases c JOIN cells cl ON cl.id = c.cell_id JOIN orders o ON o.id = cl.order_id
        WHERE cl.state = 'open' AND o.voiced_at IS NOT NULL AND cl.successful + cl.in_flight < cl.target
          AND c.is_final = false AND c.is_busy = false AND c.next_call_at <= :now
    ), opened AS (
        SELECT r.cell_id, min(r.replicate) AS replicate FROM cases r
        WHERE r.cell_id IN (SELECT cell_id FROM waiting)
          AND r.is_final = false AND (r.is_busy = true OR r.next_call_at IS NOT NULL)
          AND (r.consent IS NULL OR r.consent <> 'nee')
          AND (r.consent = 'ja' OR (NOT :consent_only AND r.announced_on >= :announced_from))
        GROUP BY r.cell_id
    )
    SELECT cl.id, count(*) AS people
    FROM waiting w JOIN cells cl ON cl.id = w.cell_id LEFT JOIN opened o ON o.cell_id = w.cell_id
    WHERE w.priority < 2 OR w.replicate = o.replicate
    GROUP BY cl.id, cl.served_at
    ORDER BY min(w.priority) = 2, cl.served_at IS NOT NULL, cl.served_at, cl.id
""").bindparams(
        sa.bindparam("now", type_=Moment),
        sa.bindparam("consent_only", type_=sa.Boolean),
        sa.bindparam("announced_from", type_=sa.Date),
    )
)


def waiting(session: Session, bounds: Bounds) -> list[tuple[int, int]]:
    """Cells with room in which somebody's moment has come, each with how many people wait in it.

    Appointments and resumed first, then who waited longest. Of those who have no appointment and broke nothing off,
    only the replicate counts that the cell is working on. Some of the people may not be called just now.
    """
    parameters = {"now": bounds.now, "consent_only": bounds.consent_only, "announced_from": bounds.announced_from}
    return [(id, people) for id, people in _DUE.rows(session, parameters)]


# Of every open cell with an order that may be dialled: the next moment somebody of the open replicate may be called,
# and whether there is room. Priorities 0 and 1 need not wait for their replicate.
# A CROSS JOIN, because SQLite reads it as it is written: from the few open cells to their people, never all cases.
_AHEAD = Prepared(
    sa.text("""
    WITH left_over AS (
        SELECT cl.id AS cell_id, c.replicate, cl.successful + cl.in_flight < cl.target AS has_room,
               min(CASE WHEN c.is_busy = false THEN c.next_call_at END) AS moment,
               min(CASE WHEN c.is_busy = false AND c.priority < 2 THEN c.next_call_at END) AS promised
        FROM cells cl CROSS JOIN orders o CROSS JOIN cases c
        WHERE cl.state = 'open' AND cl.successful < cl.target AND o.id = cl.order_id AND o.voiced_at IS NOT NULL
          AND c.cell_id = cl.id
          AND c.is_final = false AND c.exclusion IS NULL AND (c.is_busy = true OR c.next_call_at IS NOT NULL)
          AND (c.consent IS NULL OR c.consent <> 'nee')
          AND (c.consent = 'ja' OR (NOT :consent_only AND c.announced_on >= :announced_from))
        GROUP BY cl.id, c.replicate
    ), opened AS (SELECT cell_id, min(replicate) AS replicate FROM left_over GROUP BY cell_id
    ), next AS (
        SELECT l.has_room, CASE WHEN l.replicate = opened.replicate THEN l.moment ELSE l.promised END AS moment
        FROM left_over l JOIN opened ON opened.cell_id = l.cell_id
    )
    SELECT min(CASE WHEN has_room THEN moment END) AS with_room,
           min(CASE WHEN NOT has_room THEN moment END) AS without_room
    FROM next
""")
    .bindparams(sa.bindparam("consent_only", type_=sa.Boolean), sa.bindparam("announced_from", type_=sa.Date))
    .columns(with_room=Moment, without_room=Moment)
)


def ahead(session: Session, bounds: Bounds) -> tuple[datetime | None, datetime | None]:
    """The earliest `next_call_at` in cells with room, and in cells whose slots are all taken just now."""
    row = _AHEAD.row(session, {"consent_only": bounds.consent_only, "announced_from": bounds.announced_from})
    assert row is not None
    with_room, without_room = row
    return with_room, without_room


def set_state(session: Session, cell_id: int, state: str) -> None:
    """Open, pause or close the cell. Calls in flight go on."""
    session.execute(sa.update(cells).where(cells.c.id == cell_id).values(state=state))


def set_target(session: Session, cell_id: int, target: int) -> Cell:
    """Raise or lower the target while the cell runs. Lower than what is done and in flight throws nobody out."""
    busy = cells.c.successful + cells.c.in_flight
    session.execute(
        sa.update(cells)
        .where(cells.c.id == cell_id)
        .values(target=target, capacity=sa.case((busy > target, busy), else_=target))
    )
    return get(session, cell_id)


# One look over the attempts for all cells, not one a cell.
_HELD = (
    sa.select(attempts.c.cell_id, sa.func.count().label("held"))
    .where(attempts.c.holds_slot.is_(True))
    .group_by(attempts.c.cell_id)
    .subquery()
)
MISCOUNTED = (
    sa.select(cells.c.id)
    .select_from(cells.outerjoin(_HELD, _HELD.c.cell_id == cells.c.id))
    .where(cells.c.in_flight != sa.func.coalesce(_HELD.c.held, 0))
)
_FILLED_WITH_PEOPLE = sa.select(cells.c.id).where(
    cells.c.successful >= cells.c.target,
    cells.c.in_flight == 0,
    sa.exists().where(cases.c.cell_id == cells.c.id, cases.c.is_final.is_(False), cases.c.is_busy.is_(False)),
)


def miscounted(session: Session) -> list[int]:
    """Cells whose `in_flight` is not what their attempts hold."""
    return list(session.execute(MISCOUNTED).scalars())


def recount(session: Session) -> list[tuple[int, int, int]]:
    """Make each cell's `in_flight` what its attempts hold. The cells that were wrong: (cell, was, is)."""
    mended: list[tuple[int, int, int]] = []
    for id in miscounted(session):
        # Looked at again under the lock: between the two reads a call may have been planned or ended.
        was = session.execute(sa.select(cells.c.in_flight).where(cells.c.id == id).with_for_update()).scalar_one()
        count = session.execute(
            sa.select(sa.func.count()).where(attempts.c.cell_id == id, attempts.c.holds_slot.is_(True))
        ).scalar_one()
        if was != count:
            session.execute(sa.update(cells).where(cells.c.id == id).values(in_flight=count))
            mended.append((id, was, count))
    return mended


def filled_with_people(session: Session) -> list[int]:
    """Cells that are filled with nothing in flight (or closed by staff) in which people are left who are not final."""
    return list(session.execute(_FILLED_WITH_PEOPLE).scalars())


def overview(session: Session) -> list[Mapping[str, Any]]:
    """Every cell in the order in which they came: provider, period, counters, attempts that were (perhaps) placed."""
    placed = (
        sa.select(sa.func.count())
        .where(
            attempts.c.cell_id == cells.c.id,
            attempts.c.is_test.is_(False),
            attempts.c.state.in_(("dialing", "placed", "closed", "unknown")),
        )
        .correlate(cells)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            *_COLUMNS,
            providers.c.name.label("provider"),
            samples.c.period_from,
            samples.c.period_to,
            orders.c.voiced_at,
            placed.label("attempts"),
        )
        .join(samples, samples.c.id == cells.c.sample_id)
        .join(providers, providers.c.id == samples.c.provider_id)
        .join(orders, orders.c.id == cells.c.order_id)
        .order_by(cells.c.id)
    )
    return [dict(row._mapping) for row in rows]


def dispositions(session: Session) -> dict[int, dict[str, int]]:
    """Of each cell: how many of its cases have each disposition."""
    rows = session.execute(
        sa.select(cases.c.cell_id, cases.c.disposition, sa.func.count())
        .where(cases.c.cell_id.is_not(None))
        .group_by(cases.c.cell_id, cases.c.disposition)
        .order_by(cases.c.cell_id, cases.c.disposition)
    )
    counts: dict[int, dict[str, int]] = {}
    for cell_id, disposition, count in rows:
        counts.setdefault(cell_id, {})[disposition] = count
    return counts


def people_left(session: Session, bounds: Bounds) -> dict[int, int]:
    """Of each cell: how many of its people can still be called, now or later, or are in a call."""
    permitted = cases.c.consent == "ja"
    if not bounds.consent_only:
        permitted = sa.or_(permitted, cases.c.announced_on >= bounds.announced_from)
    rows = session.execute(
        sa.select(cases.c.cell_id, sa.func.count())
        .where(
            cases.c.cell_id.is_not(None),
            cases.c.is_final.is_(False),
            cases.c.exclusion.is_(None),
            sa.or_(
                cases.c.is_busy.is_(True),
                sa.and_(
                    cases.c.next_call_at.is_not(None),
                    permitted,
                    sa.or_(cases.c.consent.is_(None), cases.c.consent != "nee"),
                ),
            ),
        )
        .group_by(cases.c.cell_id)
    )
    return {row[0]: row[1] for row in rows}
