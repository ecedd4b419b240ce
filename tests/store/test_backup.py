"""A backup is whole and at one moment, also while others write; restored, the fieldwork goes on from there."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from fieldwork_world import MONDAY, World

from ivr.errors import RefusedError
from ivr.fieldwork import monitoring
from ivr.store import Database, backup, optouts, schema


def test_a_restored_backup_goes_on_where_it_was_made(sqlite_database: Database, tmp_path: Path) -> None:
    world = World(sqlite_database)
    cell = world.cell(target=5)
    world.person(cell)
    world.status(world.call(), "no-answer")
    world.people(cell, 8)
    copy = tmp_path / "copy.db"
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with sqlite_database.write() as session:
                optouts.add(session, f"hash-{number}", "staff", MONDAY)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert backup.copy(sqlite_database, copy) > 0
    finally:
        stop.set()
        writer.join()
    assert copy.stat().st_mode & 0o777 == 0o600
    restored = tmp_path / "restored.db"
    shutil.copyfile(copy, restored)
    database = Database(f"sqlite:///{restored}")
    assert schema.is_current(database)
    with database.read() as session:
        assert optouts.count(session) >= 0
    now = world.clock.now()
    was = monitoring.status(sqlite_database, world.catalogue, world.calendar, now)["cells"]
    assert monitoring.status(database, world.catalogue, world.calendar, now)["cells"] == was
    world.database = database
    assert len(world.plan()) == 5
    database.dispose()


def test_a_backup_overwrites_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    there = tmp_path / "copy.db"
    there.write_text("mine")
    with pytest.raises(RefusedError, match="already"):
        backup.copy(sqlite_database, there)
    assert there.read_text() == "mine"


@pytest.mark.postgres
def test_postgresql_has_its_own_tool(postgres_database: Database, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="pg_dump"):
        backup.copy(postgres_database, tmp_path / "copy.db")
