"""`ivr carrier` as others start it: a process with a clock, a ready line, and an end."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ivr.clock import LeapingClock
from scripts.processes import dies_with_us


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from scripts.cli import main; main()", "carrier", "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_us(),
    )


@pytest.fixture
def running():
    processes = []

    def run(*options: str):
        process = start(*options)
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_carrier_serves_its_clock_until_it_is_stopped(running, tmp_path):
    socket = tmp_path / "clock"
    process = running("--clock", "leaping", "--socket", str(socket), "--start", "2026-10-05T07:00:00")
    ready = json.loads(process.stderr.readline())
    assert ready["now"] == "2026-10-05T07:00:00+00:00"
    host = ready["ready"].removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request("GET", "/healthz")
    assert json.loads(connection.getresponse().read())["status"] == "ok"
    connection.close()
    clock = LeapingClock(socket)
    clock.sleep_until(clock.now() + timedelta(days=40))
    assert clock.now() == datetime(2026, 11, 14, 7, 0, tzinfo=UTC)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert not socket.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--clock", "leaping"],
        ["--start", "2026-10-05"],
        ["--clock", "leaping", "--socket", "x", "--start", "monday"],
        ["--faults", "often"],
        ["--population", "aliens"],
    ],
)
def test_wrong_usage_is_told_with_exit_code_two(options):
    process = start(*options)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert error


def test_a_carrier_for_the_outside_world_does_not_start():
    process = start("--host", "0.0.0.0")
    _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "this machine only" in error
