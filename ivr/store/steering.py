"""A cell's state and target, and the people who wait for them to change.

Decides nothing: what staff may do is `fieldwork/steering.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.cases import Case
from ivr.store.session import Session
from ivr.store.tables import cases, cells, orders


@dataclass(frozen=True, slots=True)
class CellStand:
    """How a cell stands now, locked until the transaction ends. `ordered`: the interviews of its order."""

    id: int
    track: str
    ordered: int
    target: int
    capacity: int
    successful: int
    in_flight: int
    state: str


def lock_cell(session: Session, cell_id: int) -> CellStand:
    """The cell, so that no slot of it moves before the caller is done. NotFoundError."""
    row = session.execute(
        sa.select(
            cells.c.id,
            cells.c.track,
            orders.c.interviews.label("ordered"),
            cells.c.target,
            cells.c.capacity,
            cells.c.successful,
            cells.c.in_flight,
            cells.c.state,
        )
        .select_from(cells.join(orders, cells.c.order_id == orders.c.id))
        .where(cells.c.id == cell_id)
        .with_for_update(of=cells)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no cell {cell_id}.")
    return CellStand(**row._mapping)


def not_called_because_full(session: Session, cell_id: int) -> list[tuple[Case, int]]:
    """The people who were left because the cell was full, each with how often they had been dialled."""
    query = (
        sa.select(*(cases.c[name] for name in Case.__dataclass_fields__), cases.c.dialled)
        .where(cases.c.cell_id == cell_id, cases.c.disposition == "quota_full", cases.c.is_final.is_(sa.true()))
        .order_by(cases.c.id)
    )
    rows = (dict(row._mapping) for row in session.execute(query))
    return [(Case(**{name: row[name] for name in Case.__dataclass_fields__}), row["dialled"]) for row in rows]
