"""Statements that every call runs many times: compiled once, then run on the session's own driver connection.

Decides how little stands between such a statement and the driver. SQLAlchemy's execution looks the statement up,
binds and wraps it anew each time, which costs several times what SQLite needs for it. The SQL, the types and the
transaction stay SQLAlchemy's: the text is compiled by its dialect, each value goes through the processor of its type,
and the statement runs between the BEGIN and COMMIT of the session that is given. Statements that are rare, or whose
form hangs on their values (`IN` with a list), go through `Session.execute`. Why and what it brought: docs/decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import TextualSelect

from ivr.store.session import Session

Process = Callable[[Any], Any]
Row = tuple[Any, ...]


@dataclass(slots=True)
class _Compiled:
    """A statement for one database. binds: name, processor and (for what stands in the statement itself) value."""

    text: str
    binds: list[tuple[str, Process | None, Any]]
    is_positional: bool
    columns: list[Process | None] | None


_GIVEN = object()
"""The value of a parameter that the caller gives."""


class Prepared:
    """A select, insert, update or text of which only the values of its parameters change. Safe to share.

    values: by name, as in `Session.execute`; what stands beside the parameters is passed over. A database error is
    raised as SQLAlchemy raises it (`sqlalchemy.exc.DBAPIError`), without the values.
    """

    def __init__(self, statement: sa.Select[*tuple[Any, ...]] | UpdateBase | sa.TextClause | TextualSelect) -> None:
        self._statement = statement
        self._compiled: WeakKeyDictionary[sa.Dialect, _Compiled] = WeakKeyDictionary()

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[Row]:
        """All rows, as tuples in the order of the columns."""
        compiled = self._for(session.dialect)
        found = self._run(session, compiled, values).fetchall()
        if compiled.columns is None:
            return found
        columns = compiled.columns
        return [_processed(columns, row) for row in found]

    def row(self, session: Session, values: Mapping[str, Any]) -> Row | None:
        """The only row, or None. The statement must not find more."""
        compiled = self._for(session.dialect)
        found = self._run(session, compiled, values).fetchall()
        if not found:
            return None
        assert len(found) == 1, "more than one row where one was asked for"
        return found[0] if compiled.columns is None else _processed(compiled.columns, found[0])

    def value(self, session: Session, values: Mapping[str, Any]) -> Any:
        """The first column of the only row; None when there is none."""
        row = self.row(session, values)
        return None if row is None else row[0]

    def change(self, session: Session, values: Mapping[str, Any]) -> int:
        """Run it for what it writes; how many rows it touched."""
        return self._run(session, self._for(session.dialect), values).rowcount

    def _run(self, session: Session, compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        if compiled.is_positional:
            arguments: Any = [
                (values[name] if process is None else process(values[name])) if fixed is _GIVEN else fixed
                for name, process, fixed in compiled.binds
            ]
        else:
            arguments = {
                name: (values[name] if process is None else process(values[name])) if fixed is _GIVEN else fixed
                for name, process, fixed in compiled.binds
            }
        connection: Any = session.connection.driver_connection
        try:
            return connection.execute(compiled.text, arguments)
        except session.dialect.loaded_dbapi.Error as error:
            raise _told(session, compiled.text, error) from error

    def _for(self, dialect: sa.Dialect) -> _Compiled:
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = _compile(self._statement, dialect)
        return found


def _compile(statement: Any, dialect: sa.Dialect) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect)
    names = list(compiled.positiontup) if compiled.positional else list(compiled.binds)
    binds: list[tuple[str, Process | None, Any]] = []
    for name in names:
        bind: sa.BindParameter[Any] = compiled.binds[name]
        if bind.expanding or bind.literal_execute:
            raise TypeError(f"The form of this statement hangs on the value of {name}; run it by the session.")
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        fixed = _GIVEN
        if not bind.required:
            fixed = bind.value if process is None else process(bind.value)
        binds.append((name, process, fixed))
    columns: list[Process | None] = [
        each.dialect_impl(dialect).result_processor(dialect, None) for each in _types(statement)
    ]
    return _Compiled(str(compiled), binds, bool(compiled.positional), columns if any(columns) else None)


def _types(statement: Any) -> list[sa.types.TypeEngine[Any]]:
    """The types of the columns that come back."""
    if isinstance(statement, sa.Select):
        return [each["type"] for each in statement.column_descriptions]
    if isinstance(statement, UpdateBase):
        return [each["type"] for each in statement.returning_column_descriptions]
    if isinstance(statement, TextualSelect):
        return [each.type for each in statement.selected_columns]
    return []


def _processed(columns: list[Process | None], row: Row) -> Row:
    return tuple(value if process is None else process(value) for process, value in zip(columns, row, strict=True))


def _told(session: Session, text: str, error: Exception) -> BaseException:
    """The driver's error as SQLAlchemy tells it. A connection that broke is not used again."""
    dialect = session.dialect
    is_broken = dialect.is_disconnect(error, session.connection, None)  # pyright: ignore[reportArgumentType]
    if is_broken:
        session.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_broken,
        dialect=dialect,
    )
