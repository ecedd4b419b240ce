"""Counts of what was answered and delivered, so that scoring never sees a person.

Decides which questionnaire of a person counts: the first that was usable, by any mode; others are kept and not
counted. Records that were left out for a reason that stands (a duplicate, not drawn) count nowhere, also when they
hold an answer. Everything is grouped by the database, so memory grows with providers, not with people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from ivr.store.reading import interviews_of_test_calls
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, cells, interviews, responses

Rows = Iterator[tuple[Any, ...]]


def records(session: Session, sample_ids: list[int]) -> Rows:
    """(sample_id, group, service, route, exclusion, outcome_elsewhere, disposition, is_reached, has_answered, count).

    is_reached: a call rang, was answered or met voicemail. has_answered: usable, by any mode. Both 0 or 1."""
    reached = sa.exists().where(
        attempts.c.case_id == cases.c.id,
        ~attempts.c.is_test,
        sa.or_(
            attempts.c.rang,
            attempts.c.answered_at.is_not(None),
            attempts.c.outcome.in_(("no_answer", "answering_machine")),
        ),
    )
    answered = sa.exists().where(
        interviews.c.case_id == cases.c.id, interviews.c.usable, interviews.c.id.not_in(interviews_of_test_calls())
    )
    facts = sa.select(
        cases.c.sample_id,
        cases.c.respondent_group,
        cases.c.service,
        cases.c.route,
        cases.c.exclusion,
        cases.c.outcome_elsewhere,
        cases.c.disposition,
        sa.case((reached, 1), else_=0).label("is_reached"),
        sa.case((answered, 1), else_=0).label("has_answered"),
    ).where(cases.c.sample_id.in_(sample_ids))
    inner = facts.subquery()
    return _rows(session, sa.select(*inner.c, sa.func.count()).group_by(*inner.c))


def answers(session: Session, sample_ids: list[int], gives_way: Iterable[str]) -> Rows:
    """(sample_id, group, service, question, value, count) over the questionnaires that count."""
    counted = _counted(sample_ids, gives_way)
    head = (counted.c.sample_id, counted.c.respondent_group, counted.c.service)
    return _rows(
        session,
        sa.select(*head, responses.c.question, responses.c.value, sa.func.count())
        .join(counted, counted.c.id == responses.c.interview_id)
        .group_by(*head, responses.c.question, responses.c.value),
    )


def questionnaires(session: Session, sample_ids: list[int], gives_way: Iterable[str]) -> Rows:
    """(sample_id, group, service, questionnaire, postcode4, count) of the questionnaires that count."""
    counted = _counted(sample_ids, gives_way)
    columns = (
        counted.c.sample_id,
        counted.c.respondent_group,
        counted.c.service,
        counted.c.questionnaire,
        counted.c.postcode4,
    )
    return _rows(session, sa.select(*columns, sa.func.count()).group_by(*columns))


def worked_cases(session: Session, sample_ids: list[int]) -> Rows:
    """(sample_id, track, disposition, count) of the cases that belong to a telephone cell."""
    columns = (cases.c.sample_id, cells.c.track, cases.c.disposition)
    return _rows(
        session,
        sa.select(*columns, sa.func.count())
        .join(cells, cells.c.id == cases.c.cell_id)
        .where(cases.c.sample_id.in_(sample_ids))
        .group_by(*columns),
    )


def calls(session: Session, sample_ids: list[int]) -> Rows:
    """(sample_id, track, outcome or None, count) of the calls that were, or may have been, made from a cell."""
    columns = (cases.c.sample_id, cells.c.track, attempts.c.outcome)
    return _rows(
        session,
        sa.select(*columns, sa.func.count())
        .select_from(attempts)
        .join(cases, cases.c.id == attempts.c.case_id)
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(cases.c.sample_id.in_(sample_ids), ~attempts.c.is_test, attempts.c.state.not_in(("reserved", "void")))
        .group_by(*columns),
    )


def successes(session: Session, sample_ids: list[int]) -> Rows:
    """(sample_id, track, successful interviews) over the cells of a sample."""
    columns = (cells.c.sample_id, cells.c.track)
    return _rows(
        session,
        sa.select(*columns, sa.func.sum(cells.c.successful))
        .where(cells.c.sample_id.in_(sample_ids))
        .group_by(*columns),
    )


def _counted(sample_ids: list[int], gives_way: Iterable[str]) -> sa.Subquery:
    first = (
        sa.func.row_number()
        .over(
            partition_by=interviews.c.case_id,
            order_by=(sa.func.coalesce(interviews.c.usable_at, interviews.c.started_at), interviews.c.id),
        )
        .label("nth")
    )
    usable = (
        sa.select(
            interviews.c.id,
            interviews.c.questionnaire,
            cases.c.sample_id,
            cases.c.respondent_group,
            cases.c.service,
            cases.c.postcode4,
            first,
        )
        .join(cases, cases.c.id == interviews.c.case_id)
        .where(
            interviews.c.usable,
            interviews.c.id.not_in(interviews_of_test_calls()),
            cases.c.sample_id.in_(sample_ids),
            sa.or_(cases.c.exclusion.is_(None), cases.c.exclusion.in_(sorted(gives_way))),
        )
        .subquery()
    )
    return sa.select(usable).where(usable.c.nth == 1).subquery()


def _rows(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> Rows:
    for row in session.execute(statement):
        yield tuple(row)
