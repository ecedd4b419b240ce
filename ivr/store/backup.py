"""A copy of a running SQLite database, whole and at one moment, without holding anybody up.

PostgreSQL brings its own tools (`pg_dump`, archived WAL): nothing of ours would be better. `docs/operations.md` tells
what goes with a backup (the key!) and how one goes back.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ivr.errors import RefusedError
from ivr.store.session import Database

PAGES = 2000
"""Pages copied at a time, so that writers get their turn in between."""


def copy(database: Database, to: Path) -> int:
    """Copy the database to the new file `to`; its size in bytes. RefusedError: PostgreSQL, or the file is there."""
    if not database.is_sqlite:
        raise RefusedError(
            "PostgreSQL has its own tool: pg_dump --format=custom (docs/operations.md).", code="postgresql"
        )
    if to.exists():
        raise RefusedError(f"{to} is there already; a backup never overwrites one.", code="exists")
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    target = sqlite3.connect(to)
    try:
        with database.engine.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(target, pages=PAGES, sleep=0.001)
        verdict = target.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        target.close()
    if verdict != "ok":
        to.unlink()
        raise RefusedError(f"The copy is not sound ({verdict}); is the disk full or broken?", code="unsound")
    return to.stat().st_size
