"""What is held of one person: found by number or clientnummer, read out whole, and taken away.

Decides what belongs to a person (contact, keyed hashes, links, calls, interviews, answers, what the calls said) and
what taking it away leaves: the case as a count, without anything that leads back to somebody, and the list of
numbers never called again, of which only keyed hashes are kept. When that may be done is `fieldwork/erasing.py`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ivr.store.audits import forget_reasons
from ivr.store.open_calls import OPEN_STATES
from ivr.store.samples import TRIAL_KEY, name_key
from ivr.store.session import Session
from ivr.store.tables import (
    attempts,
    case_phones,
    cases,
    cells,
    contacts,
    interviews,
    opt_outs,
    providers,
    responses,
    samples,
    turns,
)
from ivr.store.tables_links import links, visits


@dataclass(frozen=True, slots=True)
class Found:
    """A case that answers to what was asked. `name_hash` tells people on one number apart; None once it is erased."""

    case_id: int
    provider: str
    period_from: date
    period_to: date
    group: str
    respondent: str
    name_hash: str | None


_FOUND = (
    sa.select(
        cases.c.id,
        providers.c.name,
        samples.c.period_from,
        samples.c.period_to,
        cases.c.respondent_group,
        cases.c.respondent,
        cases.c.name_hash,
    )
    .select_from(cases.join(samples, samples.c.id == cases.c.sample_id).join(providers))
    .where(providers.c.name_key != TRIAL_KEY)
    .order_by(cases.c.id)
)


def on_phone(session: Session, phone_hash: str) -> list[Found]:
    """Everybody, of any provider, who has this number."""
    having = sa.select(case_phones.c.case_id).where(case_phones.c.phone_hash == phone_hash)
    return [Found(*row) for row in session.execute(_FOUND.where(cases.c.id.in_(having)))]


def of_client(session: Session, provider: str, respondent: str, period: tuple[date, date] | None) -> list[Found]:
    """The client (or commissioner) with this number in the provider's lists: of one period, or of all."""
    query = _FOUND.where(providers.c.name_key == name_key(provider), cases.c.respondent == respondent)
    if period is not None:
        query = query.where(samples.c.period_from == period[0], samples.c.period_to == period[1])
    return [Found(*row) for row in session.execute(query)]


_TOLD = (
    "service", "learning_profile", "questionnaire", "route", "consent", "is_self_referred", "ended_on", "announced_on",
    "postcode4", "code", "disposition", "exclusion", "next_call_at", "outcome_elsewhere", "created_at",
)  # fmt: skip


def facts(session: Session, case_id: int) -> dict[str, Any]:
    """The columns of a case that say something of its person."""
    row = session.execute(sa.select(*(cases.c[name] for name in _TOLD)).where(cases.c.id == case_id)).one()
    return dict(row._mapping)


def opted_out_since(session: Session, case_id: int) -> datetime | None:
    """Since when one of the person's numbers is never called."""
    return session.execute(
        sa.select(sa.type_coerce(sa.func.min(opt_outs.c.at), opt_outs.c.at.type))
        .join(case_phones, case_phones.c.phone_hash == opt_outs.c.phone_hash)
        .where(case_phones.c.case_id == case_id)
    ).scalar_one_or_none()


def link_of(session: Session, case_id: int) -> dict[str, Any] | None:
    """The person's link to the spoken questions: when it was made and until when it works."""
    row = session.execute(sa.select(links.c.made_at, links.c.expires_at).where(links.c.case_id == case_id)).first()
    return dict(row._mapping) if row else None


def calls(session: Session, case_id: int) -> list[dict[str, Any]]:
    """The calls to (and from) this person, oldest first."""
    rows = session.execute(
        sa.select(
            attempts.c.direction,
            attempts.c.planned_at,
            attempts.c.placed_at,
            attempts.c.answered_at,
            attempts.c.ended_at,
            attempts.c.duration_seconds,
            attempts.c.answered_by,
            attempts.c.outcome,
        )
        .where(attempts.c.case_id == case_id, attempts.c.state.not_in(("reserved", "void")))
        .order_by(attempts.c.number_in_case)
    )
    return [dict(row._mapping) for row in rows]


def interviews_of(session: Session, case_id: int) -> list[dict[str, Any]]:
    """The person's interviews by any mode, each with its `answers`."""
    heads = session.execute(
        sa.select(
            interviews.c.id,
            interviews.c.questionnaire,
            interviews.c.version,
            interviews.c.mode,
            interviews.c.started_at,
            interviews.c.ended_at,
            interviews.c.disposition,
            interviews.c.usable,
            interviews.c.successful,
        )
        .where(interviews.c.case_id == case_id)
        .order_by(interviews.c.started_at, interviews.c.id)
    )
    found: list[dict[str, Any]] = []
    for head in heads.all():
        answers = session.execute(
            sa.select(responses.c.question, responses.c.value, responses.c.mode, responses.c.answered_at)
            .where(responses.c.interview_id == head.id)
            .order_by(responses.c.answered_at, responses.c.question)
        )
        found.append({**head._mapping, "answers": [dict(row._mapping) for row in answers]})
    return found


def lock(session: Session, case_ids: Collection[int]) -> None:
    """Let nobody else plan or change these people until the transaction ends; in the order of their ids."""
    session.execute(sa.select(cases.c.id).where(cases.c.id.in_(case_ids)).order_by(cases.c.id).with_for_update())


def has_open_call(session: Session, case_ids: Collection[int]) -> bool:
    """Whether a call to or from one of these people is planned or under way."""
    ours = sa.select(interviews.c.id).where(interviews.c.case_id.in_(case_ids))
    query = sa.select(attempts.c.id).where(
        attempts.c.state.in_(OPEN_STATES),
        sa.or_(attempts.c.case_id.in_(case_ids), attempts.c.interview_id.in_(ours)),
    )
    return session.execute(query.limit(1)).first() is not None


def forget_contact(session: Session, case_ids: Collection[int], keep_numbers_after: datetime) -> int:
    """Take away by what these people can be reached or recognised, staff's own words included; how many had contact.

    The numbers of calls placed after `keep_numbers_after` stay (as keyed hashes) for now: a housemate must not be
    called right after them. `forget_numbers` takes them later.
    """
    mine = cases.c.id.in_(case_ids)
    had = session.execute(sa.delete(contacts).where(contacts.c.case_id.in_(case_ids))).rowcount
    for table in (case_phones, links, visits):
        session.execute(sa.delete(table).where(table.c.case_id.in_(case_ids)))
    session.execute(
        sa.update(cases)
        .where(mine)
        .values(name_hash=None, email_hash=None, fingerprint=None, postcode4=None, next_call_at=None)
    )
    forget_numbers(session, keep_numbers_after, case_ids)
    forget_reasons(session, case_ids)
    return had


def forget_numbers(session: Session, before: datetime, case_ids: Collection[int] | None = None) -> None:
    """Take the hashed numbers off calls planned before then: of these people, or of all whose contact is gone."""
    gone = (
        attempts.c.case_id.in_(case_ids)
        if case_ids is not None
        else ~sa.exists().where(contacts.c.case_id == attempts.c.case_id)
    )
    session.execute(
        sa.update(attempts)
        .where(
            gone,
            attempts.c.phone_hash.is_not(None),
            attempts.c.planned_at < before,
            attempts.c.state.not_in(OPEN_STATES),
        )
        .values(phone_hash=None)
    )


def forget_answers(session: Session, case_id: int) -> list[tuple[str, int | None]]:
    """Take away the person's interviews and what their calls said.

    Gives (interview id, cell it counted for) of each: counters and ledger are the caller's to put right.
    """
    rows = session.execute(
        sa.select(interviews.c.id, interviews.c.cell_id, interviews.c.successful)
        .where(interviews.c.case_id == case_id)
        .order_by(interviews.c.id)
        .with_for_update()
    ).all()
    ids = [row.id for row in rows]
    # On a shared number a call to this person may hold the interview of a housemate: that one stays.
    own_calls = sa.and_(
        attempts.c.case_id == case_id, sa.or_(attempts.c.interview_id.is_(None), attempts.c.interview_id.in_(ids))
    )
    calls_of = sa.or_(own_calls, attempts.c.interview_id.in_(ids))
    session.execute(sa.delete(turns).where(turns.c.attempt_id.in_(sa.select(attempts.c.id).where(calls_of))))
    session.execute(sa.update(attempts).where(calls_of).values(dialogue=sa.null(), interview_id=None))
    session.execute(sa.delete(visits).where(visits.c.case_id == case_id))
    session.execute(sa.delete(responses).where(responses.c.interview_id.in_(ids)))
    session.execute(sa.delete(interviews).where(interviews.c.id.in_(ids)))
    return [(row.id, row.cell_id if row.successful else None) for row in rows]


def take_success_back(session: Session, cell_id: int) -> None:
    """An interview that counted for the cell is gone."""
    session.execute(sa.update(cells).where(cells.c.id == cell_id).values(successful=cells.c.successful - 1))


@dataclass(frozen=True, slots=True)
class Holding:
    """A sample whose contacts are still held. `last_at`: the last delivery, letter, call or answer of it.

    `was_used`: somebody was announced, called or has answered. `reported_on`: the day of its report, if known.
    """

    sample_id: int
    last_at: datetime
    was_used: bool
    reported_on: date | None


def holdings(session: Session) -> list[Holding]:
    """The samples of which contact data is held, with when something last happened to them."""
    held = sa.select(cases.c.sample_id).join(contacts, contacts.c.case_id == cases.c.id).distinct().scalar_subquery()
    rows = session.execute(
        sa.select(samples.c.id, samples.c.reported_on)
        .join(providers)
        .where(samples.c.id.in_(held), providers.c.name_key != TRIAL_KEY)
        .order_by(samples.c.id)
    ).all()
    found: list[Holding] = []
    for row in rows:
        mine = cases.c.sample_id == row.id
        delivered = _latest(session, cases.c.created_at, mine)
        letter = session.execute(sa.select(sa.func.max(cases.c.announced_on)).where(mine)).scalar_one()
        case_ids = sa.select(cases.c.id).where(mine)
        called = _latest(session, attempts.c.planned_at, attempts.c.case_id.in_(case_ids))
        answered = _latest(session, interviews.c.started_at, interviews.c.case_id.in_(case_ids))
        moments = [moment for moment in (delivered, called, answered) if moment is not None]
        assert moments, "a sample with contacts has cases"
        last = max(moments)
        if letter is not None:
            last = max(last, datetime(letter.year, letter.month, letter.day, tzinfo=last.tzinfo))
        was_used = letter is not None or called is not None or answered is not None
        found.append(Holding(row.id, last, was_used, row.reported_on))
    return found


def _latest(session: Session, column: sa.Column[Any], condition: sa.ColumnElement[bool]) -> datetime | None:
    return session.execute(sa.select(sa.type_coerce(sa.func.max(column), column.type)).where(condition)).scalar_one()


def held_cases(session: Session, sample_id: int, limit: int) -> list[int]:
    """Some people of the sample whose contact is held."""
    query = sa.select(cases.c.id).join(contacts, contacts.c.case_id == cases.c.id).where(cases.c.sample_id == sample_id)
    return list(session.execute(query.order_by(cases.c.id).limit(limit)).scalars())


def cells_of_sample(session: Session, sample_id: int) -> list[int]:
    """The cells of a sample that staff did not close."""
    query = sa.select(cells.c.id).where(cells.c.sample_id == sample_id, cells.c.state != "closed")
    return list(session.execute(query).scalars())


def set_reported(session: Session, sample_id: int, day: date | None) -> None:
    """The day on which the report of this sample goes (or went) to its provider."""
    session.execute(sa.update(samples).where(samples.c.id == sample_id).values(reported_on=day))
