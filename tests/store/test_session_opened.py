"""How the store says that there is no database, and who may read the one it makes."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from ivr.errors import ConfigurationError
from ivr.store import Database


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://user:secret@127.0.0.1:9/none?connect_timeout=1")
    with pytest.raises(ConfigurationError, match="IVR_DATABASE_URL") as refused, database.read():
        pass
    assert "secret" not in str(refused.value)
    database.dispose()


def test_a_new_database_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'toets.db'}")
    with database.write() as session:
        session.exec_driver_sql("CREATE TABLE t (x)")
    database.dispose()
    assert stat.S_IMODE((tmp_path / "toets.db").stat().st_mode) == 0o600


def test_a_writer_holds_others_out_from_the_beginning_and_a_reader_does_not(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'toets.db'}")
    with database.write() as session:
        session.exec_driver_sql("CREATE TABLE t (x)")
    other = sqlite3.connect(tmp_path / "toets.db", isolation_level=None, timeout=0)
    with database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    with database.read() as session:
        session.exec_driver_sql("SELECT x FROM t")
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO t VALUES (1)")
        other.execute("COMMIT")
        assert session.exec_driver_sql("SELECT x FROM t").all() == []
    with database.read() as session:
        assert session.exec_driver_sql("SELECT x FROM t").all() == [(1,)]
    other.close()
    database.dispose()
