"""Opens the database: one `Database`, short transactions, the same on SQLite and PostgreSQL.

A *session* here is a SQLAlchemy Core connection inside a transaction. Writers begin with BEGIN IMMEDIATE on
SQLite, because a deferred transaction that reads and then writes fails with "database is locked" under load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

Session = sa.Connection
"""What the store's functions take: a connection within `Database.write()` or `Database.read()`."""


class Database:
    """A database at a URL. Cheap to make; connects at first use; safe to share between threads."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = sa.make_url(url)
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False})
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(parsed, pool_size=pool_size, max_overflow=8, pool_pre_ping=False)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, rolled back on an exception."""
        with self.engine.execution_options(toets_write=True).connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close all connections; call it before a fork."""
        self.engine.dispose()


def _prepare_sqlite(connection, _record) -> None:
    # sqlite3 must not open transactions on its own: `_begin_sqlite` says BEGIN or BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("toets_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
