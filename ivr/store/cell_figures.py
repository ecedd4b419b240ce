"""What a cell's page counts: calls by outcome and by hour, calls per person, where people stop, successes per day.

Decides nothing, and reads no answer: of a question only that it was answered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import attempts, cases, interviews, responses

_ENDED = (attempts.c.outcome.is_not(None), attempts.c.state != "unknown")
"""A cell's closed calls, said so that SQLite takes the cell's index and not that of the state, which finds them all."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Calls that ended, by the hour they were placed in (UTC text `YYYY-MM-DD HH`); in how many somebody spoke."""

    hour: str
    placed: int
    reached: int


def attempts_per_case(session: Session, cell_id: int) -> dict[int, int]:
    """How many people of the cell were dialled 0, 1, 2, … times."""
    query = sa.select(cases.c.dialled, sa.func.count()).where(cases.c.cell_id == cell_id).group_by(cases.c.dialled)
    return {row[0]: row[1] for row in session.execute(query.order_by(cases.c.dialled))}


def attempt_outcomes(session: Session, cell_id: int) -> dict[str, int]:
    """Closed calls of the cell by outcome."""
    query = (
        sa.select(attempts.c.outcome, sa.func.count())
        .where(
            attempts.c.cell_id == cell_id,
            attempts.c.is_test.is_(sa.false()),
            *_ENDED,
        )
        .group_by(attempts.c.outcome)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def reach(
    session: Session, contacted: Collection[str], *, cell_id: int | None = None, since: datetime | None = None
) -> list[Reach]:
    """When calls were placed and how many reached somebody, by the hour: of one cell or of all, since then or ever.

    `contacted`: the outcomes that mean that a person was spoken to.
    """
    if session.dialect.name == "postgresql":
        hour: sa.ColumnElement[str] = sa.func.to_char(sa.func.timezone("UTC", attempts.c.placed_at), "YYYY-MM-DD HH24")
    else:  # kept as text that begins like this: cheaper than strftime for every call of two weeks
        hour = sa.func.substr(attempts.c.placed_at, 1, 13, type_=sa.String)
    hour = hour.label("hour")
    spoken = sa.func.sum(sa.case((attempts.c.outcome.in_(list(contacted)), 1), else_=0))
    query = sa.select(hour, sa.func.count(), spoken).where(
        attempts.c.is_test.is_(sa.false()),
        attempts.c.direction == "outbound",
        attempts.c.placed_at.is_not(None),
    )
    if cell_id is None:
        query = query.where(attempts.c.state == "closed")
    else:
        query = query.where(attempts.c.cell_id == cell_id, *_ENDED)
    if since is not None:
        query = query.where(attempts.c.planned_at >= since)
    return [Reach(row[0], row[1], int(row[2])) for row in session.execute(query.group_by(hour))]


def last_questions(session: Session, cell_id: int) -> dict[str, int]:
    """Interviews that were broken off, by the last question that got an answer; '' for none."""
    broken = sa.select(interviews.c.id).where(
        interviews.c.cell_id == cell_id, interviews.c.disposition.in_(("break_off", "partial"))
    )
    nth = sa.func.row_number().over(
        partition_by=responses.c.interview_id, order_by=(responses.c.answered_at.desc(), responses.c.question.desc())
    )
    ranked = (
        sa.select(responses.c.interview_id, responses.c.question, nth.label("nth"))
        .where(responses.c.interview_id.in_(broken))
        .subquery()
    )
    last = sa.select(ranked.c.interview_id, ranked.c.question).where(ranked.c.nth == 1).subquery()
    question = sa.func.coalesce(last.c.question, "").label("question")
    everyone = broken.subquery()
    query = (
        sa.select(question, sa.func.count())
        .select_from(everyone.outerjoin(last, last.c.interview_id == everyone.c.id))
        .group_by(question)
        .order_by(sa.func.count().desc(), question)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def successes_per_day(session: Session, cell_id: int) -> list[datetime]:
    """When the interviews that count became usable, oldest first."""
    query = sa.select(interviews.c.usable_at).where(
        interviews.c.cell_id == cell_id, interviews.c.successful.is_(sa.true()), interviews.c.usable_at.is_not(None)
    )
    return list(session.execute(query.order_by(interviews.c.usable_at)).scalars())
