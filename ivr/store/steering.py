"""How a cell stands beside its order: what staff who change it must know first."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.session import Session
from ivr.store.tables import cells, orders


@dataclass(frozen=True, slots=True)
class Stand:
    """State, target and successes of a cell, and the interviews of its order."""

    state: str
    target: int
    successful: int
    ordered: int


def stand(session: Session, cell_id: int) -> Stand:
    """The cell as it stands. NotFoundError."""
    row = session.execute(
        sa.select(cells.c.state, cells.c.target, cells.c.successful, orders.c.interviews)
        .select_from(cells.join(orders, cells.c.order_id == orders.c.id))
        .where(cells.c.id == cell_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no cell {cell_id}.")
    return Stand(*row)
