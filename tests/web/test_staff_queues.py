"""The page of the queues, on a real Redis with real jobs: ids and classes of errors only; nobody is called twice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from rq import Queue, SimpleWorker
from rq.registry import FailedJobRegistry

from ivr import backlog
from ivr.errors import RefusedError
from ivr.store import Database, leases
from scripts.embedded import redis_command, wait_for_redis
from tests.web.page_house import house_of, open_app, post, signed_in
from worker import queues

SECRET = "Jansen 0612345678"


def broken(about: str) -> None:
    raise LookupError(f"{SECRET}\nJansen: also on the second line")


@pytest.fixture
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    home = tmp_path_factory.mktemp("r")
    server = subprocess.Popen(redis_command(home / "r.sock", home / "files"), stdout=subprocess.DEVNULL)
    wait_for_redis(f"unix://{home / 'r.sock'}")
    connection = queues.connect(f"unix://{home / 'r.sock'}")
    yield connection
    connection.close()
    server.terminate()
    server.wait(10)


def url_of(connection: redis.Redis) -> str:
    return f"unix://{connection.connection_pool.connection_kwargs['path']}"


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path, connection: redis.Redis) -> Flask:
    return open_app(sqlite_database, tmp_path, redis_url=url_of(connection))


def fail(connection: redis.Redis, name: str, about: str) -> str:
    """A job on this queue that was worked and broke; its id."""
    queue = Queue(name, connection=connection)
    job = queue.enqueue_call(broken, args=(about,), failure_ttl=3600)
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="CRITICAL")
    assert job.id in FailedJobRegistry(queue=queue)
    return job.id


def test_the_page_tells_what_waits_and_what_failed_without_a_word_of_the_failure(
    app: Flask, connection: redis.Redis
) -> None:
    fail(connection, queues.UPKEEP, "17")
    for number in range(3):
        queues.put_dial(connection, f"{number:032x}")
    backlog.note_ticks(connection, ["plan", "mail"])
    page = signed_in(app, "admin").get("/staff/wachtrijen")
    assert page.status_code == 200
    assert '<span class="big">3</span> wachten' in page.text
    assert "1 mislukt" in page.text
    assert "<code>LookupError</code>" in page.text
    assert "<code>17</code>" in page.text
    assert "oproepen plannen" in page.text
    assert "kijken of er post weg moet" in page.text
    assert "Jansen" not in page.text
    assert "0612345678" not in page.text


def test_a_clock_that_nobody_holds_is_said_and_one_that_is_held_is_named(app: Flask) -> None:
    from ivr.fieldwork.accounts import wall_clock

    client = signed_in(app, "admin")
    assert "Niemand is de klok" in client.get("/staff/wachtrijen").text
    with house_of(app).database.write() as session:
        leases.acquire(session, "clock", "host-1:4711", wall_clock(), 60)
    page = client.get("/staff/wachtrijen").text
    assert "Niemand is de klok" not in page
    assert "host-1:4711" in page


def test_workers_show_with_their_heartbeat(app: Flask, connection: redis.Redis) -> None:
    client = signed_in(app, "admin")
    assert "Er werkt niemand" in client.get("/staff/wachtrijen").text
    worker = SimpleWorker([Queue(queues.DIALLING, connection=connection)], connection=connection, name="w" * 12)
    worker.register_birth()
    page = client.get("/staff/wachtrijen").text
    worker.register_death()
    assert "wwwwwwww" in page
    assert "Er werkt niemand" not in page
    assert "stil</span>" not in page.split("<h2>De klok</h2>")[0]


def test_failed_upkeep_can_be_run_again_and_is_written_down(app: Flask, connection: redis.Redis) -> None:
    fail(connection, queues.UPKEEP, "17")
    client = signed_in(app, "admin")
    assert post(client, "/staff/wachtrijen/upkeep/opnieuw").status_code == 303
    assert Queue(queues.UPKEEP, connection=connection).count == 1
    assert "queue upkeep" in client.get("/staff/logboek").text


def test_failed_dialling_is_never_run_again_but_can_be_forgotten(app: Flask, connection: redis.Redis) -> None:
    fail(connection, queues.DIALLING, "a" * 32)
    client = signed_in(app, "admin")
    page = client.get("/staff/wachtrijen").text
    assert "/staff/wachtrijen/dialling/opnieuw" not in page
    assert post(client, "/staff/wachtrijen/dialling/opnieuw").status_code == 409
    queue = Queue(queues.DIALLING, connection=connection)
    assert (queue.count, queue.failed_job_registry.get_job_count()) == (0, 1)
    assert post(client, "/staff/wachtrijen/dialling/vergeten").status_code == 303
    assert (queue.count, queue.failed_job_registry.get_job_count()) == (0, 0)


def test_a_queue_that_is_none_of_ours_is_refused(app: Flask, connection: redis.Redis) -> None:
    assert post(signed_in(app, "admin"), "/staff/wachtrijen/iets/vergeten").status_code == 409
    with pytest.raises(RefusedError):
        backlog.forget_failed(connection, "iets")


@pytest.mark.parametrize("role", ["viewer", "fieldwork"])
def test_only_administrators_see_it(app: Flask, role: str) -> None:
    client = signed_in(app, role)
    assert client.get("/staff/wachtrijen").status_code == 403
    assert "Wachtrijen" not in client.get("/staff").text
    assert post(client, "/staff/wachtrijen/upkeep/vergeten").status_code == 403


def test_without_redis_the_page_says_so(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path, redis_url=f"unix://{tmp_path / 'none.sock'}")
    page = signed_in(app, "admin").get("/staff/wachtrijen")
    assert page.status_code == 200
    assert "Redis antwoordt niet" in page.text


@pytest.mark.parametrize(
    ("trace", "error"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ('Traceback\n  File "x", line 1, in f\n    f()\nValueError: Jansen\nPiet: no', "ValueError"),
        ('Traceback\n  File "x", line 1, in f\nsqlalchemy.exc.IntegrityError: (x) y', "IntegrityError"),
        ('Traceback\n  File "x", line 1, in f\nKeyboardInterrupt', "KeyboardInterrupt"),
        ("Work-horse terminated unexpectedly", "unknown"),
    ],
)
def test_of_a_trace_only_the_class_is_read(trace: str | None, error: str) -> None:
    assert backlog._error_class(trace) == error
