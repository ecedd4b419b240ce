"""The hot path on SQLite: a few statements within BEGIN IMMEDIATE, behind the queue of writers."""

from __future__ import annotations

import sqlite3
from collections import deque
from datetime import UTC, datetime

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from ivr.store.hotpath import Standing, Step
from ivr.store.hotpath_sql import ANSWER, IDLE, LOAD, REPLACED, TURN, close_all, count, move, spend
from ivr.store.session import Database
from ivr.store.tables import interviews, responses, turns

_DIALECT = sqlite.dialect(paramstyle="named")


def _written(statement: sa.Select | sa.Update) -> str:
    return str(statement.compile(dialect=_DIALECT))


def _text(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text)


class SqlitePath:
    """See `hotpath.HotPath`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: deque[sqlite3.Connection] = deque(maxlen=IDLE)
        self._load = _written(LOAD)
        self._move = _written(move(_text))
        self._let_go = _written(move(_text, lets_go=True))
        self._count = _written(count(_text("at")))
        self._spend = _written(spend())
        self._turn = f"INSERT INTO {turns.name} ({', '.join(TURN)}) VALUES (:id, :turn_, :signal, :reply, :at)"  # noqa: S608
        self._answer = (
            f"INSERT INTO {responses.name} ({', '.join(ANSWER)}) "  # noqa: S608  (names of our own)
            "VALUES (:interview_id, :question, :value, 'telephone', :at) "
            "ON CONFLICT (interview_id, question) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in REPLACED)
        )
        self._end = (
            f"UPDATE {interviews.name} SET disposition = :ending, ended_at = :at "  # noqa: S608
            "WHERE id = :interview_id AND ended_at IS NULL"
        )

    def load(self, attempt_id: str) -> Standing | None:
        """See `hotpath.HotPath`."""
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
        standing.dialogue, standing.reply = orjson.loads(row[3]), orjson.loads(row[9])
        if row[8] is not None:
            standing.voiced_at = datetime.fromisoformat(row[8]).replace(tzinfo=UTC)
        return standing

    def keep(self, step: Step) -> bool:
        """See `hotpath.HotPath`."""
        values = step.values(step.now.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"))
        with self._database.queue:
            # Taken when it is one's turn: so the writers of a process use one connection, which knows its pages still.
            connection = self._take()
            try:
                connection.execute("BEGIN IMMEDIATE")
                is_kept = self._write(connection, step, values)
                connection.execute("COMMIT" if is_kept else "ROLLBACK")
            except BaseException:
                connection.close()  # rolls back
                raise
            self._idle.append(connection)
        return is_kept

    def _write(self, connection: sqlite3.Connection, step: Step, values: dict[str, object]) -> bool:
        execute = connection.execute
        if step.counts_for is None:
            if execute(self._move, values).rowcount != 1:
                return False
        elif execute(self._let_go, values).rowcount != 1 or execute(self._count, values).rowcount != 1:
            return False
        else:
            execute(self._spend, values)
        execute(self._turn, values)
        if step.answer is not None:
            execute(self._answer, values)
        if step.ending is not None:
            execute(self._end, values)
        return True

    def close(self) -> None:
        """See `hotpath.HotPath`."""
        close_all(self._idle, sqlite3.Connection.close)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            path = self._database.engine.url.database or ":memory:"
            connection = sqlite3.connect(path, check_same_thread=False)
            self._database.prepare(connection)
            return connection
