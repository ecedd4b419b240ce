"""Brings a database to the current schema, in this process, in one transaction.

Decides how Alembic is started; what the schema is stands in `tables.py`, how it came about in `migrations/`.
A test holds the two together: a database made by the migrations equals one made from the tables.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ivr.store.session import Database, Session

MIGRATIONS = Path(__file__).parent / "migrations"

# Two processes that upgrade a PostgreSQL database at once (a release that starts twice) must queue. SQLite queues
# by itself: BEGIN IMMEDIATE.
_ADVISORY_LOCK = 7_220_171


def _config(session: Session | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["session"] = session
    return config


@cache
def head() -> str:
    """The newest revision that the migrations know; read once, for the files do not change under a process."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "migrations/versions is empty"
    return revision


def current(database: Database) -> str | None:
    """The revision the database is at; None when it has never been upgraded."""
    with database.read() as session:
        return MigrationContext.configure(session).get_current_revision()


def is_current(database: Database) -> bool:
    """Whether the database is at the newest revision."""
    return current(database) == head()


def upgrade(database: Database, revision: str = "head") -> str:
    """Bring the database to `revision` and return the revision it is at. Nothing happens when it is there already."""
    with database.write() as session:
        if not database.is_sqlite:
            session.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        command.upgrade(_config(session), revision)
    return current(database) or ""


def downgrade(database: Database, revision: str) -> str:
    """Take the database back to `revision` (`base`: to nothing) and return the revision it is at."""
    with database.write() as session:
        command.downgrade(_config(session), revision)
    return current(database) or ""


def make_revision(database: Database, message: str) -> Path:
    """Write a new migration file with the differences between `database` (at head) and `tables.py`.

    For developers: read what was written, and mind the deploy rule at its top.
    """
    with database.write() as session:
        script = command.revision(_config(session), message=message, autogenerate=True)
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)
