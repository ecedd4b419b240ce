"""SQLite's writers wait for each other, in order to write, and not for one that hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from ivr.store import Database
from ivr.store.write_queue import WriteQueue
from scripts.processes import dies_with_us

HOLDER = """
import sys, time
from ivr.store import Database
database = Database(sys.argv[1])
if sys.argv[2] == "queue":
    with database.queue:
        print("held", flush=True)
        sys.stdin.readline()
else:
    with database.write() as session:
        session.exec_driver_sql("INSERT INTO t VALUES ('theirs')")
        print("held", flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'toets.db'}")
    with database.write() as session:
        session.exec_driver_sql("CREATE TABLE t (x)")
    yield database
    database.dispose()


def holder(database: Database, what: str) -> subprocess.Popen[bytes]:
    """Another process that has its turn and keeps it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, database.url, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=dies_with_us(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def release(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.communicate(b"\n")
    assert process.returncode == 0


def impatient(database: Database, seconds: float = 0.2) -> None:
    queue = database.queue
    assert isinstance(queue, WriteQueue)
    queue.patience_seconds = seconds


def rows(database: Database) -> list[str]:
    with database.read() as session:
        return [row[0] for row in session.exec_driver_sql("SELECT x FROM t")]


def write(database: Database, what: str) -> None:
    with database.write() as session:
        session.exec_driver_sql(f"INSERT INTO t VALUES ('{what}')")


def test_a_stopped_process_that_has_its_turn_and_does_not_write_stops_nobody(database: Database) -> None:
    impatient(database)
    process = holder(database, "queue")
    process.send_signal(signal.SIGSTOP)
    write(database, "ours")
    write(database, "ours again")
    assert rows(database) == ["ours", "ours again"]
    release(process)
    write(database, "after")
    assert rows(database)[-1] == "after"


def test_a_process_stopped_in_a_transaction_is_an_error_with_a_name_and_not_for_ever(database: Database) -> None:
    impatient(database)
    event.listen(
        database.engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=200").close(), insert=False
    )
    database.engine.dispose()
    process = holder(database, "write")
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(OperationalError, match="database is locked"):
        write(database, "ours")
    release(process)
    write(database, "ours")
    assert rows(database) == ["theirs", "ours"]


def test_who_waits_gets_its_turn_when_the_other_process_is_done(database: Database) -> None:
    impatient(database, 60)
    process = holder(database, "write")
    waiting = threading.Thread(target=write, args=(database, "ours"))
    waiting.start()
    release(process)
    waiting.join(60)
    assert rows(database) == ["theirs", "ours"]


def test_after_a_turn_that_never_came_the_queue_keeps_its_order_again(database: Database) -> None:
    impatient(database)
    queue = database.queue
    process = holder(database, "queue")
    with queue, queue:
        pass  # went on without a turn, and within itself
    release(process)
    impatient(database, 60)
    entered: list[str] = []
    with queue:
        other = threading.Thread(target=lambda: (write(database, "second"), entered.append("second")))
        other.start()
        entered.append("first")
    other.join(60)
    assert entered == ["first", "second"]


def test_a_process_that_is_killed_gives_its_turn_back(database: Database) -> None:
    impatient(database, 60)
    process = holder(database, "write")
    process.kill()
    process.communicate()
    write(database, "ours")
    assert rows(database) == ["ours"]
