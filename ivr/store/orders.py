"""Orders and their quota cells, and which cases belong to a cell.

Keeps them; who may be bought is decided in `survey/eligibility.py`, the steps of an order in
`fieldwork/ordering.py`, and the slots of a cell in `quotas.py`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from ivr.store.samples import name_key
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, cells, interviews, orders, providers, samples
from ivr.survey.billing import DEFAULT_SUBSIDY, SubsidyRules

UNORDERED = -1
"""Position of a case that joined its cell and has not been given its place in the random order yet."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with what its order says. `services` None: all. `cases` = how many belong to it."""

    id: int
    order_id: int
    track: str
    target: int
    successful: int
    state: str
    services: tuple[int, ...] | None
    cases: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order as the list shows it. Money per successful interview; None for inburgering."""

    order_id: int
    cell_id: int
    provider: str
    period_from: date
    period_to: date
    track: str
    interviews: int
    price: Decimal | None
    services: tuple[int, ...] | None
    successful: int
    cases: int
    is_voiced: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that a purchased order could call."""

    case_id: int
    consent: str | None
    announced_on: date | None


def lock_sample(session: Session, sample_id: int) -> None:
    """Let nobody else open orders or enter ledger lines of this sample until the transaction ends."""
    session.execute(sa.select(samples.c.id).where(samples.c.id == sample_id).with_for_update())


def ensure_inburgering(session: Session, sample_id: int, target: int, now: datetime) -> int:
    """The inburgering cell of a sample, opened with `target` when there is none; its id."""
    query = sa.select(cells.c.id).where(cells.c.sample_id == sample_id, cells.c.track == "inburgering")
    if (found := session.execute(query).scalar()) is not None:
        return found
    lock_sample(session, sample_id)
    if (found := session.execute(query).scalar()) is not None:
        return found
    return _open(session, sample_id, "inburgering", target, None, None, now)[1]


def open_purchased(
    session: Session,
    sample_id: int,
    interviews: int,
    price: Decimal,
    services: Sequence[int] | None,
    now: datetime,
    subsidy: SubsidyRules = DEFAULT_SUBSIDY,
) -> tuple[int, int]:
    """A purchased order and its cell: (order id, cell id). The terms of the subsidy are frozen with it."""
    return _open(session, sample_id, "purchased", interviews, price, services, now, subsidy)


def ordered_interviews(session: Session, sample_id: int) -> int:
    """How many interviews were bought so far for this provider and period, over all orders."""
    query = sa.select(sa.func.coalesce(sa.func.sum(orders.c.interviews), 0)).where(
        orders.c.sample_id == sample_id, orders.c.track == "purchased"
    )
    return int(session.execute(query).scalar_one())


def cells_of(session: Session, sample_id: int) -> list[Cell]:
    """The cells of a sample, oldest first."""
    members = sa.select(sa.func.count()).where(cases.c.cell_id == cells.c.id).correlate(cells).scalar_subquery()
    query = (
        sa.select(
            cells.c.id,
            cells.c.order_id,
            cells.c.track,
            cells.c.target,
            cells.c.successful,
            cells.c.state,
            orders.c.services,
            members,
        )
        .select_from(cells.join(orders, cells.c.order_id == orders.c.id))
        .where(cells.c.sample_id == sample_id)
        .order_by(cells.c.id)
    )
    return [Cell(*row[:6], _services(row[6]), row[7]) for row in session.execute(query)]


def candidates(session: Session, sample_id: int, services: Collection[int] | None) -> list[Candidate]:
    """Cases that a new order may take: regular route, a usable number, not refused, nothing answered, in no cell.

    Those that were never dialled because an earlier purchased cell filled count as being in no cell.
    """
    is_free = sa.and_(cases.c.cell_id.is_(None), cases.c.is_final.is_(sa.false()))
    was_left_over = sa.and_(cases.c.disposition == "quota_full", cases.c.dialled == 0, cases.c.route == "regular")
    query = (
        sa.select(cases.c.id, cases.c.consent, cases.c.announced_on)
        .where(*_callable_beside_regular(sample_id, services), sa.or_(is_free, was_left_over))
        .order_by(cases.c.id)
    )
    return [Candidate(*row) for row in session.execute(query)]


def movable(session: Session, cell_id: int, sample_id: int, services: Collection[int] | None) -> list[Candidate]:
    """Cases of a purchased cell that nobody has dialled yet, the last in its order first."""
    query = (
        sa.select(cases.c.id, cases.c.consent, cases.c.announced_on)
        .where(
            *_callable_beside_regular(sample_id, services),
            cases.c.cell_id == cell_id,
            cases.c.dialled == 0,
            cases.c.is_busy.is_(sa.false()),
            cases.c.is_final.is_(sa.false()),
        )
        .order_by(cases.c.position.desc())
    )
    return [Candidate(*row) for row in session.execute(query)]


def join(session: Session, cell_id: int, case_id: int, next_call_at: datetime | None) -> None:
    """Put a case into a cell as a fresh one; `put_in_order` then gives it its place."""
    session.execute(
        sa.update(cases)
        .where(cases.c.id == case_id)
        .values(
            cell_id=cell_id,
            next_call_at=next_call_at,
            position=UNORDERED,
            disposition="fresh",
            is_final=False,
        )
    )


def put_in_order(session: Session, cell_id: int, seed: int, replicate_size: int) -> int:
    """Give the cases that joined a cell their place in its random order, after those already there; how many."""
    in_cell = cases.c.cell_id == cell_id
    waiting = list(
        session.execute(
            sa.select(cases.c.id).where(in_cell, cases.c.position == UNORDERED).order_by(cases.c.respondent, cases.c.id)
        ).scalars()
    )
    if not waiting:
        return 0
    start = 1 + int(session.execute(sa.select(sa.func.max(cases.c.position)).where(in_cell)).scalar_one())
    # Not a secret: the order must be the same for the same list and seed, and unrelated to the list's own order.
    random.Random(f"{seed}/{start}").shuffle(waiting)  # noqa: S311
    session.execute(
        sa.update(cases)
        .where(cases.c.id == sa.bindparam("case"))
        .values(position=sa.bindparam("at"), replicate=sa.bindparam("share")),
        [
            {"case": case_id, "at": position, "share": position // replicate_size}
            for position, case_id in enumerate(waiting, start=start)
        ],
    )
    return len(waiting)


def list_orders(session: Session, provider: str | None = None) -> list[OrderLine]:
    """All orders, or those of one provider, oldest first."""
    members = sa.select(sa.func.count()).where(cases.c.cell_id == cells.c.id).correlate(cells).scalar_subquery()
    query = (
        sa.select(
            orders.c.id,
            cells.c.id,
            providers.c.name,
            samples.c.period_from,
            samples.c.period_to,
            orders.c.track,
            orders.c.interviews,
            orders.c.price,
            orders.c.services,
            cells.c.successful,
            members,
            orders.c.voiced_at,
        )
        .select_from(
            orders.join(cells, cells.c.order_id == orders.c.id)
            .join(samples, samples.c.id == orders.c.sample_id)
            .join(providers, providers.c.id == samples.c.provider_id)
        )
        .order_by(orders.c.id)
    )
    if provider is not None:
        query = query.where(providers.c.name_key == name_key(provider))
    return [
        OrderLine(*row[:8], _services(row[8]), row[9], row[10], row[11] is not None) for row in session.execute(query)
    ]


def _open(
    session: Session,
    sample_id: int,
    track: str,
    target: int,
    price: Decimal | None,
    services: Sequence[int] | None,
    now: datetime,
    subsidy: SubsidyRules | None = None,
) -> tuple[int, int]:
    order_id = session.execute(
        sa.insert(orders)
        .values(
            sample_id=sample_id,
            track=track,
            interviews=target,
            price=price,
            services=sa.null() if services is None else sorted(services),
            subsidy_first=subsidy.first if subsidy else None,
            subsidy_share=subsidy.share if subsidy else None,
            created_at=now,
        )
        .returning(orders.c.id)
    ).scalar_one()
    cell_id = session.execute(
        sa.insert(cells)
        .values(order_id=order_id, sample_id=sample_id, track=track, target=target, capacity=target)
        .returning(cells.c.id)
    ).scalar_one()
    return order_id, cell_id


def _callable_beside_regular(sample_id: int, services: Collection[int] | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        cases.c.sample_id == sample_id,
        cases.c.respondent_group == "client",
        cases.c.route == "regular",
        cases.c.exclusion.is_(None),
        sa.or_(cases.c.consent.is_(None), cases.c.consent != "nee"),
        sa.exists().where(case_phones.c.case_id == cases.c.id, case_phones.c.is_dead.is_(sa.false())),
        ~sa.exists().where(interviews.c.case_id == cases.c.id),
    ]
    if services is not None:
        conditions.append(cases.c.service.in_(services))
    return conditions


def _services(stored: list[int] | None) -> tuple[int, ...] | None:
    return None if stored is None else tuple(stored)
