"""Mail by real processes: the clock finds it due, the upkeep worker hands it to a real SMTP server, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fieldwork_world import World

from ivr import backlog
from ivr.clock import SystemClock
from ivr.fieldwork import accounts
from ivr.settings import ROOT
from ivr.store import Database, mails
from scripts.embedded import redis_command, wait_for_redis
from tests.mail.smtp_server import Inbox, free_port, smtp_server

RULES = """
staff = { at = 00:00:00, weekdays = [1, 2, 3, 4, 5, 6, 7], roles = ["admin"], ended_days = 14 }
provider = { at = 00:00:00, weekday = 7, ended_days = 7 }
refusals = { recent_days = 2, before_days = 14, least_spoken = 20, rise_points = 15 }
post = { retry_minutes = 5, retry_minutes_most = 120, give_up_hours = 20, keep_days = 90 }
"""


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("r")
    server = subprocess.Popen(redis_command(home / "r.sock", home / "files"), stdout=subprocess.DEVNULL)
    wait_for_redis(f"unix://{home / 'r.sock'}")
    yield f"unix://{home / 'r.sock'}"
    server.terminate()
    server.wait(10)


def test_two_clocks_and_two_upkeep_workers_send_one_mail(
    sqlite_database: Database, redis_url: str, tmp_path: Path
) -> None:
    world = World(sqlite_database)
    world.clock.moment = SystemClock().now()
    world.people(world.cell(25), 6)  # far too few: staff must hear of it
    token = accounts.add(sqlite_database, "beheer@bureau.example", "admin")
    accounts.accept(sqlite_database, token, "een lange zin met woorden")
    config = tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    (config / "mail" / "rules.toml").write_text(RULES, "utf-8")
    inbox, port = Inbox(), free_port()
    environment = {
        **os.environ,
        "IVR_DATABASE_URL": sqlite_database.url,
        "IVR_REDIS_URL": redis_url,
        "IVR_VAR_DIR": str(tmp_path / "var"),
        "IVR_CONFIG_DIR": str(config),
        "IVR_CARRIER_URL": "http://127.0.0.1:9",
        "IVR_MAIL_URL": f"smtp://127.0.0.1:{port}",
        "IVR_MAIL_FROM": "Toets <toets@bureau.example>",
    }
    with smtp_server(inbox, port):
        running = [
            subprocess.Popen([sys.executable, "-m", "worker", what], env=environment)
            for what in ("upkeep", "upkeep", "clock", "clock")
        ]
        try:
            until = time.monotonic() + 100
            while not inbox.taken:
                assert time.monotonic() < until, "no mail came"
                time.sleep(0.2)
            time.sleep(3)  # a second one would be on its way by now
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)
    ((to, mail),) = inbox.taken
    assert to == "beheer@bureau.example"
    assert mail["Subject"] == "Toets: 1 zaak vraagt aandacht"
    with sqlite_database.read() as session:
        (kept,) = mails.latest(session)
    assert kept.state == "sent"
    with backlog.open_redis(redis_url) as connection:
        assert {"plan", "mail", "sweep"} <= set(backlog.ticks(connection))
