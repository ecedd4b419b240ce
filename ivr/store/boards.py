"""The board and the lines: cells with the counts of their people, and how busy the telephone is.

Decides what is counted; what needs attention is `fieldwork/outlook.py`'s. Nothing here opens contact data or reads the
value of an answer. The board costs a few broad statements however many people watch it. What a single cell's page adds
is in `cell_figures.py`, its people are in `people.py`, and who changed what in `audits.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store import headcount
from ivr.store.admission import Bounds
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, cells, interviews, lines, orders, providers, samples
from ivr.store.troubles import technical
from ivr.survey.forecast import Progress


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell with the counts of its people. `cases`: people by disposition; `open_cases`: not final; `callable_cases`:
    of those the ones that can be called now or later, or are in a call; `worked_cases`: final and dialled; `dialled`:
    calls so far."""

    id: int
    provider_id: int
    provider: str
    period_from: date
    period_to: date
    track: str
    ordered: int
    target: int
    capacity: int
    successful: int
    in_flight: int
    state: str
    is_voiced: bool
    cases: Mapping[str, int]
    open_cases: int
    callable_cases: int
    worked_cases: int
    dialled: int
    errors: int
    progress: tuple[Progress, ...] = ()
    """Its people by calls behind them, for the forecast; empty where that is not read."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls now. `in_flight`: dialling or up; `last_minute`: placed in the last 60 s; `answered` of `placed` in the
    last hour; `down_until`: lines that are out, with the moment of the next try (or None)."""

    in_flight: int
    last_minute: int
    placed: int
    answered: int
    errors: int
    down: bool
    down_until: datetime | None


def cell_rows(
    session: Session,
    since_errors: datetime,
    bounds: Bounds | None,
    *,
    provider_id: int | None = None,
    cell_id: int | None = None,
    before: headcount.Counted | None = None,
) -> list[CellRow]:
    """All cells (or one provider's, or one) by provider and period; technical failures are counted from then on.

    `bounds` say who may still be called; without them `callable_cases` is 0. `before`: see `headcount.of_cells`.
    """
    narrowed = [
        *([samples.c.provider_id == provider_id] if provider_id is not None else []),
        *([cells.c.id == cell_id] if cell_id is not None else []),
    ]
    query = (
        sa.select(
            cells.c.id,
            samples.c.provider_id,
            providers.c.name.label("provider"),
            samples.c.period_from,
            samples.c.period_to,
            cells.c.track,
            orders.c.interviews.label("ordered"),
            cells.c.target,
            cells.c.capacity,
            cells.c.successful,
            cells.c.in_flight,
            cells.c.state,
            orders.c.voiced_at.is_not(None).label("is_voiced"),
        )
        .select_from(
            cells.join(orders, cells.c.order_id == orders.c.id).join(samples, cells.c.sample_id == samples.c.id)
        )
        .join(providers, samples.c.provider_id == providers.c.id)
        .where(*narrowed)
        .order_by(providers.c.name_key, samples.c.period_from, cells.c.id)
    )
    heads = session.execute(query).all()
    only = [head.id for head in heads] if narrowed else None
    counted = headcount.of_cells(session, bounds, only, before)
    failed = _failures(session, since_errors)
    rows: list[CellRow] = []
    for head in heads:
        people = counted.get(head.id) or headcount.Headcount()
        rows.append(
            CellRow(
                **head._mapping,
                cases=people.cases,
                open_cases=people.open_cases,
                callable_cases=people.callable_cases,
                worked_cases=people.worked_cases,
                dialled=people.dialled,
                errors=failed.get(head.id, 0),
                progress=people.progress if bounds is not None else (),
            )
        )
    return rows


def _failures(session: Session, since: datetime) -> dict[int, int]:
    """Few rows, counted here: grouped by cell, SQLite would go through all calls that there are in that order."""
    query = sa.select(attempts.c.cell_id).where(
        attempts.c.planned_at >= since, technical(), attempts.c.is_test.is_(sa.false()), attempts.c.cell_id.is_not(None)
    )
    return Counter(session.execute(query).scalars())


def traffic(session: Session, now: datetime) -> Traffic:
    """How busy the lines are."""
    up = sa.select(sa.func.count()).where(attempts.c.state.in_(("dialing", "placed")))
    minute, hour = now - timedelta(minutes=1), now - timedelta(hours=1)
    recent = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.placed_at >= minute, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.answered_at.is_not(None), 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.outcome == "technical", 1), else_=0)), 0),
    ).where(
        attempts.c.state.in_(("placed", "closed")),
        attempts.c.planned_at >= hour - timedelta(hours=1),
        attempts.c.placed_at >= hour,
    )
    placed, last_minute, answered, errors = session.execute(recent).one()
    down = session.execute(sa.select(lines.c.not_before).where(lines.c.is_down.is_(sa.true()))).scalars().all()
    until = max((moment for moment in down if moment is not None), default=None)
    in_flight = session.execute(up).scalar_one()
    return Traffic(in_flight, int(last_minute), int(placed), int(answered), int(errors), bool(down), until)


def cell_row(session: Session, cell_id: int, since_errors: datetime, bounds: Bounds) -> CellRow:
    """One cell. NotFoundError when there is none."""
    found = cell_rows(session, since_errors, bounds, cell_id=cell_id)
    if not found:
        raise NotFoundError(f"There is no cell {cell_id}.")
    return found[0]


def daily_rows(session: Session, provider_id: int, until: datetime) -> list[CellRow]:
    """A provider's cells as they stood at `until`, as far as the database can tell, without anything of after it.

    Successes count by the moment they became usable. A person who is final counts as worked unless a call was planned
    after `until`; who was left because the cell filled counts as open, so that filling today shows tomorrow.
    """
    called_since = (
        sa.select(attempts.c.id).where(attempts.c.case_id == cases.c.id, attempts.c.planned_at >= until).exists()
    )
    was_open = sa.or_(cases.c.is_final.is_(sa.false()), called_since, cases.c.disposition == "quota_full")
    people = (
        sa.select(
            cases.c.cell_id,
            sa.func.sum(sa.case((was_open, 1), else_=0)).label("open"),
            sa.func.sum(sa.case((sa.and_(~was_open, cases.c.dialled > 0), 1), else_=0)).label("worked"),
        )
        .join(samples, cases.c.sample_id == samples.c.id)
        .where(samples.c.provider_id == provider_id, cases.c.cell_id.is_not(None))
        .group_by(cases.c.cell_id)
    )
    stood = {row.cell_id: (int(row.open), int(row.worked)) for row in session.execute(people)}
    successes = (
        sa.select(interviews.c.cell_id, sa.func.count())
        .join(cells, cells.c.id == interviews.c.cell_id)
        .join(samples, cells.c.sample_id == samples.c.id)
        .where(
            samples.c.provider_id == provider_id,
            interviews.c.successful.is_(sa.true()),
            interviews.c.usable_at < until,
        )
        .group_by(interviews.c.cell_id)
    )
    done = {row[0]: row[1] for row in session.execute(successes)}
    rows = []
    for row in cell_rows(session, until, None, provider_id=provider_id):
        open_cases, worked = stood.get(row.id, (0, 0))
        rows.append(
            replace(
                row,
                successful=done.get(row.id, 0),
                in_flight=0,
                cases={},
                open_cases=open_cases,
                callable_cases=open_cases,
                worked_cases=worked,
                dialled=0,
                errors=0,
            )
        )
    return rows
