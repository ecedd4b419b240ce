"""How far the people of a cell are: by how many calls they have behind them, and whether they can still be called.

Decides nothing; what it lets one expect is `survey/forecast.py`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.store import headcount
from ivr.store.admission import Bounds
from ivr.store.session import Session
from ivr.store.tables import attempts, interviews
from ivr.survey.forecast import Progress


@dataclass(frozen=True, slots=True)
class CellProgress:
    """The people of a cell by calls, its first call, and its interviews since the moment asked for."""

    rows: tuple[Progress, ...] = ()
    first_call_at: datetime | None = None
    recent: int = 0


@dataclass(slots=True)
class _Growing:
    rows: tuple[Progress, ...]
    first_call_at: datetime | None = None
    recent: int = 0

    def finished(self) -> CellProgress:
        return CellProgress(self.rows, self.first_call_at, self.recent)


def of_cells(
    session: Session, bounds: Bounds, since: datetime | None, only: Collection[int] | None = None
) -> dict[int, CellProgress]:
    """Of each cell (or only these): its people by calls, and its interviews since then (None: only the people)."""
    found = {
        cell_id: _Growing(count.progress)
        for cell_id, count in sorted(headcount.of_cells(session, bounds, only).items())
    }
    if since is not None:
        _pace(session, found, since)
    return {cell_id: growing.finished() for cell_id, growing in found.items()}


def _pace(session: Session, found: dict[int, _Growing], since: datetime) -> None:
    first = sa.select(
        attempts.c.cell_id, sa.type_coerce(sa.func.min(attempts.c.planned_at), attempts.c.planned_at.type)
    ).where(attempts.c.cell_id.in_(found), attempts.c.is_test.is_(False))
    begun: list[Any] = list(session.execute(first.group_by(attempts.c.cell_id)))
    for cell_id, moment in begun:
        found[cell_id].first_call_at = moment
    done = sa.select(interviews.c.cell_id, sa.func.count()).where(
        interviews.c.cell_id.in_(found), interviews.c.successful.is_(True), interviews.c.usable_at >= since
    )
    for cell_id, count in session.execute(done.group_by(interviews.c.cell_id)):
        found[cell_id].recent = count
