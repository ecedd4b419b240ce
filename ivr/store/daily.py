"""How a provider's cells stood on a morning: written down once a day, so that nothing on its page is live.

What is written is worked out in `fieldwork/following.py`. A day that was written stays as it is, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store.session import Session
from ivr.store.tables import cases, cells, interviews, orders, samples
from ivr.store.tables_providers import daily_figures


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands on a provider's page about one cell on one day."""

    cell_id: int
    target: int
    successful: int
    people: int
    state: str
    is_voiced: bool
    expected: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """Which cell it is."""

    cell_id: int
    order_id: int
    track: str
    period: tuple[date, date]
    ordered_at: datetime


def heads(session: Session, provider_id: int) -> list[Head]:
    """A provider's cells, the newest meetperiode first."""
    query = (
        sa.select(
            cells.c.id, orders.c.id, cells.c.track, samples.c.period_from, samples.c.period_to, orders.c.created_at
        )
        .select_from(
            cells.join(orders, cells.c.order_id == orders.c.id).join(samples, cells.c.sample_id == samples.c.id)
        )
        .where(samples.c.provider_id == provider_id)
        .order_by(samples.c.period_from.desc(), cells.c.id)
    )
    return [Head(row[0], row[1], row[2], (row[3], row[4]), row[5]) for row in session.execute(query)]


def people(session: Session, provider_id: int) -> dict[int, int]:
    """How many people the list of each cell has."""
    query = (
        sa.select(cases.c.cell_id, sa.func.count())
        .join(samples, cases.c.sample_id == samples.c.id)
        .where(samples.c.provider_id == provider_id, cases.c.cell_id.is_not(None))
        .group_by(cases.c.cell_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def figures(session: Session, cell_ids: Iterable[int], day: date) -> dict[int, Figures]:
    """What was written down for this day."""
    columns = [daily_figures.c[name] for name in Figures.__slots__]
    query = sa.select(*columns).where(daily_figures.c.day == day, daily_figures.c.cell_id.in_(list(cell_ids)))
    return {row.cell_id: Figures(**row._mapping) for row in session.execute(query)}


def write_down(session: Session, day: date, all_: Iterable[Figures]) -> None:
    """Keep the figures of this day; those that stand already win."""
    insert = postgresql.insert if session.dialect.name == "postgresql" else sqlite.insert
    for one in all_:
        session.execute(insert(daily_figures).values(day=day, **asdict(one)).on_conflict_do_nothing())


def successes(session: Session, provider_id: int, until: datetime) -> list[tuple[int, datetime]]:
    """(cell, moment it counted) of a provider's successful interviews before `until`, oldest first."""
    query = (
        sa.select(interviews.c.cell_id, interviews.c.usable_at)
        .join(cells, interviews.c.cell_id == cells.c.id)
        .join(samples, cells.c.sample_id == samples.c.id)
        .where(
            samples.c.provider_id == provider_id,
            interviews.c.successful.is_(sa.true()),
            interviews.c.usable_at < until,
        )
        .order_by(interviews.c.usable_at)
    )
    return [(row[0], row[1]) for row in session.execute(query)]
