"""Deliveries of a provider and the meetperiodes that it has; what became of each row is kept as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import cases, orders, samples
from ivr.store.tables_providers import deliveries

KEPT = 5
"""Answers of one list that are kept: the newest."""

Told = tuple[int, str, str]
"""(row, column, message)"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a file that was delivered."""

    id: int
    period: tuple[date, date]
    at: datetime
    rows: int
    accepted: int
    rejected: Sequence[Told]
    warnings: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Period:
    """A meetperiode that is known of a provider. `is_closed`: somebody was called, the list takes no more."""

    sample_id: int
    first: date
    last: date
    is_closed: bool


def periods(session: Session, provider_id: int) -> list[Period]:
    """Every meetperiode of a provider in which there is anybody or anything ordered, the newest first."""
    holds_people = sa.exists().where(cases.c.sample_id == samples.c.id)
    holds_orders = sa.exists().where(orders.c.sample_id == samples.c.id)
    was_called = sa.exists().where(cases.c.sample_id == samples.c.id, cases.c.dialled > 0)
    query = (
        sa.select(samples.c.id, samples.c.period_from, samples.c.period_to, was_called)
        .where(samples.c.provider_id == provider_id, sa.or_(holds_people, holds_orders))
        .order_by(samples.c.period_from.desc(), samples.c.id.desc())
    )
    return [Period(row[0], row[1], row[2], bool(row[3])) for row in session.execute(query)]


def keep(
    session: Session,
    sample_id: int,
    at: datetime,
    who: str,
    rows: int,
    accepted: int,
    rejected: Sequence[Told],
    warnings: Sequence[Told],
) -> int:
    """Keep the answer to a delivery and let go of the oldest ones of this list; its id."""
    told = {"rejected": [list(one) for one in rejected], "warnings": [list(one) for one in warnings]}
    row = {"sample_id": sample_id, "at": at, "who": who, "rows": rows, "accepted": accepted}
    kept = session.execute(deliveries.insert().values(**row, **told).returning(deliveries.c.id)).scalar_one()
    newest = sa.select(deliveries.c.id).where(deliveries.c.sample_id == sample_id)
    newest = newest.order_by(deliveries.c.id.desc()).limit(KEPT)
    ids = list(session.execute(newest).scalars())
    session.execute(deliveries.delete().where(deliveries.c.sample_id == sample_id, deliveries.c.id.not_in(ids)))
    return kept


def of_provider(session: Session, provider_id: int, delivery_id: int) -> Delivery | None:
    """One delivery, if it is this provider's."""
    found = _query(provider_id).where(deliveries.c.id == delivery_id)
    row = session.execute(found).one_or_none()
    return _delivery(row) if row is not None else None


def latest(session: Session, provider_id: int) -> list[Delivery]:
    """The newest delivery of each meetperiode, the newest first."""
    newest = sa.select(sa.func.max(deliveries.c.id)).group_by(deliveries.c.sample_id)
    query = _query(provider_id).where(deliveries.c.id.in_(newest)).order_by(deliveries.c.id.desc())
    return [_delivery(row) for row in session.execute(query)]


def _query(provider_id: int) -> sa.Select:
    return (
        sa.select(
            deliveries.c.id,
            samples.c.period_from,
            samples.c.period_to,
            deliveries.c.at,
            deliveries.c.rows,
            deliveries.c.accepted,
            deliveries.c.rejected,
            deliveries.c.warnings,
        )
        .select_from(deliveries.join(samples, deliveries.c.sample_id == samples.c.id))
        .where(samples.c.provider_id == provider_id)
    )


def _delivery(row: sa.Row) -> Delivery:
    rejected, warnings = ([(one[0], one[1], one[2]) for one in told] for told in (row.rejected, row.warnings))
    return Delivery(row.id, (row.period_from, row.period_to), row.at, row.rows, row.accepted, rejected, warnings)
