"""People as staff see them: who of a cell is called when, one person and their calls, and who has a number.

Decides what of a person is shown: the last two digits of a number, and nothing else that says who it is. What staff may
do about somebody is `fieldwork/handling.py`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.open_calls import OPEN_STATES
from ivr.store.samples import TRIAL_KEY
from ivr.store.sealing import Sealer
from ivr.store.session import Session
from ivr.store.tables import attempts, case_phones, cases, cells, contacts, interviews, providers, samples

NOBODY = "–"
"""Shown where contact data was erased, or where there is no number."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a cell. `is_due`: nothing more to wait for than their turn."""

    id: int
    cell_id: int
    service: int | None
    disposition: str
    is_final: bool
    attempts: int
    dialled: int
    priority: int
    is_busy: bool
    next_call_at: datetime | None
    consent: str | None
    announced_on: date | None
    exclusion: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands: whose list, which cell, and how that is."""

    sample_id: int
    provider: str
    period_from: date
    period_to: date
    track: str
    cell_id: int
    cell_state: str
    is_filled: bool


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call to (or from) somebody."""

    at: datetime
    state: str
    outcome: str | None
    duration_seconds: int | None
    direction: str


_PERSON = [cases.c[name] for name in Person.__dataclass_fields__]
_ORDER = (cases.c.next_call_at, cases.c.priority, cases.c.replicate, cases.c.position, cases.c.id)


def waiting(session: Session, cell_id: int, limit: int, offset: int = 0) -> list[Person]:
    """The cell's people who may be called, next first."""
    query = (
        sa.select(*_PERSON)
        .where(cases.c.cell_id == cell_id, cases.c.is_final.is_(sa.false()), cases.c.next_call_at.is_not(None))
        .order_by(*_ORDER)
    )
    return [Person(**row._mapping) for row in session.execute(query.limit(limit).offset(offset))]


def with_disposition(session: Session, cell_id: int, disposition: str, limit: int, offset: int = 0) -> list[Person]:
    """The cell's people with this disposition: those who are called again first, then in the order of their list."""
    query = (
        sa.select(*_PERSON)
        .where(cases.c.cell_id == cell_id, cases.c.disposition == disposition)
        .order_by(cases.c.next_call_at.is_(None), *_ORDER)
    )
    return [Person(**row._mapping) for row in session.execute(query.limit(limit).offset(offset))]


def person(session: Session, case_id: int) -> tuple[Person, Place]:
    """Somebody who is (or was) worked by telephone, and where. NotFoundError; nobody of a test call is found."""
    place = (
        cases.c.sample_id,
        providers.c.name.label("provider"),
        samples.c.period_from,
        samples.c.period_to,
        cells.c.track,
        cells.c.state.label("cell_state"),
        (cells.c.successful >= cells.c.target).label("is_filled"),
    )
    row = session.execute(
        sa.select(*_PERSON, *place)
        .select_from(
            cases.join(cells, cells.c.id == cases.c.cell_id)
            .join(samples, samples.c.id == cases.c.sample_id)
            .join(providers, providers.c.id == samples.c.provider_id)
        )
        .where(cases.c.id == case_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no person {case_id} in any cell.")
    found = dict(row._mapping)
    who = Person(**{name: found[name] for name in Person.__dataclass_fields__})
    return who, Place(**{name: found[name] for name in Place.__dataclass_fields__})


def calls(session: Session, case_id: int) -> list[PastCall]:
    """The calls of a person, newest first, those that never went out left aside."""
    at = sa.func.coalesce(attempts.c.placed_at, attempts.c.dialing_at, attempts.c.planned_at)
    at = sa.type_coerce(at, attempts.c.planned_at.type).label("at")
    columns = (at, attempts.c.state, attempts.c.outcome, attempts.c.duration_seconds, attempts.c.direction)
    query = (
        sa.select(*columns)
        .where(
            attempts.c.case_id == case_id,
            attempts.c.is_test.is_(sa.false()),
            attempts.c.state.not_in(("reserved", "void")),
        )
        .order_by(attempts.c.number_in_case.desc())
    )
    return [PastCall(**row._mapping) for row in session.execute(query)]


def line_of(session: Session, case_id: int, *, lock: bool = False) -> Literal["free", "planned", "calling"]:
    """Whether a call of this person waits to be dialled, or is on its way; locked, the dialler waits for us."""
    query = sa.select(attempts.c.state).where(attempts.c.case_id == case_id, attempts.c.state.in_(OPEN_STATES))
    states = set(session.execute(query.with_for_update() if lock else query).scalars())
    return "calling" if states - {"reserved"} else "planned" if states else "free"


def called_since(session: Session, case_id: int, since: datetime) -> bool:
    """Whether a call of this person was planned since then, or an answer of theirs came in by another way."""
    attempt = sa.select(attempts.c.id).where(attempts.c.case_id == case_id, attempts.c.planned_at > since)
    answer = sa.select(interviews.c.id).where(interviews.c.case_id == case_id, interviews.c.started_at > since)
    return bool(session.execute(sa.select(sa.or_(attempt.exists(), answer.exists()))).scalar_one())


def on_phone(session: Session, phone_hash: str) -> list[tuple[Person, Place]]:
    """Everybody, of any provider, who is in a cell with this number; the newest list first."""
    having = sa.select(case_phones.c.case_id).where(case_phones.c.phone_hash == phone_hash)
    query = sa.select(cases.c.id).where(cases.c.id.in_(having), cases.c.cell_id.is_not(None))
    return [person(session, id) for id in session.execute(query.order_by(cases.c.id.desc())).scalars()]


def of_client(session: Session, cell_id: int, respondent: str) -> list[tuple[Person, Place]]:
    """The person of this cell with this clientnummer."""
    query = sa.select(cases.c.id).where(cases.c.cell_id == cell_id, cases.c.respondent == respondent.strip())
    return [person(session, id) for id in session.execute(query).scalars()]


def is_respondents(session: Session, phone_hash: str) -> bool:
    """Whether this number stands on the list of a provider."""
    query = (
        sa.select(case_phones.c.case_id)
        .join(cases, cases.c.id == case_phones.c.case_id)
        .join(samples, samples.c.id == cases.c.sample_id)
        .join(providers, providers.c.id == samples.c.provider_id)
        .where(case_phones.c.phone_hash == phone_hash, providers.c.name_key != TRIAL_KEY)
        .limit(1)
    )
    return session.execute(query).first() is not None


def masked(session: Session, sealer: Sealer, case_ids: Collection[int]) -> dict[int, str]:
    """Of each: `•• 67`, the last two digits of the first number; NOBODY when it was erased."""
    rows = session.execute(
        sa.select(contacts.c.case_id, contacts.c.sealed).where(contacts.c.case_id.in_(list(case_ids)))
    )
    found = dict.fromkeys(case_ids, NOBODY)
    for case_id, sealed in rows:
        phones = sealer.open(sealed).get("phones", ())
        found[case_id] = f"•• {phones[0][-2:]}" if phones else NOBODY
    return found
