"""Visits to the spoken questions: the engine's state between two pages, and the interview that they fill.

Decides that a person has one visit at a time (a newer one replaces it) and which of the person's interviews a visit
goes on with. What an answer means for the calls is decided in `fieldwork/visiting.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from ivr.store.interviews import answers_of
from ivr.store.session import Session
from ivr.store.tables import attempts, interviews, responses
from ivr.store.tables_links import visits

_OURS = ("telephone", "web")
_LISTENED_TO = ("inburgering", "laagdrempelig")


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that is going on. `trail`: per question put, its id, what was said before it, and whether it was
    answered in this visit."""

    id: str
    interview_id: str | None
    questionnaire: str
    version: int
    dialogue: Mapping[str, Any]
    trail: Sequence[Mapping[str, Any]]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """An interview by phone or web that was not answered to its end."""

    id: str
    questionnaire: str
    version: int
    answers: tuple[tuple[str, str], ...]


def begun(session: Session, case_id: int) -> Begun | Literal["done"] | None:
    """What the person's visit goes on with; "done": the person has taken part already; None: nothing was begun."""
    is_test = sa.select(attempts.c.id).where(
        attempts.c.case_id == interviews.c.case_id, attempts.c.interview_id == interviews.c.id, attempts.c.is_test
    )
    rows = session.execute(
        sa.select(interviews)
        .where(
            interviews.c.case_id == case_id,
            interviews.c.is_superseded.is_(False),
            ~is_test.exists(),
        )
        .order_by(interviews.c.usable.desc(), interviews.c.started_at.desc(), interviews.c.id)
    ).all()
    for row in rows:
        is_ours = row.mode in _OURS and row.questionnaire in _LISTENED_TO
        if is_ours and row.disposition in (None, "break_off", "partial"):
            answers = tuple(answers_of(session, row.id).items())
            return Begun(row.id, row.questionnaire, row.version, answers)
        if is_ours or row.usable:
            return "done"
    return None


def is_on_the_phone(session: Session, case_id: int) -> bool:
    """Whether the person is being spoken to by phone right now."""
    whose = sa.select(interviews.c.id).where(interviews.c.case_id == case_id)
    found = session.execute(
        sa.select(attempts.c.id)
        .where(
            sa.or_(attempts.c.case_id == case_id, attempts.c.interview_id.in_(whose)),
            attempts.c.state.in_(("dialing", "placed")),
            attempts.c.turn >= 0,
            attempts.c.is_test.is_(False),
        )
        .limit(1)
    )
    return found.first() is not None


def get(session: Session, case_id: int) -> Visit | None:
    """The person's visit, if one is going on."""
    names = [visits.c[name] for name in Visit.__dataclass_fields__]
    row = session.execute(sa.select(*names).where(visits.c.case_id == case_id)).one_or_none()
    return None if row is None else Visit(**row._mapping)


def save(session: Session, case_id: int, visit: Visit) -> None:
    """Keep the visit as it stands now, in the place of any other of this person."""
    forget(session, case_id)
    session.execute(
        sa.insert(visits).values(
            case_id=case_id,
            id=visit.id,
            interview_id=visit.interview_id,
            questionnaire=visit.questionnaire,
            version=visit.version,
            dialogue=dict(visit.dialogue),
            trail=[dict(step) for step in visit.trail],
            seen_at=visit.seen_at,
        )
    )


def touch(session: Session, case_id: int, wall: datetime) -> None:
    """The visitor is still there."""
    session.execute(sa.update(visits).where(visits.c.case_id == case_id).values(seen_at=wall))


def forget(session: Session, case_id: int) -> None:
    """End the person's visit; the answers in the interview stay."""
    session.execute(sa.delete(visits).where(visits.c.case_id == case_id))


def sweep(session: Session, before: datetime) -> None:
    """Forget the visits that nobody has looked at since `before` (wall clock)."""
    session.execute(sa.delete(visits).where(visits.c.seen_at < before))


def settle(session: Session, interview_id: str, disposition: str, now: datetime, *, mode: str | None = None) -> None:
    """How the interview stands if the person leaves now. `mode`: who brought it to this, when that changes."""
    values: dict[str, Any] = {"disposition": disposition, "ended_at": now}
    if mode is not None:
        values["mode"] = mode
    session.execute(sa.update(interviews).where(interviews.c.id == interview_id).values(**values))


def drop_answers(session: Session, interview_id: str, questions: Iterable[str]) -> None:
    """Take back answers to questions that are no longer put."""
    gone = list(questions)
    if gone:
        session.execute(
            sa.delete(responses).where(responses.c.interview_id == interview_id, responses.c.question.in_(gone))
        )
