"""The house's side of the clock."""

from __future__ import annotations

import json
import socket
import struct
import threading
from datetime import UTC, datetime, timedelta

import pytest

from ivr.clock import LeapingClock, SystemClock, open_clock
from ivr.errors import ConfigurationError


def test_the_system_clock_is_aware_utc_and_waits():
    clock = SystemClock()
    began = clock.now()
    clock.sleep_until(began + timedelta(seconds=0.05))
    assert began.tzinfo is UTC
    assert clock.now() - began >= timedelta(seconds=0.05)


def test_the_system_clock_returns_at_once_for_a_moment_that_has_passed():
    clock = SystemClock()
    began = clock.now()
    clock.sleep_until(began - timedelta(days=1))
    assert clock.now() - began < timedelta(seconds=1)


def test_promises_mean_nothing_in_real_time():
    clock = SystemClock()
    clock.promise("a", 3600.0)
    began = clock.now()
    clock.sleep_until(began + timedelta(milliseconds=10))
    assert timedelta(milliseconds=10) <= clock.now() - began < timedelta(seconds=5)
    clock.keep("a")


@pytest.mark.parametrize("setting", ["", "leaping", "sundial"])
def test_an_unknown_clock_is_refused(setting):
    with pytest.raises(ConfigurationError, match="IVR_CLOCK"):
        open_clock(setting)


def test_a_leaping_clock_without_its_timekeeper_says_what_to_do(tmp_path):
    with pytest.raises(ConfigurationError, match="Start the local carrier"):
        open_clock(f"leaping:{tmp_path / 'nowhere'}")


def test_the_leaping_clock_speaks_the_protocol(tmp_path):
    moment = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
    (tmp_path / "clock.now").write_bytes(struct.pack("<d", moment.timestamp()))
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "clock"))
    server.listen()
    heard = []

    def serve():
        connection, _ = server.accept()
        with connection, connection.makefile("rwb") as lines:
            for line in lines:
                heard.append(json.loads(line))
                lines.write(b'{"now": 0}\n')
                lines.flush()
                if heard[-1]["op"] == "sleep":
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    clock = open_clock(f"leaping:{tmp_path / 'clock'}")
    assert isinstance(clock, LeapingClock)
    assert clock.now() == moment
    clock.promise("work 1", 2.5)
    clock.keep("work 1")
    clock.sleep_until(moment + timedelta(seconds=30))
    thread.join(5)
    with pytest.raises(OSError, match=r"closed|Broken pipe|reset"):
        clock.keep("work 2")
    server.close()
    del clock
    assert heard == [
        {"op": "promise", "token": "work 1", "grace": 2.5},
        {"op": "keep", "token": "work 1"},
        {"op": "sleep", "until": moment.timestamp() + 30},
    ]
