"""What the pages show, read in few and broad statements.

Decides what is counted; what needs attention is `fieldwork/outlook.py`'s. Nothing here opens contact data or reads the
value of an answer. The board costs three statements however many people watch it, one of which passes over all cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store import progress
from ivr.store.admission import Bounds
from ivr.store.cells import people_left
from ivr.store.session import Session
from ivr.store.tables import attempts, audit, cases, cells, interviews, lines, orders, providers, responses, samples
from ivr.survey.forecast import Progress


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell with the counts of its people. `cases`: people by disposition; `open_cases`: not final; `callable_cases`:
    of those the ones that can be called now or later, or are in a call; `worked_cases`: final and dialled; `dialled`:
    calls so far."""

    id: int
    provider_id: int
    provider: str
    period_from: date
    period_to: date
    track: str
    ordered: int
    target: int
    capacity: int
    successful: int
    in_flight: int
    state: str
    is_voiced: bool
    cases: Mapping[str, int]
    open_cases: int
    callable_cases: int
    worked_cases: int
    dialled: int
    errors: int
    progress: tuple[Progress, ...] = ()
    """Its people by calls behind them, for the forecast; empty where that is not read."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls now. `in_flight`: dialling or up; `last_minute`: placed in the last 60 s; `answered` of `placed` in the
    last hour; `down_until`: lines that are out, with the moment of the next try (or None)."""

    in_flight: int
    last_minute: int
    placed: int
    answered: int
    errors: int
    down: bool
    down_until: datetime | None


def cell_rows(
    session: Session,
    since_errors: datetime,
    bounds: Bounds | None,
    *,
    provider_id: int | None = None,
    cell_id: int | None = None,
) -> list[CellRow]:
    """All cells (or one provider's, or one) by provider and period; technical failures are counted from then on.

    `bounds` say who may still be called; without them `callable_cases` is 0.
    """
    narrowed = [
        *([samples.c.provider_id == provider_id] if provider_id is not None else []),
        *([cells.c.id == cell_id] if cell_id is not None else []),
    ]
    query = (
        sa.select(
            cells.c.id,
            samples.c.provider_id,
            providers.c.name.label("provider"),
            samples.c.period_from,
            samples.c.period_to,
            cells.c.track,
            orders.c.interviews.label("ordered"),
            cells.c.target,
            cells.c.capacity,
            cells.c.successful,
            cells.c.in_flight,
            cells.c.state,
            orders.c.voiced_at.is_not(None).label("is_voiced"),
        )
        .select_from(
            cells.join(orders, cells.c.order_id == orders.c.id).join(samples, cells.c.sample_id == samples.c.id)
        )
        .join(providers, samples.c.provider_id == providers.c.id)
        .where(*narrowed)
        .order_by(providers.c.name_key, samples.c.period_from, cells.c.id)
    )
    heads = session.execute(query).all()
    only = [head.id for head in heads] if narrowed else None
    counted = _case_counts(session, only)
    failed = _failures(session, since_errors)
    left = people_left(session, bounds) if bounds is not None else {}
    far = progress.of_cells(session, bounds, None, only) if bounds is not None else {}
    return [
        CellRow(
            **head._mapping,
            **counted.get(head.id, _NOBODY),
            callable_cases=left.get(head.id, 0),
            errors=failed.get(head.id, 0),
            progress=far[head.id].rows if head.id in far else (),
        )
        for head in heads
    ]


_NOBODY = {"cases": {}, "open_cases": 0, "worked_cases": 0, "dialled": 0}


def _case_counts(session: Session, only: Sequence[int] | None) -> dict[int, dict]:
    is_final = cases.c.is_final.is_(sa.true())
    query = (
        sa.select(
            cases.c.cell_id,
            cases.c.disposition,
            sa.func.count(),
            sa.func.sum(sa.case((is_final, 0), else_=1)),
            sa.func.sum(sa.case((sa.and_(is_final, cases.c.dialled > 0), 1), else_=0)),
            sa.func.sum(cases.c.dialled),
        )
        .where(cases.c.cell_id.is_not(None) if only is None else cases.c.cell_id.in_(only))
        .group_by(cases.c.cell_id, cases.c.disposition)
    )
    found: dict[int, dict] = {}
    for cell_id, disposition, people, unfinished, worked, dialled in session.execute(query):
        counts = found.setdefault(cell_id, {**_NOBODY, "cases": {}})
        counts["cases"][disposition] = people
        counts["open_cases"] += int(unfinished)
        counts["worked_cases"] += int(worked)
        counts["dialled"] += int(dialled)
    return found


def _failures(session: Session, since: datetime) -> dict[int, int]:
    query = (
        sa.select(attempts.c.cell_id, sa.func.count())
        .where(
            attempts.c.state == "closed",
            attempts.c.planned_at >= since,
            attempts.c.outcome == "technical",
            attempts.c.is_test.is_(sa.false()),
        )
        .group_by(attempts.c.cell_id)
    )
    return {cell_id: count for cell_id, count in session.execute(query) if cell_id is not None}


def traffic(session: Session, now: datetime) -> Traffic:
    """How busy the lines are."""
    up = sa.select(sa.func.count()).where(attempts.c.state.in_(("dialing", "placed")))
    minute, hour = now - timedelta(minutes=1), now - timedelta(hours=1)
    recent = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.placed_at >= minute, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.answered_at.is_not(None), 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((attempts.c.outcome == "technical", 1), else_=0)), 0),
    ).where(
        attempts.c.state.in_(("placed", "closed")),
        attempts.c.planned_at >= hour - timedelta(hours=1),
        attempts.c.placed_at >= hour,
    )
    placed, last_minute, answered, errors = session.execute(recent).one()
    down = session.execute(sa.select(lines.c.not_before).where(lines.c.is_down.is_(sa.true()))).scalars().all()
    until = max((moment for moment in down if moment is not None), default=None)
    in_flight = session.execute(up).scalar_one()
    return Traffic(in_flight, int(last_minute), int(placed), int(answered), int(errors), bool(down), until)


# --- one cell ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """Calls that ended, by the hour they were placed in (UTC text `YYYY-MM-DD HH`), and how many were answered."""

    hour: str
    placed: int
    answered: int


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
            attempts.c.state == "closed",
            attempts.c.outcome.is_not(None),
        )
        .group_by(attempts.c.outcome)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def reach(session: Session, cell_id: int) -> list[Reach]:
    """When the cell's calls were placed, and how many were answered, by the hour."""
    if session.dialect.name == "postgresql":
        hour = sa.func.to_char(sa.func.timezone("UTC", attempts.c.placed_at), "YYYY-MM-DD HH24")
    else:
        hour = sa.func.strftime("%Y-%m-%d %H", attempts.c.placed_at)
    hour = hour.label("hour")
    query = (
        sa.select(hour, sa.func.count(), sa.func.sum(sa.case((attempts.c.answered_at.is_not(None), 1), else_=0)))
        .where(
            attempts.c.cell_id == cell_id,
            attempts.c.is_test.is_(sa.false()),
            attempts.c.placed_at.is_not(None),
            attempts.c.state == "closed",
        )
        .group_by(hour)
    )
    return [Reach(row[0], row[1], int(row[2])) for row in session.execute(query)]


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


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A person who will be called (again)."""

    id: int
    service: int | None
    disposition: str
    attempts: int
    priority: int
    is_busy: bool
    next_call_at: datetime


def waiting_cases(session: Session, cell_id: int, limit: int, offset: int = 0) -> list[WaitingCase]:
    """The cell's people who may be called, next first."""
    columns = (
        cases.c.id,
        cases.c.service,
        cases.c.disposition,
        cases.c.attempts,
        cases.c.priority,
        cases.c.is_busy,
        cases.c.next_call_at,
    )
    query = (
        sa.select(*columns)
        .where(cases.c.cell_id == cell_id, cases.c.is_final.is_(sa.false()), cases.c.next_call_at.is_not(None))
        .order_by(cases.c.next_call_at, cases.c.priority, cases.c.replicate, cases.c.position, cases.c.id)
        .limit(limit)
        .offset(offset)
    )
    return [WaitingCase(**row._mapping) for row in session.execute(query)]


def successes_per_day(session: Session, cell_id: int, before: datetime | None = None) -> list[datetime]:
    """When the interviews that count became usable, oldest first; only those before a moment, if one is given."""
    query = sa.select(interviews.c.usable_at).where(
        interviews.c.cell_id == cell_id, interviews.c.successful.is_(sa.true()), interviews.c.usable_at.is_not(None)
    )
    if before is not None:
        query = query.where(interviews.c.usable_at < before)
    return list(session.execute(query.order_by(interviews.c.usable_at)).scalars())


# --- who changed what -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Somebody changed something. `details` holds the values before and after."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    details: Mapping


def audit_lines(session: Session, *, subject: str | None = None, limit: int = 100) -> list[AuditLine]:
    """What was changed, newest first; of one subject (`cell 7`), or of all."""
    query = sa.select(audit.c.at, audit.c.who, audit.c.what, audit.c.subject, audit.c.reason, audit.c.details).order_by(
        audit.c.id.desc()
    )
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [AuditLine(**row._mapping) for row in session.execute(query.limit(limit))]


def cell_row(session: Session, cell_id: int, since_errors: datetime, bounds: Bounds) -> CellRow:
    """One cell. NotFoundError when there is none."""
    found = cell_rows(session, since_errors, bounds, cell_id=cell_id)
    if not found:
        raise NotFoundError(f"There is no cell {cell_id}.")
    return found[0]


def daily_rows(session: Session, provider_id: int, until: datetime) -> list[CellRow]:
    """A provider's cells as they stood at `until`, as far as the database can tell, without anything of after it.

    Successes count by the moment they became usable. A person who is final counts as worked unless a call was planned
    after `until`; who was left because the cell filled counts as open, so that filling today shows tomorrow.
    """
    called_since = (
        sa.select(attempts.c.id).where(attempts.c.case_id == cases.c.id, attempts.c.planned_at >= until).exists()
    )
    was_open = sa.or_(cases.c.is_final.is_(sa.false()), called_since, cases.c.disposition == "quota_full")
    people = (
        sa.select(
            cases.c.cell_id,
            sa.func.sum(sa.case((was_open, 1), else_=0)).label("open"),
            sa.func.sum(sa.case((sa.and_(~was_open, cases.c.dialled > 0), 1), else_=0)).label("worked"),
        )
        .join(samples, cases.c.sample_id == samples.c.id)
        .where(samples.c.provider_id == provider_id, cases.c.cell_id.is_not(None))
        .group_by(cases.c.cell_id)
    )
    stood = {row.cell_id: (int(row.open), int(row.worked)) for row in session.execute(people)}
    successes = (
        sa.select(interviews.c.cell_id, sa.func.count())
        .join(cells, cells.c.id == interviews.c.cell_id)
        .join(samples, cells.c.sample_id == samples.c.id)
        .where(
            samples.c.provider_id == provider_id,
            interviews.c.successful.is_(sa.true()),
            interviews.c.usable_at < until,
        )
        .group_by(interviews.c.cell_id)
    )
    done = {row[0]: row[1] for row in session.execute(successes)}
    rows = []
    for row in cell_rows(session, until, None, provider_id=provider_id):
        open_cases, worked = stood.get(row.id, (0, 0))
        rows.append(
            replace(
                row,
                successful=done.get(row.id, 0),
                in_flight=0,
                cases={},
                open_cases=open_cases,
                callable_cases=open_cases,
                worked_cases=worked,
                dialled=0,
                errors=0,
            )
        )
    return rows
