"""The one path with SQL on the driver's own connection: a key in the middle of a call.

Decides how such a turn is read and kept in as few round trips as the database allows: SQL compiled once from the
same tables as everywhere, run without SQLAlchemy's execution. What may take this path is decided in
`fieldwork/quick.py`; whatever it cannot do the ordinary way in `turns.py` does, with the same result.

Why that is safe without a lock held while the engine thinks: a turn is kept only where the attempt still stands at
the turn before, in the same call, still open, with the same interview. Whoever came in between makes that untrue.
The numbers: docs/decisions/0010.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.logs import get_logger
from ivr.store.session import Database, prepare_sqlite
from ivr.store.tables import attempts, cells, interviews, orders, responses, turns
from ivr.survey.turn import Answer

log = get_logger(__name__)

OPEN = "placed"
"""The only state in which a call goes on."""
_IDLE = 32
"""So many idle connections are kept at most; a thread uses one at a time."""

BROKEN: tuple[type[Exception], ...] = (sqlite3.Error, psycopg.Error)
"""What the driver raises when the database did not do it, or nobody knows whether it did."""


@dataclass(slots=True)
class Standing:
    """A running call as far as the next key needs it. turn: the last one that was replied to."""

    attempt_id: str
    call_sid: str
    turn: int
    dialogue: Mapping[str, Any]
    interview_id: str | None
    order_id: int
    voiced_at: datetime | None
    reply: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A turn that was replied to, and what was answered in it.

    interview_id: as the call had it before. ending: the disposition with which this turn ends the interview.
    """

    attempt_id: str
    call_sid: str
    interview_id: str | None
    turn: int
    signal: str
    reply: Mapping[str, Any]
    dialogue: Mapping[str, Any]
    answer: Answer | None
    ending: str | None
    now: datetime

    def values(self, at: object) -> dict[str, Any]:
        """The parameters of the statements; `at` is the moment as the driver wants it."""
        answered = {} if self.answer is None else {"question": self.answer.question, "value": self.answer.value}
        return {
            "id": self.attempt_id,
            "call_sid": self.call_sid,
            "interview_id": self.interview_id,
            "before": self.turn - 1,
            "turn_": self.turn,
            "dialogue_": json.dumps(self.dialogue),
            "signal": self.signal,
            "reply": json.dumps(self.reply),
            "at": at,
            "ending": self.ending,
            **answered,
        }


class HotPath(Protocol):
    """Reads and keeps turns of running calls."""

    def load(self, attempt_id: str) -> Standing | None:
        """The call as it stands, without a lock; None when it is not one that is going on."""
        ...

    def keep(self, step: Step) -> bool:
        """Keep this turn and what was answered in it, all or nothing. False: the call does not stand there any more."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def open_hotpath(database: Database) -> HotPath:
    """The hot path of this database. Connections are opened when they are needed and closed with the database."""
    path = _Sqlite(database) if database.is_sqlite else _Postgres(database)
    database.closes_with(path.close)
    return path


_LOAD = (
    sa.select(
        attempts.c.id,
        attempts.c.call_sid,
        attempts.c.turn,
        attempts.c.dialogue,
        attempts.c.interview_id,
        orders.c.id,
        orders.c.voiced_at,
        turns.c.reply,
    )
    .select_from(
        attempts.join(cells, cells.c.id == attempts.c.cell_id)
        .join(orders, orders.c.id == cells.c.order_id)
        .join(turns, sa.and_(turns.c.attempt_id == attempts.c.id, turns.c.turn == attempts.c.turn))
    )
    .where(
        attempts.c.id == sa.bindparam("id"),
        attempts.c.state == sa.literal_column(f"'{OPEN}'"),
        attempts.c.is_test == sa.false(),
        attempts.c.dialogue.is_not(None),
    )
)


def _move(as_json: Callable[[str], Any]) -> sa.Update:
    return (
        sa.update(attempts)
        .where(
            attempts.c.id == sa.bindparam("id"),
            attempts.c.turn == sa.bindparam("before", type_=sa.Integer),
            attempts.c.state == sa.literal_column(f"'{OPEN}'"),
            attempts.c.call_sid == sa.bindparam("call_sid"),
            attempts.c.interview_id.is_not_distinct_from(sa.bindparam("interview_id", type_=sa.String)),
        )
        .values(turn=sa.bindparam("turn_", type_=sa.Integer), dialogue=as_json("dialogue_"))
    )


_TURN = ("attempt_id", "turn", "signal", "reply", "at")
_ANSWER = ("interview_id", "question", "value", "mode", "answered_at")
_REPLACED = ("value", "mode", "answered_at")


class _Sqlite:
    """Three statements within BEGIN IMMEDIATE, behind the queue of writers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: deque[sqlite3.Connection] = deque(maxlen=_IDLE)
        dialect = sqlite.dialect(paramstyle="named")
        self._load = str(_LOAD.compile(dialect=dialect))
        self._move = str(_move(lambda name: sa.bindparam(name, type_=sa.Text)).compile(dialect=dialect))
        self._turn = f"INSERT INTO {turns.name} ({', '.join(_TURN)}) VALUES (:id, :turn_, :signal, :reply, :at)"  # noqa: S608
        self._answer = (
            f"INSERT INTO {responses.name} ({', '.join(_ANSWER)}) "  # noqa: S608  (names of our own)
            "VALUES (:interview_id, :question, :value, 'telephone', :at) "
            "ON CONFLICT (interview_id, question) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in _REPLACED)
        )
        self._end = (
            f"UPDATE {interviews.name} SET disposition = :ending, ended_at = :at "  # noqa: S608
            "WHERE id = :interview_id AND ended_at IS NULL"
        )

    def load(self, attempt_id: str) -> Standing | None:
        connection = self._take()
        try:
            row = connection.execute(self._load, {"id": attempt_id}).fetchone()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if row is None:
            return None
        standing = Standing(*row)
        standing.dialogue, standing.reply = json.loads(row[3]), json.loads(row[7])
        if row[6] is not None:
            standing.voiced_at = datetime.fromisoformat(row[6]).replace(tzinfo=UTC)
        return standing

    def keep(self, step: Step) -> bool:
        values = step.values(step.now.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"))
        connection = self._take()
        execute = connection.execute
        try:
            with self._database.queue:
                execute("BEGIN IMMEDIATE")
                if execute(self._move, values).rowcount != 1:
                    execute("ROLLBACK")
                    self._idle.append(connection)
                    return False
                execute(self._turn, values)
                if step.answer is not None:
                    execute(self._answer, values)
                if step.ending is not None:
                    execute(self._end, values)
                execute("COMMIT")
        except BaseException:
            connection.close()  # rolls back
            raise
        self._idle.append(connection)
        return True

    def close(self) -> None:
        _close_all(self._idle)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            path = self._database.engine.url.database or ":memory:"
            connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
            prepare_sqlite(connection, None)
            return connection


class _Postgres:
    """One statement, one round trip: what follows the attempt's step hangs on it in the same statement."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._idle: deque[psycopg.Connection[Any]] = deque(maxlen=_IDLE)
        dialect = database.engine.dialect
        self._load = str(_LOAD.compile(dialect=dialect)).encode()
        self._keep = {
            (answer, end): str(self._statement(with_answer=answer, with_end=end).compile(dialect=dialect)).encode()
            for answer in (False, True)
            for end in (False, True)
        }

    @staticmethod
    def _statement(*, with_answer: bool, with_end: bool) -> sa.Select[Any]:
        def as_json(name: str) -> Any:
            return sa.cast(sa.bindparam(name, type_=sa.Text), postgresql.JSONB)

        moment = sa.cast(sa.bindparam("at", type_=postgresql.TIMESTAMP(timezone=True)), turns.c.at.type)
        moved = _move(as_json).returning(attempts.c.id).cte("moved")
        row = sa.select(
            moved.c.id,
            sa.bindparam("turn_", type_=sa.Integer),
            sa.bindparam("signal", type_=sa.String),
            as_json("reply"),
            moment,
        )
        parts = [sa.insert(turns).from_select(_TURN, row).cte("turned")]
        if with_answer:
            texts = [sa.bindparam(name, type_=sa.String) for name in ("interview_id", "question", "value")]
            insert = postgresql.insert(responses).from_select(
                _ANSWER, sa.select(*texts, sa.literal_column("'telephone'"), moment).select_from(moved)
            )
            changes = {name: insert.excluded[name] for name in _REPLACED}
            parts.append(
                insert.on_conflict_do_update(index_elements=["interview_id", "question"], set_=changes).cte("answered")
            )
        if with_end:
            ended = sa.update(interviews).where(
                interviews.c.id == sa.bindparam("interview_id"),
                interviews.c.ended_at.is_(None),
                sa.exists(sa.select(moved.c.id)),
            )
            parts.append(ended.values(disposition=sa.bindparam("ending"), ended_at=moment).cte("ended"))
        return sa.select(sa.func.count()).select_from(moved).add_cte(*parts)

    def load(self, attempt_id: str) -> Standing | None:
        row = self._run(self._load, {"id": attempt_id})
        return None if row is None else Standing(*row)

    def keep(self, step: Step) -> bool:
        row = self._run(self._keep[step.answer is not None, step.ending is not None], step.values(step.now))
        return row is not None and row[0] == 1

    def close(self) -> None:
        _close_all(self._idle)

    def _run(self, statement: bytes, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        connection = self._take()
        try:
            row = connection.execute(statement, values).fetchone()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return row

    def _take(self) -> psycopg.Connection[Any]:
        try:
            return self._idle.pop()
        except IndexError:
            arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
            return psycopg.connect(*arguments, **options, autocommit=True)


def _close_all(idle: deque[Any]) -> None:
    while idle:
        with contextlib.suppress(IndexError):
            idle.pop().close()
