"""How far the people of a cell are: by how many calls they have behind them, and whether they can still be called.

Decides nothing; what it lets one expect is `survey/forecast.py`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.store.admission import Bounds
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, interviews
from ivr.survey.forecast import Progress

SUCCEEDED = ("complete", "partial")
STOPPED = ("quota_full", "answered_elsewhere", "announcement_expired", "opted_out", "withdrawn")
"""Ended by something else than their own calls: they say nothing of how people answer."""


@dataclass(frozen=True, slots=True)
class CellProgress:
    """The people of a cell by calls, its first call, and its interviews since the moment asked for."""

    rows: tuple[Progress, ...] = ()
    first_call_at: datetime | None = None
    recent: int = 0


@dataclass(slots=True)
class _Growing:
    rows: dict[int, dict[str, int]] = field(default_factory=dict)
    first_call_at: datetime | None = None
    recent: int = 0

    def finished(self) -> CellProgress:
        rows = tuple(Progress(calls, **counts) for calls, counts in sorted(self.rows.items()))
        return CellProgress(rows, self.first_call_at, self.recent)


def of_cells(
    session: Session, bounds: Bounds, since: datetime | None, only: Collection[int] | None = None
) -> dict[int, CellProgress]:
    """Of each cell (or only these): its people by calls, and its interviews since then (None: only the people).

    A list that nobody was called from and that waits for its letters counts as waiting: its fieldwork is to come.
    """
    permitted: Any = cases.c.consent == "ja"
    if not bounds.consent_only:
        permitted = sa.or_(permitted, cases.c.announced_on >= bounds.announced_from)
    reachable = sa.or_(
        cases.c.is_busy.is_(True),
        sa.and_(cases.c.next_call_at.is_not(None), permitted),
        sa.and_(cases.c.disposition == "fresh", cases.c.announced_on.is_(None), cases.c.consent.is_(None)),
    )
    kind = sa.case(
        (cases.c.disposition.in_(SUCCEEDED), "succeeded"),
        (cases.c.disposition.in_(STOPPED), "stopped"),
        (cases.c.is_final.is_(True), "left"),
        (sa.and_(cases.c.exclusion.is_(None), reachable), "waiting"),
        else_="stopped",
    ).label("kind")
    mine = cases.c.cell_id.is_not(None) if only is None else cases.c.cell_id.in_(only)
    found: dict[int, _Growing] = {}
    people = sa.select(cases.c.cell_id, cases.c.attempts, kind).where(mine).subquery()
    columns = (people.c.cell_id, people.c.attempts, people.c.kind)
    counted = sa.select(*columns, sa.func.count()).group_by(*columns).order_by(*columns)
    for cell_id, calls, what, count in session.execute(counted):
        rows = found.setdefault(cell_id, _Growing()).rows
        rows.setdefault(calls, {})[what] = count
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
