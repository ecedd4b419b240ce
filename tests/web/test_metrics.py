"""`/metrics`: who may read it, what it counts, and that several processes of one server add up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from ivr.store import Database, lines
from scripts.embedded import redis_command, wait_for_redis
from tests.tests_moment import MONDAY as NOW
from tests.web.page_house import add_cell
from tests.web.voice_house import CALL, Door
from worker import queues

TOKEN = "a token for prometheus"
PRODUCTION = {
    "env": "production",
    "secret_key": SecretStr("s" * 40),
    "encryption_key": SecretStr("k" * 43 + "="),
}


def read(client: FlaskClient, **request: object) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Sample → value, as Prometheus' own parser reads the page."""
    return samples(client.get("/metrics", **request).text)  # type: ignore[arg-type]


def samples(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(page)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def value(page: dict, name: str, **labels: str) -> float | None:
    return page.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Door:
    return Door(sqlite_database, tmp_path)


@pytest.mark.parametrize(
    "request_",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"base_url": "http://toets.example"},
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}, "headers": {"X-Forwarded-For": "127.0.0.1"}},
    ],
)
def test_without_a_token_nobody_outside_this_machine_reads_it(door: Door, request_: dict) -> None:
    assert door.client.get("/metrics").status_code == 200
    answer = door.client.get("/metrics", **request_)
    assert answer.status_code == 401
    assert "toets_" not in answer.text


def test_in_production_without_a_token_nobody_reads_it_at_all(sqlite_database: Database, tmp_path: Path) -> None:
    assert Door(sqlite_database, tmp_path, **PRODUCTION).client.get("/metrics").status_code == 401


def test_in_production_the_token_opens_it_and_nothing_like_it(sqlite_database: Database, tmp_path: Path) -> None:
    door = Door(sqlite_database, tmp_path, metrics_token=SecretStr(TOKEN), **PRODUCTION)
    for wrong in ("", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", "Bearer é"):
        answer = door.client.get("/metrics", headers={"Authorization": wrong} if wrong else {})
        assert (answer.status_code, "toets_" in answer.text) == (401, False), wrong
    answer = door.client.get(
        "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}
    )
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_webhooks_are_counted_by_kind_and_status_with_their_time(door: Door) -> None:
    line = door.order.call(door.order.person())
    door.turn(line, 0)
    door.turn(line, 1, "1")
    door.turn(line, 2)
    door.post(f"/voice/{line.attempt_id}/status", CALL | {"CallSid": line.call_sid, "CallStatus": "ringing"})
    door.post(f"/voice/{line.attempt_id}/1", CALL, token="wrong")
    page = read(door.client)
    for kind, status, count in (("key", "200", 2), ("silence", "200", 1), ("status", "204", 1), ("key", "403", 1)):
        assert value(page, "toets_webhook_seconds_count", kind=kind, status=status) == count, kind
    assert value(page, "toets_webhook_seconds_bucket", kind="key", status="200", le="15.0") == 2
    assert (value(page, "toets_webhook_seconds_sum", kind="key", status="200") or 0) > 0


def test_a_webhook_that_breaks_is_counted_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from ivr.fieldwork import interviewing

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(interviewing, "answer", broken)
    line = door.order.call(door.order.person())
    door.turn(line, 0)
    page = read(door.client)
    assert value(page, "toets_webhook_seconds_count", kind="key", status="200") == 1, "the apology is an answer"
    assert value(page, "toets_alarms_total", alarm="voice_error") == 1


def test_failed_signatures_are_a_counter_that_begins_at_zero(door: Door) -> None:
    assert value(read(door.client), "toets_alarms_total", alarm="bad_signature") == 0
    door.post("/voice/abc/0", CALL, token="wrong")
    door.client.post("/voice/abc/0", data=CALL)
    page = read(door.client)
    assert value(page, "toets_alarms_total", alarm="bad_signature") == 1
    assert value(page, "toets_alarms_total", alarm="unsigned") == 1


def test_quota_audio_and_lines_are_summed_and_no_provider_is_named(door: Door) -> None:
    add_cell(door.house, "Geheim Bureau", target=7, voiced=False)
    with door.house.database.write() as session:
        lines.fail(session, "AC1", NOW, not_before=NOW, is_down=True)
    answer = door.client.get("/metrics")
    page = samples(answer.text)
    cells = value(page, "toets_cells", track="inburgering", state="open") or 0
    assert (value(page, "toets_quota_target", track="inburgering", state="open") or 0) >= 7
    assert cells >= 1
    assert value(page, "toets_orders_without_audio") == 1
    assert value(page, "toets_lines_down") == 1
    assert value(page, "toets_database_up") == 1
    assert value(page, "toets_redis_up") == 0
    assert "Geheim" not in answer.text


def test_a_database_that_is_away_costs_nobody_the_rest(door: Door) -> None:
    door.post("/voice/abc/0", CALL, token="wrong")
    door.house.__dict__["database"] = Database("postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2")
    answer = door.client.get("/metrics")
    page = samples(answer.text)
    assert answer.status_code == 200
    assert value(page, "toets_database_up") == 0
    assert value(page, "toets_alarms_total", alarm="bad_signature") == 1


def test_calls_are_counted_by_outcome_and_test_calls_are_not(door: Door) -> None:
    import sqlalchemy as sa

    from ivr.store.tables import attempts

    for outcome, is_test in (("complete", False), ("no_answer", False), ("no_answer", True)):
        line = door.order.call(door.order.person())
        with door.house.database.write() as session:
            gone = {"state": "closed", "outcome": outcome, "is_test": is_test, "holds_slot": False}
            session.execute(sa.update(attempts).where(attempts.c.id == line.attempt_id).values(gone))
    page = read(door.client)
    assert value(page, "toets_calls_total", outcome="complete") == 1
    assert value(page, "toets_calls_total", outcome="no_answer") == 1
    assert value(page, "toets_calls_open", state="placed") == 0


def test_the_depth_of_the_queues_is_read_from_redis(sqlite_database: Database, tmp_path: Path) -> None:
    door = Door(sqlite_database, tmp_path)  # its Redis is no-redis.sock in this folder: start one there
    server = subprocess.Popen(redis_command(tmp_path / "no-redis.sock", tmp_path / "redis-files"))
    try:
        wait_for_redis(door.house.settings.redis)
        connection = queues.connect(door.house.settings.redis)
        for number in range(3):
            queues.put_dial(connection, f"{number:032x}")
        page = read(door.client)
        connection.close()
    finally:
        server.terminate()
        server.wait(10)
    assert value(page, "toets_queue_jobs", queue="dialling") == 3
    assert value(page, "toets_queue_jobs", queue="upkeep") == 0
    assert value(page, "toets_queue_failed_jobs", queue="dialling") == 0
    assert value(page, "toets_redis_up") == 1


@pytest.fixture
def two_processes(sqlite_database: Database, tmp_path: Path) -> Iterator[str]:
    """The web server as it is started in production, with two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("IVR_", "TWILIO_"))} | {
        "IVR_DATABASE_URL": sqlite_database.url,
        "IVR_VAR_DIR": str(tmp_path),
        "IVR_WEB_PORT": str(port),
        "IVR_WEB_PROCESSES": "2",
    }
    old = tmp_path / f"metrics-{port}" / "counter_1.db"
    old.parent.mkdir()
    old.write_bytes(b"of a server that is over")
    url = f"http://127.0.0.1:{port}"
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.serve"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(600):
                try:
                    with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                        break
                except OSError:
                    time.sleep(0.1)
            else:
                raise AssertionError((tmp_path / "web.log").read_text())
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def test_the_processes_of_one_server_add_up(two_processes: str, tmp_path: Path) -> None:
    """Unsigned webhooks on many connections reach both processes; whichever answers, /metrics knows of all of them."""
    sent, until = 0, time.monotonic() + 60
    while len(list(tmp_path.glob("metrics-*/histogram_*.db"))) < 2:
        assert time.monotonic() < until, "one process answered everything"
        for _ in range(20):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{two_processes}/voice/abc/0", data=b"", timeout=10)
            refused.value.close()
            sent += 1
        time.sleep(0.5)
    until = time.monotonic() + 30
    agreed = 0
    while agreed < 6:  # the other process writes its own once a second; from then on whoever answers says the same
        with urllib.request.urlopen(f"{two_processes}/metrics", timeout=10) as answer:
            page = samples(answer.read().decode())
        assert value(page, "toets_alarms_total", alarm="unsigned") == sent
        agreed = agreed + 1 if value(page, "toets_webhook_seconds_count", kind="key", status="403") == sent else 0
        assert time.monotonic() < until, "the processes do not add up"


def test_redis_is_asked_with_a_time_limit(door: Door) -> None:
    from ivr import backlog

    with backlog.open_redis(door.house.settings.redis) as connection:
        assert connection.connection_pool.connection_kwargs["socket_timeout"] <= 2
        with pytest.raises(redis.RedisError):
            connection.ping()
