"""The ledger: one line for each purchased interview that succeeded, and who pays it.

Lines are only ever added. A withdrawal adds a line with the sums taken back that points at the line it reverses;
the number that becomes free (the nth purchased success of provider and period, over all orders) goes to the next
success, so that a subsidy is neither lost nor paid twice. How much is whose is decided in `survey/billing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from ivr.store.orders import lock_sample
from ivr.store.samples import name_key
from ivr.store.session import Session
from ivr.store.tables import cells, ledger, orders, providers, samples
from ivr.survey.billing import DEFAULT_SUBSIDY, SubsidyRules, subsidy_of


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line as it is shown. Sums in euros; negative when it takes back line `reverses`."""

    line: int
    order_id: int
    provider: str
    period_from: date
    period_to: date
    interview_id: str
    number: int
    at: datetime
    price: Decimal
    subsidy: Decimal
    provider_share: Decimal
    reverses: int | None


def enter(session: Session, cell_id: int, interview_id: str, now: datetime) -> None:
    """A line for a successful interview of a purchased cell, by the terms of its order.

    Nothing for inburgering, nothing the second time, and nothing beyond what was ordered: that costs nobody anything.
    """
    row = session.execute(
        sa.select(
            cells.c.track,
            cells.c.sample_id,
            orders.c.id,
            orders.c.price,
            orders.c.interviews,
            orders.c.subsidy_first,
            orders.c.subsidy_share,
        )
        .select_from(cells.join(orders, cells.c.order_id == orders.c.id))
        .where(cells.c.id == cell_id)
    ).one()
    if row.track != "purchased":
        return
    lock_sample(session, row.sample_id)
    if session.execute(sa.select(ledger.c.id).where(_stands(), ledger.c.interview_id == interview_id)).first():
        return
    standing = session.execute(
        sa.select(ledger.c.number, ledger.c.order_id, ledger.c.subsidy)
        .select_from(ledger.join(orders, ledger.c.order_id == orders.c.id))
        .where(_stands(), orders.c.sample_id == row.sample_id)
    ).all()
    if sum(line.order_id == row.id for line in standing) >= row.interviews:
        return
    taken = {line.number for line in standing}
    number = next(number for number in range(1, len(taken) + 2) if number not in taken)
    price = Decimal(row.price)
    rules = DEFAULT_SUBSIDY
    if row.subsidy_first is not None and row.subsidy_share is not None:
        rules = SubsidyRules(row.subsidy_first, Decimal(row.subsidy_share))
    mine = [line.subsidy for line in standing if line.order_id == row.id and line.number <= rules.first]
    subsidy = subsidy_of(number, price, rules, mine)
    session.execute(
        sa.insert(ledger).values(
            order_id=row.id,
            interview_id=interview_id,
            number=number,
            at=now,
            price=price,
            subsidy=subsidy,
            provider_share=price - subsidy,
        )
    )


def reverse(session: Session, interview_id: str, now: datetime) -> bool:
    """Take the line of a withdrawn interview back. False: it has none, or was taken back before."""
    row = session.execute(sa.select(ledger).where(_stands(), ledger.c.interview_id == interview_id)).first()
    if row is None:
        return False
    session.execute(
        sa.insert(ledger).values(
            order_id=row.order_id,
            interview_id=interview_id,
            number=row.number,
            at=now,
            price=-row.price,
            subsidy=-row.subsidy,
            provider_share=-row.provider_share,
            reverses=row.id,
        )
    )
    return True


def lines(session: Session, provider: str | None = None) -> list[LedgerLine]:
    """All lines, or those of one provider, in the order they were written."""
    query = (
        sa.select(
            ledger.c.id,
            ledger.c.order_id,
            providers.c.name,
            samples.c.period_from,
            samples.c.period_to,
            ledger.c.interview_id,
            ledger.c.number,
            ledger.c.at,
            ledger.c.price,
            ledger.c.subsidy,
            ledger.c.provider_share,
            ledger.c.reverses,
        )
        .select_from(
            ledger.join(orders, ledger.c.order_id == orders.c.id)
            .join(samples, samples.c.id == orders.c.sample_id)
            .join(providers, providers.c.id == samples.c.provider_id)
        )
        .order_by(ledger.c.id)
    )
    if provider is not None:
        query = query.where(providers.c.name_key == name_key(provider))
    return [LedgerLine(*row) for row in session.execute(query)]


def _stands() -> sa.ColumnElement[bool]:
    taken_back = ledger.alias()
    return sa.and_(
        ledger.c.reverses.is_(None), ~sa.exists().where(taken_back.c.reverses == ledger.c.id).correlate(ledger)
    )
