"""Reads what the exports need, in an order that can be merged, a few thousand rows at a time.

Decides which rows exist for the outside: test calls and what they recorded never do, a call that was certainly
not made (`reserved`, `void`) is not an attempt. What the rows mean is decided in `survey/`; how they are written
in `exports/`. Statements run on the driver's own cursor, because a Row object for each would
double the time; moments become ISO text inside the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from ivr.store.samples import TRIAL_KEY
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, interviews, ledger, orders, providers, responses, samples

CHUNK = 2000
JOINT = "\x1f"
"""Stands between the parts of a joined text: in no id of a question, no code of an answer, no number, no moment."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One delivered sample: a provider's clients (and commissioners) of one meetperiode."""

    id: int
    provider: str
    period_from: date
    period_to: date


def find_samples(
    session: Session, *, period: tuple[date, date] | None = None, provider_key: str | None = None
) -> list[SampleRow]:
    """The samples of this period and provider (all without them), by provider's name and then period."""
    statement = (
        sa.select(samples.c.id, providers.c.name, samples.c.period_from, samples.c.period_to)
        .join(providers, providers.c.id == samples.c.provider_id)
        .where(providers.c.name_key != TRIAL_KEY)
        .order_by(bytewise(session, providers.c.name_key), samples.c.period_from, samples.c.period_to)
    )
    if period is not None:
        statement = statement.where(samples.c.period_from == period[0], samples.c.period_to == period[1])
    if provider_key is not None:
        statement = statement.where(providers.c.name_key == provider_key)
    return [SampleRow(*row) for row in session.execute(statement)]


def begin_snapshot(session: Session) -> None:
    """Let every statement of this transaction see the same moment; call it before anything is read."""
    if session.dialect.name == "postgresql":
        session.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def provider_exists(session: Session, provider_key: str) -> bool:
    """Whether a provider of this name key is known."""
    return session.execute(sa.select(providers.c.id).where(providers.c.name_key == provider_key)).first() is not None


def stream_interviews(session: Session, sample_ids: list[int] | None, since: datetime | None) -> Iterator[tuple]:
    """Rows (id, sample_id, group, service, questionnaire, version, mode, started_at, ended_at, disposition,
    usable, successful), by id. `since`: only those with an answer, a beginning or an end at or after it.
    Moments are ISO 8601 UTC text; usable and successful are 0 or 1."""
    statement = (
        sa.select(
            interviews.c.id,
            cases.c.sample_id,
            cases.c.respondent_group,
            cases.c.service,
            interviews.c.questionnaire,
            interviews.c.version,
            interviews.c.mode,
            iso(session, interviews.c.started_at),
            iso(session, interviews.c.ended_at),
            interviews.c.disposition,
            sa.case((interviews.c.usable, 1), else_=0),
            sa.case((interviews.c.successful, 1), else_=0),
        )
        .join(cases, cases.c.id == interviews.c.case_id)
        .order_by(interviews.c.id)
    )
    return _stream(session, _of_interviews(statement, sample_ids, since))


def stream_responses(
    session: Session, sample_ids: list[int] | None, since: datetime | None, *, with_moments: bool
) -> Iterator[tuple]:
    """A row per interview that holds answers, by its id: (interview_id, questions, values, modes, moments).

    The last four are texts whose parts are joined by `JOINT` and belong together place by place, by question in byte
    order; a moment is `2026-03-31T12:00:00` UTC, perhaps with a fraction behind it. modes and moments are empty
    without `with_moments`. The database joins them, because a row for each of twenty million answers takes it and
    the driver most of the time.
    """
    answered_at = responses.c.answered_at
    if session.dialect.name == "postgresql":
        moment = sa.cast(sa.func.timezone("UTC", answered_at), sa.String)
    else:
        moment = sa.type_coerce(answered_at, sa.String)
    kept = [responses.c.interview_id, responses.c.question, responses.c.value]
    if with_moments:
        kept += [responses.c.mode, moment.label("moment")]
    statement = sa.select(*kept).order_by(responses.c.interview_id, bytewise(session, responses.c.question))
    if sample_ids is not None or since is not None or _test_calls(session):
        wanted = _of_interviews(
            sa.select(interviews.c.id).join(cases, cases.c.id == interviews.c.case_id), sample_ids, since
        )
        statement = statement.where(responses.c.interview_id.in_(wanted))
    ordered = statement.subquery()
    question = bytewise(session, ordered.c.question)
    parts = [_joined(session, ordered.c.question, question), _joined(session, ordered.c.value, question)]
    if with_moments:
        moments = sa.func.replace(_joined(session, ordered.c.moment, question), " ", "T")
        parts += [_joined(session, ordered.c.mode, question), moments]
    else:
        parts += [sa.literal(""), sa.literal("")]
    grouped = sa.select(ordered.c.interview_id, *parts).group_by(ordered.c.interview_id)
    return _stream(session, grouped.order_by(ordered.c.interview_id))


def stream_attempts(session: Session, sample_ids: list[int] | None, since: datetime | None) -> Iterator[tuple]:
    """Rows (id, case_id, sample_id, number_in_case, planned_at, placed_at, ended_at, outcome, duration_seconds)
    of calls that were, or may have been, made; by case and number."""
    statement = (
        sa.select(
            attempts.c.id,
            attempts.c.case_id,
            cases.c.sample_id,
            attempts.c.number_in_case,
            iso(session, attempts.c.planned_at),
            iso(session, attempts.c.placed_at),
            iso(session, attempts.c.ended_at),
            attempts.c.outcome,
            attempts.c.duration_seconds,
        )
        .join(cases, cases.c.id == attempts.c.case_id)
        .where(~attempts.c.is_test, attempts.c.state.not_in(("reserved", "void")))
        .order_by(attempts.c.case_id, attempts.c.number_in_case)
    )
    if sample_ids is not None:
        statement = statement.where(cases.c.sample_id.in_(sample_ids))
    if since is not None:
        statement = statement.where(
            sa.or_(
                attempts.c.planned_at >= since,
                attempts.c.placed_at >= since,
                attempts.c.ended_at >= since,
            )
        )
    return _stream(session, statement)


def stream_ledger(session: Session, sample_ids: list[int] | None) -> Iterator[tuple]:
    """Rows (sample_id, order_id, line id, number, interview_id, at, price, subsidy, provider_share, reverses),
    by line. Amounts as the driver gives them: Decimal, or a float of two decimals on SQLite."""
    statement = (
        sa.select(
            orders.c.sample_id,
            ledger.c.order_id,
            ledger.c.id,
            ledger.c.number,
            ledger.c.interview_id,
            iso(session, ledger.c.at),
            ledger.c.price,
            ledger.c.subsidy,
            ledger.c.provider_share,
            ledger.c.reverses,
        )
        .join(orders, orders.c.id == ledger.c.order_id)
        .order_by(ledger.c.id)
    )
    if sample_ids is not None:
        statement = statement.where(orders.c.sample_id.in_(sample_ids))
    return iter(session.execute(statement))  # type: ignore[return-value]


def stream_regular_route(session: Session, sample_ids: list[int] | None) -> Iterator[tuple]:
    """Rows (case_id, sample_id, group, respondent, service, questionnaire) of those whom the mailing tool must
    still reach: regular route, nothing excludes them, nothing heard yet by any mode; by sample and respondent.

    Who only took back the consent to be called (`withdrawn`) may still be written to; who never wants to be called
    again is left alone altogether."""
    answered = sa.exists().where(interviews.c.case_id == cases.c.id, interviews.c.usable)
    statement = (
        sa.select(
            cases.c.id,
            cases.c.sample_id,
            cases.c.respondent_group,
            cases.c.respondent,
            cases.c.service,
            cases.c.questionnaire,
        )
        .where(
            cases.c.route == "regular",
            cases.c.exclusion.is_(None),
            cases.c.disposition.not_in(("answered_elsewhere", "never_call_again", "opted_out", "deceased")),
            ~answered,
        )
        .order_by(cases.c.sample_id, cases.c.respondent_group, bytewise(session, cases.c.respondent))
    )
    if sample_ids is not None:
        statement = statement.where(cases.c.sample_id.in_(sample_ids))
    return iter(session.execute(statement).all())  # type: ignore[arg-type]


def stream_superseded(session: Session, sample_ids: list[int] | None) -> Iterator[tuple]:
    """Rows (interview_id, counted_interview_id): usable questionnaires of people of whom an earlier one counts."""
    moment = sa.func.coalesce(interviews.c.usable_at, interviews.c.started_at)
    window = {"partition_by": interviews.c.case_id, "order_by": (moment, interviews.c.id)}
    ranked = (
        sa.select(
            interviews.c.id,
            sa.func.row_number().over(**window).label("nth"),
            sa.func.first_value(interviews.c.id).over(**window).label("counted"),
        )
        .join(cases, cases.c.id == interviews.c.case_id)
        .where(interviews.c.usable, interviews.c.id.not_in(interviews_of_test_calls()))
    )
    if sample_ids is not None:
        ranked = ranked.where(cases.c.sample_id.in_(sample_ids))
    found = ranked.subquery()
    return _stream(session, sa.select(found.c.id, found.c.counted).where(found.c.nth > 1).order_by(found.c.id))


def question_ids(session: Session, sample_ids: list[int] | None) -> list[str]:
    """Every question id that holds an answer, in byte order."""
    statement = sa.select(responses.c.question).distinct()
    if sample_ids is not None:
        statement = (
            statement.join(interviews, interviews.c.id == responses.c.interview_id)
            .join(cases, cases.c.id == interviews.c.case_id)
            .where(cases.c.sample_id.in_(sample_ids))
        )
    return sorted(session.execute(statement).scalars())


def bytewise(session: Session, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """`column` compared byte by byte on both databases, so that the order never depends on a server's locale."""
    return sa.collate(column, "C") if session.dialect.name == "postgresql" else column


def _joined(session: Session, column: sa.ColumnElement[str], order: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    if session.dialect.name == "postgresql":
        return sa.func.string_agg(column, aggregate_order_by(sa.literal(JOINT), order))
    # SQLite keeps the order of the rows it is given, and only since 3.44 can be told one.
    return sa.func.group_concat(column, JOINT)


def iso(session: Session, column: sa.Column[Any]) -> sa.ColumnElement[str]:
    """`column` as `2026-03-31T12:00:00Z`; whole seconds, cut off, not rounded."""
    if session.dialect.name == "postgresql":
        return sa.func.to_char(sa.func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    text = sa.type_coerce(column, sa.String)
    return sa.func.substr(text, 1, 10) + "T" + sa.func.substr(text, 12, 8) + "Z"


def interviews_of_test_calls() -> sa.Select[*tuple[Any, ...]]:
    """The interviews that a test call recorded."""
    return sa.select(attempts.c.interview_id).where(attempts.c.is_test, attempts.c.interview_id.is_not(None))


def _test_calls(session: Session) -> bool:
    return session.execute(interviews_of_test_calls().limit(1)).first() is not None


def _of_interviews(
    statement: sa.Select[*tuple[Any, ...]], sample_ids: list[int] | None, since: datetime | None
) -> sa.Select[*tuple[Any, ...]]:
    statement = statement.where(interviews.c.id.not_in(interviews_of_test_calls()))
    if sample_ids is not None:
        statement = statement.where(cases.c.sample_id.in_(sample_ids))
    if since is not None:
        newer = sa.exists().where(responses.c.interview_id == interviews.c.id, responses.c.answered_at >= since)
        statement = statement.where(sa.or_(interviews.c.started_at >= since, interviews.c.ended_at >= since, newer))
    return statement


def _stream(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> Iterator[tuple]:
    """Run a statement on a driver cursor of its own (on the server's side for PostgreSQL) and yield plain tuples."""
    dialect = session.dialect
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    if dialect.name == "postgresql":
        sql = sql.replace("%%", "%")
    raw: Any = session.connection.driver_connection
    cursor = raw.cursor(name=f"toets_{id(statement)}") if dialect.name == "postgresql" else raw.cursor()
    try:
        cursor.execute(sql)
        yield from chain.from_iterable(iter(lambda: cursor.fetchmany(CHUNK), []))
    finally:
        cursor.close()
