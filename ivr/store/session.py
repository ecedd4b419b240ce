"""Opens the database: one `Database`, short transactions, the same on SQLite and PostgreSQL.

A *session* here is a SQLAlchemy Core connection inside a transaction. Writers begin with BEGIN IMMEDIATE on
SQLite, because a deferred transaction that reads and then writes fails with "database is locked" under load; and
they queue for it (`write_queue.py`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.exc import OperationalError

from ivr.errors import ConfigurationError
from ivr.store.write_queue import WriteQueue

STATEMENTS_KEPT = 512
"""So many statements SQLite's driver keeps ready per connection; by default fewer than a call plan runs."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
LOCK_SECONDS = 30.0
"""How long SQLite's own lock is waited for, by those who have the time."""
_WRITES = "toets_writes"
"""Said of a connection whose next transaction may write."""

Session = sa.Connection
"""What the store's functions take: a connection within `Database.write()` or `Database.read()`."""


def to_json(value: object) -> str:
    """How a JSON column is written. TypeError for what JSON has no word for."""
    return orjson.dumps(value).decode()


# hide_parameters: an error's text ends in logs and in the queue's failed jobs, and must not show an answer.
_OPTIONS: dict[str, Any] = {"hide_parameters": True, "json_serializer": to_json, "json_deserializer": orjson.loads}


class Database:
    """A database at a URL. Cheap to make; connects at first use; safe to share between threads."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = sa.make_url(url)
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.queue: WriteQueue | nullcontext[None] = nullcontext()
        self.lock_seconds = LOCK_SECONDS
        self._closings: list[Callable[[], None]] = []
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
                _make_private(Path(parsed.database))
                self.queue = WriteQueue(Path(parsed.database))
                self._closings.append(self.queue.close)
            self.engine = sa.create_engine(
                parsed,
                connect_args={"check_same_thread": False, "cached_statements": STATEMENTS_KEPT},
                **_OPTIONS,
            )
            event.listen(self.engine, "connect", self.prepare)
            # Not the event "begin": an engine that has one listener dispatches events at every statement.
            self.engine.dialect.do_begin = _begin_sqlite
        else:
            self.engine = sa.create_engine(parsed, pool_size=pool_size, max_overflow=8, pool_pre_ping=False, **_OPTIONS)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, rolled back on an exception."""
        with self.queue, self._connect() as connection:
            connection.info[_WRITES] = True
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self._connect() as connection, connection.begin():
            yield connection

    def _connect(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except OperationalError as error:
            where = self.engine.url.render_as_string(hide_password=True)
            raise ConfigurationError(
                f"The database {where} does not answer ({error.orig}). Start it, or correct IVR_DATABASE_URL."
            ) from error

    def scrub(self, patience_seconds: float = 2.0) -> bool:
        """Leave no byte of what was deleted in SQLite's write-ahead log: call it after a transaction that erased.

        False (and no harm done) when others read all the time. PostgreSQL's autovacuum does the like by itself: True.
        """
        path = self.engine.url.database
        if not self.is_sqlite or not path or path == ":memory:":
            return True
        with self.queue, closing(sqlite3.connect(path, timeout=patience_seconds)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def hurry(self, lock_seconds: float) -> None:
        """Wait no longer than this for SQLite's lock, on connections that are opened from now on."""
        self.lock_seconds = lock_seconds

    def prepare(self, connection: sqlite3.Connection, _record: object = None) -> None:
        """Make a fresh connection to SQLite what the store expects, and as patient as this database is."""
        connection.execute(f"PRAGMA busy_timeout={round(self.lock_seconds * 1000)}").close()
        prepare_sqlite(connection, None)

    def dispose(self) -> None:
        """Close all connections; call it before a fork."""
        self.engine.dispose()
        for close in self._closings:
            close()

    def closes_with(self, close: Callable[[], None]) -> None:
        """Call this too when the connections are closed."""
        self._closings.append(close)


def _make_private(path: Path) -> None:
    """An empty file for its owner only: answers and postcodes are nobody else's on this machine."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        return  # it is there already, or SQLite will say better what is wrong


def prepare_sqlite(connection, _record) -> None:
    """Make a fresh SQLite connection what the store expects."""
    # sqlite3 must not open transactions on its own: `_begin_sqlite` says BEGIN or BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in (*_PRAGMAS, "secure_delete=ON"):  # what is deleted is overwritten, whoever built SQLite
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(dbapi_connection: PoolProxiedConnection) -> None:
    writes = dbapi_connection.info.pop(_WRITES, False)
    dbapi_connection.cursor().execute("BEGIN IMMEDIATE" if writes else "BEGIN")
