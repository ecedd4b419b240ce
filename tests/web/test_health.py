"""Alive, and ready: what a load balancer and an operator read."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ivr.store import Database, tables
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
