"""Test calls: a case of nobody, in a sample that no list, count or export shows, and the attempt that is made with it.

Decides how they are kept apart: a provider whose key no delivered name can have, samples of it that exports leave
out, cases outside every cell and never callable, attempts marked `is_test` that hold no slot. A try-out order has no
cell at all. What a test call is for is decided in `fieldwork/trying.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ivr.errors import NotFoundError
from ivr.ids import new_id
from ivr.store.samples import TRIAL_KEY, Contact, phone_hash
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import attempts, case_phones, cases, cells, contacts, orders, providers, samples

PROVIDER = "Taalhuis De Proef"
"""What a try-out call says where others name the provider."""

_DAYS = {"inburgering": date(1970, 1, 1), "purchased": date(1970, 1, 2)}
_INTERVIEWS = 1
_OPEN = ("reserved", "dialing", "placed")


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """An order that can be tried. provider: as spoken; successful, target: None for a try-out order, without cell."""

    order_id: int
    track: str
    provider: str
    is_tryout: bool
    voiced_at: datetime | None
    services: tuple[int, ...] | None
    cell_id: int | None
    successful: int | None
    in_flight: int | None
    target: int | None


@dataclass(frozen=True, slots=True)
class TestCall:
    """How a test call stands. turn: of the dialogue, -1 before it is answered."""

    state: str
    turn: int
    outcome: str | None


_ORDERS = (
    sa.select(
        orders.c.id,
        orders.c.track,
        providers.c.name,
        providers.c.name_key,
        orders.c.voiced_at,
        orders.c.services,
        cells.c.id.label("cell_id"),
        cells.c.successful,
        cells.c.in_flight,
        cells.c.target,
    )
    .select_from(
        orders.join(samples, samples.c.id == orders.c.sample_id)
        .join(providers, providers.c.id == samples.c.provider_id)
        .outerjoin(cells, cells.c.order_id == orders.c.id)
    )
    .order_by(providers.c.name_key, orders.c.id)
)


def list_orders(session: Session) -> list[TrialOrder]:
    """All orders, try-out orders among them, by provider."""
    return [_order(row) for row in session.execute(_ORDERS)]


def get_order(session: Session, order_id: int) -> TrialOrder:
    """One of them. NotFoundError."""
    row = session.execute(_ORDERS.where(orders.c.id == order_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no order {order_id}.")
    return _order(row)


def order_of_cell(session: Session, cell_id: int) -> TrialOrder:
    """The order that this cell belongs to."""
    return _order(session.execute(_ORDERS.where(cells.c.id == cell_id)).one())


def ensure_tryout(session: Session, track: str, services: list[int], now: datetime) -> int:
    """The try-out order of this track, made when there is none; its id."""
    sample_id = _hidden_sample(session, track)
    session.execute(sa.select(samples.c.id).where(samples.c.id == sample_id).with_for_update())
    query = sa.select(sa.func.min(orders.c.id)).where(orders.c.sample_id == sample_id)
    if (found := session.execute(query).scalar_one_or_none()) is not None:
        return found
    values = {"sample_id": sample_id, "track": track, "interviews": _INTERVIEWS, "services": services}
    return session.execute(
        sa.insert(orders).values(**values, created_at=now, price=None).returning(orders.c.id)
    ).scalar_one()


def begin(
    session: Session, sealer: Sealer, order: TrialOrder, service: int, number: str, direction: str, now: datetime
) -> str:
    """A test attempt on this number, with a case of its own; its id. `outbound` begins as being dialled."""
    attempt_id = new_id()
    case_id = session.execute(
        sa.insert(cases)
        .values(
            sample_id=_hidden_sample(session, order.track),
            respondent_group="test",
            respondent=attempt_id,
            service=service,
            questionnaire="inburgering" if order.track == "inburgering" else "laagdrempelig",
            route="telephone",
            code="0000",
            is_final=True,
            exclusion="test",
            dialled=1,
            created_at=now,
        )
        .returning(cases.c.id)
    ).scalar_one()
    # The number is kept sealed like a person's: the reconciler finds a lost call by it.
    session.execute(
        sa.insert(contacts).values(case_id=case_id, sealed=sealer.seal(Contact(phones=(number,)).to_mapping()))
    )
    hashed = phone_hash(sealer, number)
    session.execute(sa.insert(case_phones).values(case_id=case_id, rank=0, phone_hash=hashed))
    session.execute(
        sa.insert(attempts).values(
            id=attempt_id,
            case_id=case_id,
            cell_id=order.cell_id,
            number_in_case=1,
            phone_hash=hashed,
            state="dialing" if direction == "outbound" else "placed",
            holds_slot=False,
            direction=direction,
            is_test=True,
            planned_at=now,
            not_before=now,
            not_after=now,
            dialing_at=now if direction == "outbound" else None,
            placed_at=now if direction == "inbound" else None,
            checked_at=now,
        )
    )
    return attempt_id


def expected(session: Session, hashed: str, call_sid: str, now: datetime) -> str | None:
    """The test attempt that waits for a call from this number; from now on it is this call's. None: nobody waits."""
    waiting = (
        sa.select(attempts.c.id)
        .where(
            attempts.c.phone_hash == hashed,
            attempts.c.is_test.is_(True),
            attempts.c.direction == "inbound",
            attempts.c.state == "placed",
            attempts.c.call_sid.is_(None),
        )
        .order_by(attempts.c.planned_at.desc())
        .limit(1)
    )
    values = {"call_sid": call_sid, "call_status": "in-progress", "answered_at": now, "checked_at": now}
    return session.execute(
        sa.update(attempts).where(attempts.c.id == waiting.scalar_subquery()).values(**values).returning(attempts.c.id)
    ).scalar_one_or_none()


def of_call(session: Session, call_sid: str) -> Mapping[str, Any] | None:
    """The test attempt of this call: id, state, turn, outcome, dialogue, case_id, cell_id, sample_id. None: no such."""
    row = session.execute(
        sa.select(
            *(attempts.c[name] for name in ("id", "state", "turn", "outcome", "dialogue", "cell_id", "holds_slot")),
            cases.c.sample_id,
        )
        .join(cases, cases.c.id == attempts.c.case_id)
        .where(attempts.c.call_sid == call_sid, attempts.c.is_test.is_(True))
    ).one_or_none()
    return None if row is None else dict(row._mapping)


def standing(session: Session, attempt_id: str) -> TestCall | None:
    """How this test call stands. None: no such."""
    row = session.execute(
        sa.select(attempts.c.state, attempts.c.turn, attempts.c.outcome).where(
            attempts.c.id == attempt_id, attempts.c.is_test.is_(True)
        )
    ).one_or_none()
    return None if row is None else TestCall(*row)


def forget_number(session: Session, attempt_id: str) -> None:
    """A test call is over: nothing of the number that was rung is kept, not even its hash."""
    case_id = session.execute(
        sa.update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.is_test.is_(True))
        .values(phone_hash=None)
        .returning(attempts.c.case_id)
    ).scalar_one_or_none()
    if case_id is not None:
        session.execute(sa.delete(contacts).where(contacts.c.case_id == case_id))
        session.execute(sa.delete(case_phones).where(case_phones.c.case_id == case_id))


def is_being_rung(session: Session, hashed: str) -> bool:
    """Whether a call to this number is on its way, or up."""
    query = sa.select(attempts.c.id).where(attempts.c.phone_hash == hashed, attempts.c.state.in_(_OPEN)).limit(1)
    return session.execute(query).first() is not None


def forget(session: Session, before: datetime) -> int:
    """Remove test calls that ended, or were given up, before this moment; how many."""
    old = sa.select(attempts.c.case_id).where(
        attempts.c.is_test.is_(True), attempts.c.planned_at < before, attempts.c.state.not_in(_OPEN)
    )
    ids = list(
        session.execute(
            sa.select(cases.c.id).where(cases.c.respondent_group == "test", cases.c.id.in_(old)).limit(200)
        ).scalars()
    )
    if ids:
        session.execute(sa.delete(attempts).where(attempts.c.case_id.in_(ids), attempts.c.is_test.is_(True)))
        session.execute(sa.delete(cases).where(cases.c.id.in_(ids)))
    return len(ids)


def _hidden_sample(session: Session, track: str) -> int:
    by_key = sa.select(providers.c.id).where(providers.c.name_key == TRIAL_KEY)
    provider_id = _found_or_made(session, by_key, providers, name=PROVIDER, name_key=TRIAL_KEY)
    day = _DAYS[track]
    by_day = sa.select(samples.c.id).where(samples.c.provider_id == provider_id, samples.c.period_from == day)
    return _found_or_made(session, by_day, samples, provider_id=provider_id, period_from=day, period_to=day)


def _found_or_made(session: Session, query: sa.Select[Any], table: sa.Table, **values: Any) -> int:
    if (found := session.execute(query).scalar_one_or_none()) is not None:
        return found
    # Somebody else may make it in this very moment: theirs will do.
    with contextlib.suppress(IntegrityError), session.begin_nested():
        session.execute(sa.insert(table).values(**values))
    return session.execute(query).scalar_one()


def _order(row: Any) -> TrialOrder:
    services = None if row.services is None else tuple(int(service) for service in row.services)
    is_tryout = row.name_key == TRIAL_KEY
    return TrialOrder(
        row.id,
        row.track,
        row.name,
        is_tryout,
        row.voiced_at,
        services,
        row.cell_id,
        row.successful,
        row.in_flight,
        row.target,
    )
