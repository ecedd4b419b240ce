"""The line to the carrier: one turn to dial at a time, whichever worker takes it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from fieldwork_world import MONDAY

from ivr.store import Database, lines

WORKERS = 6


def _made(database: Database) -> None:
    with database.write() as session:
        lines.get(session, "AC1", MONDAY, lock=True)


def test_one_of_many_workers_gets_the_turn_and_all_others_the_next_moment(database: Database) -> None:
    _made(database)
    said: list[datetime | None] = []
    begin = threading.Barrier(WORKERS)

    def ask() -> None:
        begin.wait()
        with database.write() as session:
            said.append(lines.take_turn(session, "AC1", MONDAY, 0.5))

    threads = [threading.Thread(target=ask) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(None) == 1
    assert said.count(MONDAY + timedelta(seconds=0.5)) == WORKERS - 1


def test_a_turn_is_there_again_after_its_pause(database: Database) -> None:
    _made(database)
    with database.write() as session:
        assert lines.take_turn(session, "AC1", MONDAY, 0.5) is None
        assert lines.take_turn(session, "AC1", MONDAY + timedelta(seconds=0.4), 0.5) == MONDAY + timedelta(seconds=0.5)
        assert lines.take_turn(session, "AC1", MONDAY + timedelta(seconds=0.5), 0.5) is None


def test_a_clock_that_was_put_back_holds_nobody_up(database: Database) -> None:
    _made(database)
    with database.write() as session:
        assert lines.take_turn(session, "AC1", MONDAY + timedelta(hours=1), 0.5) is None
        assert lines.take_turn(session, "AC1", MONDAY, 0.5) is None


def test_an_account_that_never_called_waits_for_nothing(database: Database) -> None:
    with database.write() as session:
        assert lines.take_turn(session, "AC1", MONDAY, 0.5) is None
