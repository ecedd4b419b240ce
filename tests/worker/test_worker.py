"""Real workers on a real Redis: jobs take ids only, and what is lost with Redis is found in the database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from fieldwork_world import World
from rq import Queue

from ivr.clock import SystemClock
from ivr.store import Database, leases
from ivr.store.tables import attempts
from scripts.embedded import redis_command, wait_for_redis
from scripts.processes import dies_with_us
from worker import queues
from worker.schedule import LEASE_SECONDS


class Redis:
    """An embedded Redis that can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.socket, self._directory = home / "r.sock", home / "redis"
        self._directory.mkdir()
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            redis_command(self.socket, self._directory),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=dies_with_us(),
        )
        wait_for_redis(self.url)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("r"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def environment(sqlite_database: Database, server: Redis, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "IVR_DATABASE_URL": sqlite_database.engine.url.render_as_string(hide_password=False),
        "IVR_REDIS_URL": server.url,
        "IVR_VAR_DIR": str(tmp_path / "var"),
        "IVR_CARRIER_URL": "http://127.0.0.1:9",
        "IVR_TICK_SECONDS": "0.1",
    }


def start(what: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "worker", what],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_us(),
    )


def wait_for(claim, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def test_job_carries_an_id_and_nothing_else(server: Redis) -> None:
    connection = queues.connect(server.url)
    queues.put_dial(connection, "a" * 32)
    (job,) = Queue(queues.DIALLING, connection=connection).jobs
    assert (job.func_name, job.args, job.kwargs) == ("worker.jobs.dial", ("a" * 32,), {})
    assert job.retries_left is None
    connection.close()


def test_worker_survives_redis_being_killed_and_emptied(
    environment: dict[str, str], server: Redis, sqlite_database: Database
) -> None:
    world = World(sqlite_database)
    world.clock.moment = SystemClock().now()
    cell = world.cell()
    case = world.person(cell)
    with sqlite_database.write() as session:
        # A reservation of long ago: its window is over, so the job must void it without asking any carrier.
        session.execute(
            sa.insert(attempts).values(
                id="a" * 32, case_id=case, cell_id=cell, number_in_case=1, state="reserved", holds_slot=False,
                planned_at=world.clock.now(), not_before=world.clock.now(), not_after=world.clock.now(),
            )
        )  # fmt: skip
    worker = start("dialling", environment)
    try:
        connection = redis.Redis.from_url(server.url)
        wait_for(lambda: connection.scard("rq:workers") == 1)
        server.kill()
        time.sleep(0.5)
        server.start()
        connection.close()
        connection = redis.Redis.from_url(server.url)
        connection.flushall()
        queues.put_dial(connection, "a" * 32)
        wait_for(lambda: world.attempt("a" * 32).state == "void")
        assert worker.poll() is None
        connection.close()
    finally:
        stop(worker)


def test_one_clock_is_elected_and_another_takes_over(environment: dict[str, str], sqlite_database: Database) -> None:
    def holder() -> str | None:
        with sqlite_database.read() as session:
            return leases.holder_of(session, "clock", SystemClock().now())

    first = start("clock", environment)
    second = None
    try:
        wait_for(lambda: holder() is not None)
        assert str(holder()).endswith(f":{first.pid}")
        second = start("clock", environment)
        time.sleep(2)
        assert str(holder()).endswith(f":{first.pid}")
        stop(first)
        wait_for(lambda: str(holder()).endswith(f":{second.pid}"))
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                stop(process)


def test_a_killed_clock_of_this_machine_is_replaced_before_its_lease_ends(
    environment: dict[str, str], sqlite_database: Database
) -> None:
    def holder() -> str | None:
        with sqlite_database.read() as session:
            return leases.holder_of(session, "clock", SystemClock().now())

    first = start("clock", environment)
    second = None
    try:
        wait_for(lambda: holder() is not None)
        second = start("clock", environment)
        time.sleep(4)
        killed_at = time.monotonic()
        first.kill()
        first.wait(10)
        wait_for(lambda: str(holder()).endswith(f":{second.pid}"))
        assert time.monotonic() - killed_at < LEASE_SECONDS - 2
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                stop(process)


def test_wrong_settings_are_refused_with_a_sentence(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "clock"],
        env=environment | {"IVR_CLOCK": "sundial"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"IVR_CLOCK" in done.stderr
