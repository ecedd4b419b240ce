"""The hot path on PostgreSQL: one statement, one round trip; what follows the attempt's step hangs on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.errors import DivisionByZero
from sqlalchemy.dialects import postgresql

from ivr.store.hotpath import Standing, Step
from ivr.store.hotpath_sql import ANSWER, IDLE, LOAD, REPLACED, TURN, close_all, count, move, spend
from ivr.store.session import Database
from ivr.store.tables import attempts, interviews, responses, turns

Kind = tuple[bool, bool, bool]
"""(with an answer, with an ending, counts)."""


class PostgresPath:
    """See `hotpath.HotPath`."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        # A cursor is kept with its connection: a new one for each statement costs a fifth of the driver's time.
        self._idle: deque[psycopg.Cursor[Any]] = deque(maxlen=IDLE)
        dialect = database.engine.dialect
        self._load = str(LOAD.compile(dialect=dialect)).encode()
        kinds: list[Kind] = [
            (answer, *rest) for answer in (False, True) for rest in ((False, False), (True, False), (False, True))
        ]
        self._keep = {kind: str(_statement(kind).compile(dialect=dialect)).encode() for kind in kinds}

    def load(self, attempt_id: str) -> Standing | None:
        """See `hotpath.HotPath`."""
        row = self._run(self._load, {"id": attempt_id})
        return None if row is None else Standing(*row)

    def keep(self, step: Step) -> bool:
        """See `hotpath.HotPath`."""
        statement = self._keep[step.answer is not None, step.ending is not None, step.counts_for is not None]
        row = self._run(statement, step.values(step.now))
        return row is not None and row[0] == 1

    def close(self) -> None:
        """See `hotpath.HotPath`."""
        close_all(self._idle, lambda cursor: cursor.connection.close())

    def _run(self, statement: bytes, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        cursor = self._take()
        try:
            row = cursor.execute(statement, values).fetchone()
        except DivisionByZero:
            row = None  # nothing of the statement was done (`_statement`), and the connection is as good as before
        except BaseException:
            cursor.connection.close()
            raise
        self._idle.append(cursor)
        return row

    def _take(self) -> psycopg.Cursor[Any]:
        try:
            return self._idle.pop()
        except IndexError:
            arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
            return psycopg.connect(*arguments, **options, autocommit=True).cursor()


def _as_json(name: str) -> Any:
    return sa.cast(sa.bindparam(name, type_=sa.Text), postgresql.JSONB)


def _statement(kind: Kind) -> sa.Select[Any, Any] | sa.Select[Any]:
    """How many attempts moved: 1 or 0. Where one moved and its interview cannot be counted, nothing is done at all.

    That is said with a division by zero: a statement that fails undoes itself, without a second round trip. Locks
    are taken in the order of `quotas.py`: attempt, interview, cell.
    """
    with_answer, with_end, counts = kind
    moment = sa.cast(sa.bindparam("at", type_=postgresql.TIMESTAMP(timezone=True)), turns.c.at.type)
    moved = move(_as_json, lets_go=counts).returning(attempts.c.id).cte("moved")
    has_moved = sa.exists(sa.select(moved.c.id))
    row = sa.select(
        moved.c.id,
        sa.bindparam("turn_", type_=sa.Integer),
        sa.bindparam("signal", type_=sa.String),
        _as_json("reply"),
        moment,
    )
    parts: list[Any] = [sa.insert(turns).from_select(TURN, row).cte("turned")]
    if with_answer:
        texts = [sa.bindparam(name, type_=sa.String) for name in ("interview_id", "question", "value")]
        insert = postgresql.insert(responses).from_select(
            ANSWER, sa.select(*texts, sa.literal_column("'telephone'"), moment).select_from(moved)
        )
        changes = {name: insert.excluded[name] for name in REPLACED}
        parts.append(
            insert.on_conflict_do_update(index_elements=["interview_id", "question"], set_=changes).cte("answered")
        )
    if with_end:
        ended = sa.update(interviews).where(
            interviews.c.id == sa.bindparam("interview_id"), interviews.c.ended_at.is_(None), has_moved
        )
        parts.append(ended.values(disposition=sa.bindparam("ending"), ended_at=moment).cte("ended"))
    how_many = sa.select(sa.func.count()).select_from(moved).scalar_subquery()
    if not counts:
        return sa.select(how_many).add_cte(*parts)
    counted = count(moment).where(has_moved).returning(interviews.c.id).cte("counted")
    parts.append(spend().where(sa.exists(sa.select(counted.c.id))).cte("spent"))
    how_many_counted = sa.select(sa.func.count()).select_from(counted).scalar_subquery()
    one, none = sa.literal_column("1"), sa.literal_column("0")
    both_or_neither = sa.case((how_many == how_many_counted, one), else_=none)
    return sa.select(how_many, one / both_or_neither).add_cte(*parts)
