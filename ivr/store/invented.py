"""Fills an empty database with invented interviews, for measuring only. Nothing here resembles a person.

Goes around the stages on purpose: a million interviews through the door would take hours, and what is measured is
the way out. The database makes the rows itself, in the order of their ids, like an archive that grew; the same count
gives the same rows on both databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from ivr.store.session import Database, Session
from ivr.store.tables import Moment, cases, interviews, providers, responses, samples

BATCH = 25_000
PROVIDERS = 500
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

_scratch = sa.MetaData()
_answers = sa.Table(
    "invented_answers",
    _scratch,
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("nth", sa.Integer, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    prefixes=["TEMPORARY"],
)
_questions = sa.Table(
    "invented_questions",
    _scratch,
    sa.Column("question", sa.String, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("choices", sa.Integer, nullable=False),
    prefixes=["TEMPORARY"],
)


def fill(database: Database, count: int, questions: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Put `count` usable web interviews in, each with an answer to every question (id, possible values).

    On PostgreSQL the role must be a superuser: foreign keys are not checked meanwhile."""
    numbers = range(1, PROVIDERS + 1)
    period = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}
    with database.write() as session:
        named = [{"id": n, "name": f"Dienstverlener {n:03}", "name_key": f"dienstverlener {n:03}"} for n in numbers]
        session.execute(sa.insert(providers), named)
        session.execute(sa.insert(samples), [{"id": n, "provider_id": n, **period} for n in numbers])
    for first in range(1, count + 1, BATCH):
        # A transaction of its own, so that SQLite can empty its log in between.
        with database.write() as session:
            _offer(session, questions)
            _batch(session, first, min(first + BATCH, count + 1) - 1)
            _scratch.drop_all(session)
    with database.write() as session:
        session.exec_driver_sql("ANALYZE")


def _offer(session: Session, questions: Sequence[tuple[str, Sequence[str]]]) -> None:
    if session.dialect.name == "postgresql":
        session.exec_driver_sql("SET LOCAL session_replication_role = replica")
    _scratch.create_all(session)
    asked = [{"question": id, "place": place, "choices": len(values)} for place, (id, values) in enumerate(questions)]
    session.execute(sa.insert(_questions), asked)
    choices = [
        {"question": id, "nth": nth, "value": value} for id, values in questions for nth, value in enumerate(values)
    ]
    session.execute(sa.insert(_answers), choices)


def _batch(session: Session, first: int, last: int) -> None:
    start = sa.select(sa.literal(first, sa.BigInteger).label("n")).cte("numbers", recursive=True)
    numbers = start.union_all(sa.select(start.c.n + 1).where(start.c.n < last))
    n = numbers.c.n
    case = {
        cases.c.id: n,
        cases.c.sample_id: 1 + n % PROVIDERS,
        cases.c.respondent_group: sa.literal("client"),
        cases.c.respondent: sa.literal("B") + sa.cast(n, sa.String),
        cases.c.service: 1 + n % 10,
        cases.c.questionnaire: sa.literal("regulier"),
        cases.c.route: sa.literal("regular"),
        cases.c.code: sa.literal("0000"),
        cases.c.created_at: sa.literal(START, Moment),
    }
    session.execute(sa.insert(cases).from_select(list(case), sa.select(*case.values())))
    interview = {
        interviews.c.id: _hexadecimal(session, n) + _hexadecimal(session, _scattered(n)),
        interviews.c.case_id: n,
        interviews.c.questionnaire: sa.literal("regulier"),
        interviews.c.version: sa.literal(1),
        interviews.c.mode: sa.literal("web"),
        interviews.c.started_at: _moment(session, n),
        interviews.c.ended_at: _moment(session, n + 360),
        interviews.c.disposition: sa.literal("complete"),
        interviews.c.usable: sa.true(),
        interviews.c.usable_at: _moment(session, n + 240),
    }
    session.execute(sa.insert(interviews).from_select(list(interview), sa.select(*interview.values())))
    # PostgreSQL plans by its statistics, and of tables just made it has none.
    for table in (interviews, _questions, _answers):
        session.exec_driver_sql(f"ANALYZE {table.name}")
    chosen = _scattered(interviews.c.case_id * 31 + _questions.c.place) % _questions.c.choices
    answer = (
        sa.select(interviews.c.id, _questions.c.question, _answers.c.value, sa.literal("web"), interviews.c.started_at)
        .select_from(interviews)
        .join(_questions, sa.true())
        .join(_answers, sa.and_(_answers.c.question == _questions.c.question, _answers.c.nth == chosen))
        .where(interviews.c.case_id.between(first, last))
        .order_by(interviews.c.id, _questions.c.question)
    )
    columns = [
        responses.c.interview_id,
        responses.c.question,
        responses.c.value,
        responses.c.mode,
        responses.c.answered_at,
    ]
    session.execute(sa.insert(responses).from_select(columns, answer))


def _scattered(number: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """A number that looks drawn: Knuth's multiplicative hash, its upper bits."""
    wide = sa.cast(number, sa.BigInteger) * 2_654_435_761
    return wide % 4_294_967_296 // 65_536


def _hexadecimal(session: Session, number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    if session.dialect.name == "postgresql":
        return sa.func.lpad(sa.func.to_hex(number), 16, "0", type_=sa.String)
    return sa.func.printf("%016x", number, type_=sa.String)


def _moment(session: Session, seconds: sa.ColumnElement[int]) -> sa.ColumnElement[datetime]:
    """So many seconds after the start."""
    at = seconds + int((START - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))
    if session.dialect.name == "postgresql":
        return sa.func.to_timestamp(at)
    return sa.func.strftime("%Y-%m-%d %H:%M:%S.000000", at, "unixepoch")
