"""Answers from other modes, into the same tables that the phone writes.

Decides nothing about a row: which rows stand and which interview is usable is worked out in `fieldwork/answers.py`
and `survey/usable.py`. Here one person's interview of one questionnaire and mode is found or made, its answers are
put in, and of several usable interviews of one person all but the first are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ivr.ids import new_id
from ivr.store.reading import interviews_of_test_calls
from ivr.store.samples import name_key
from ivr.store.session import Session
from ivr.store.tables import cases, interviews, providers, responses, samples

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Respondent:
    """A person on a delivered list, as far as answers need."""

    case_id: int
    group: str
    service: int | None
    cell_id: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of one interview of another mode: question → (value, answered_at)."""

    id: str
    case_id: int
    questionnaire: str
    version: int
    mode: str
    is_usable: bool
    is_successful: bool
    answers: Mapping[str, tuple[str, datetime]]


def find_sample_id(session: Session, provider: str, period: tuple[date, date]) -> int | None:
    """The sample of this provider (in any spelling of case and spaces) and period."""
    return session.execute(
        sa.select(samples.c.id)
        .join(providers, providers.c.id == samples.c.provider_id)
        .where(
            providers.c.name_key == name_key(provider),
            samples.c.period_from == period[0],
            samples.c.period_to == period[1],
        )
    ).scalar()


def knows_provider(session: Session, provider: str) -> bool:
    """Whether this provider ever delivered a list."""
    found = sa.select(providers.c.id).where(providers.c.name_key == name_key(provider))
    return session.execute(found).first() is not None


def find_respondents(session: Session, sample_id: int, group: str, respondents: Iterable[str]) -> dict[str, Respondent]:
    """Those of `respondents` (numbers as delivered) who are on this sample's list."""
    found: dict[str, Respondent] = {}
    for chunk in _chunks(sorted(set(respondents))):
        rows = session.execute(
            sa.select(cases.c.respondent, cases.c.id, cases.c.respondent_group, cases.c.service, cases.c.cell_id).where(
                cases.c.sample_id == sample_id, cases.c.respondent_group == group, cases.c.respondent.in_(chunk)
            )
        )
        found.update({row[0]: Respondent(*row[1:]) for row in rows})
    return found


def lock_cases(session: Session, case_ids: Iterable[int]) -> None:
    """Hold these cases, in the order of their ids, so that two imports never wait for each other in a circle."""
    for chunk in _chunks(sorted(set(case_ids))):
        session.execute(sa.select(cases.c.id).where(cases.c.id.in_(chunk)).order_by(cases.c.id).with_for_update())


def stored_interviews(
    session: Session, case_ids: Iterable[int], modes: Iterable[str]
) -> dict[tuple[int, str, str], Stored]:
    """The interviews of these people in these modes with their answers, by (case, questionnaire, mode).

    Of two of the same kind (a page that was begun twice) the one that is usable, then the older one.
    """
    result: dict[tuple[int, str, str], Stored] = {}
    for chunk in _chunks(sorted(set(case_ids))):
        found = session.execute(
            sa.select(interviews)
            .where(
                interviews.c.case_id.in_(chunk),
                interviews.c.mode.in_(sorted(modes)),
                interviews.c.id.not_in(interviews_of_test_calls()),
            )
            .order_by(interviews.c.usable.desc(), interviews.c.started_at, interviews.c.id)
        ).all()
        answers: dict[str, dict[str, tuple[str, datetime]]] = {row.id: {} for row in found}
        for part in _chunks(list(answers)):
            for id, question, value, at in session.execute(
                sa.select(
                    responses.c.interview_id, responses.c.question, responses.c.value, responses.c.answered_at
                ).where(responses.c.interview_id.in_(part))
            ):
                answers[id][question] = (value, at)
        for row in found:
            key = (row.case_id, row.questionnaire, row.mode)
            if key not in result:
                result[key] = Stored(
                    row.id,
                    row.case_id,
                    row.questionnaire,
                    row.version,
                    row.mode,
                    row.usable,
                    row.successful,
                    answers[row.id],
                )
    return result


def save(
    session: Session,
    *,
    person: Respondent,
    questionnaire: str,
    version: int,
    mode: str,
    stored: Stored | None,
    answers: Mapping[str, tuple[str, datetime]],
    disposition: str,
    usable_at: datetime | None,
) -> str:
    """Write an interview as it stands now, whole; gives its id. `answers`: all of them, old and new.

    An interview that counts for its cell stays usable, whatever a later correction made of it.
    """
    moments = [at for _, at in answers.values()]
    facts: dict[str, Any] = {"started_at": min(moments), "ended_at": max(moments)}
    if stored is None or not stored.is_successful:
        facts |= {"disposition": disposition, "usable": usable_at is not None, "usable_at": usable_at}
    if stored is None:
        id = new_id()
        cell_id = person.cell_id if mode == "telephone_human" else None
        session.execute(
            sa.insert(interviews).values(
                id=id,
                case_id=person.case_id,
                cell_id=cell_id,
                questionnaire=questionnaire,
                version=version,
                mode=mode,
                **facts,
            )
        )
    else:
        id = stored.id
        session.execute(sa.update(interviews).where(interviews.c.id == id).values(**facts))
    before = stored.answers if stored else {}
    new = [
        {"interview_id": id, "question": question, "value": value, "mode": mode, "answered_at": at}
        for question, (value, at) in answers.items()
        if question not in before
    ]
    if new:
        session.execute(sa.insert(responses), new)
    for question, (value, at) in answers.items():
        if question in before and before[question] != (value, at):
            session.execute(
                sa.update(responses)
                .where(responses.c.interview_id == id, responses.c.question == question)
                .values(value=value, answered_at=at)
            )
    return id


def mark_superseded(session: Session, case_ids: Iterable[int]) -> None:
    """Of each person's usable interviews the first one counts; the others are kept and marked."""
    for chunk in _chunks(sorted(set(case_ids))):
        rows = session.execute(
            sa.select(interviews.c.id, interviews.c.case_id, interviews.c.is_superseded)
            .where(
                interviews.c.case_id.in_(chunk),
                interviews.c.usable,
                interviews.c.id.not_in(interviews_of_test_calls()),
            )
            .order_by(
                interviews.c.case_id,
                sa.func.coalesce(interviews.c.usable_at, interviews.c.started_at),
                interviews.c.id,
            )
        ).all()
        seen: set[int] = set()
        for row in rows:
            is_later = row.case_id in seen
            seen.add(row.case_id)
            if row.is_superseded != is_later:
                session.execute(sa.update(interviews).where(interviews.c.id == row.id).values(is_superseded=is_later))


def to_count(session: Session, case_ids: Iterable[int]) -> list[tuple[str, int, int]]:
    """(interview, cell, case) of the usable interviews by a human interviewer that do not count for their cell yet."""
    found: list[tuple[str, int, int]] = []
    for chunk in _chunks(sorted(set(case_ids))):
        rows = session.execute(
            sa.select(interviews.c.id, interviews.c.cell_id, interviews.c.case_id)
            .where(
                interviews.c.case_id.in_(chunk),
                interviews.c.mode == "telephone_human",
                interviews.c.cell_id.is_not(None),
                interviews.c.usable,
                ~interviews.c.successful,
                ~interviews.c.is_superseded,
            )
            .order_by(interviews.c.usable_at, interviews.c.id)
        )
        found += [(row[0], row[1], row[2]) for row in rows]
    return found


def _chunks(items: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), _CHUNK):
        yield list(items[start : start + _CHUNK])
