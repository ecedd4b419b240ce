"""Alive, and ready: what a load balancer and an operator read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from redis import Redis

from ivr.store import Database, schema, tables
from ivr.web.health import _Redis
from scripts.embedded import redis_command, wait_for_redis
from tests.web.voice_house import CALL, Door


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Door:
    return Door(sqlite_database, tmp_path)


def test_alive_asks_nothing_of_anybody(door: Door) -> None:
    door.house.__dict__["database"] = None
    answer = door.client.get("/healthz")
    assert (answer.status_code, answer.text.strip()) == (200, "ok")


def test_ready_without_redis_because_calls_go_on(door: Door) -> None:
    answer = door.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "database": "ok", "redis": "down", "audio": "ok", "alarms": {}}


def test_an_order_without_audio_shows(door: Door) -> None:
    with door.order.database.write() as session:
        session.execute(sa.update(tables.orders).values(voiced_at=None))
    answer = door.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["audio"].startswith("1 orders")  # type: ignore[index]


def test_not_ready_without_a_database(door: Door) -> None:
    door.house.__dict__["database"] = Database("postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2")
    answer = door.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["database"] == "down"  # type: ignore[index]


def test_not_ready_on_an_old_schema(door: Door, tmp_path: Path) -> None:
    door.house.__dict__["database"] = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    answer = door.client.get("/readyz")
    assert answer.status_code == 503
    assert "ivr db upgrade" in answer.json["database"]  # type: ignore[index]
    door.house.database.dispose()


def test_alarms_show(door: Door) -> None:
    door.post("/voice/abc/0", CALL, token="wrong")
    door.client.post("/voice/abc/0", data=CALL)
    assert door.client.get("/readyz").json["alarms"] == {"bad_signature": 1, "unsigned": 1}  # type: ignore[index]


def test_many_questions_take_one_connection_to_redis_and_a_new_one_once_it_broke(tmp_path: Path) -> None:
    server = subprocess.Popen(redis_command(tmp_path / "r.sock", tmp_path / "files"), stdout=subprocess.DEVNULL)
    try:
        wait_for_redis(url := f"unix://{tmp_path / 'r.sock'}")
        redis = _Redis(lambda: url)
        with Redis.from_url(url) as other:
            before = other.info("stats")["total_connections_received"]  # pyright: ignore[reportIndexIssue]
            assert {redis.state() for _ in range(5)} == {"ok"}
            after = other.info("stats")["total_connections_received"]  # pyright: ignore[reportIndexIssue]
            assert after - before == 1
            other.client_kill_filter(skipme=True, _type="normal")
            assert redis.state() == "ok"
    finally:
        server.terminate()
        server.wait()
    assert redis.state() == "down"


def test_what_the_newest_schema_is_is_read_once() -> None:
    schema.head.cache_clear()
    for _ in range(3):
        schema.head()
    assert schema.head.cache_info().misses == 1
