"""Nothing that was started goes on alone: whoever is killed with -9 takes along what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.household import free_port
from scripts.processes import dies_with_us

SECONDS = 60.0


def started_for(directory: Path) -> dict[int, str]:
    """Every living process whose environment or command names this directory: id → command."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if str(directory).encode() in (entry / "environ").read_bytes() + command and command:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
    return found


def wait_for(claim: Callable[[], bool], what: Callable[[], object]) -> None:
    until = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < until, what()
        time.sleep(0.1)


@pytest.mark.timeout(180)
def test_a_house_whose_keeper_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    settings = {
        "IVR_VAR_DIR": str(tmp_path),
        "IVR_WEB_PORT": str(port := free_port()),
        "IVR_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "IVR_CARRIER_URL": f"http://127.0.0.1:{free_port()}",
        "IVR_WEB_PROCESSES": "2",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "TWILIO_"))}
    with (tmp_path / "run.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "scripts.cli", "run", "--population", "nobody"],
            env=environment | settings,
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_us(),
        )

    def running(part: str) -> list[int]:
        return [pid for pid, command in started_for(tmp_path).items() if part in command]

    def said() -> str:
        return (tmp_path / "run.log").read_text()

    try:
        # Redis, carrier, granian and its two processes, one dialling worker, upkeep, clock.
        parts = {"redis-server": 1, "granian": 3, "scripts.cli carrier": 1, "worker dialling": 1, "worker clock": 1}
        wait_for(lambda: all(len(running(part)) >= number for part, number in parts.items()), said)
        wait_for(lambda: "Ctrl-C stops it" in said(), said)

        # The keeper hears nothing now, so that only the kernel can end what granian leaves behind.
        keeper.send_signal(signal.SIGSTOP)
        os.kill(min(running("granian")), signal.SIGKILL)
        wait_for(lambda: len(running("granian")) == 0, lambda: started_for(tmp_path))

        # A stopped process hears no SIGTERM; it goes all the same.
        os.kill(running("worker clock")[0], signal.SIGSTOP)
        keeper.kill()
        keeper.wait()
        wait_for(lambda: not started_for(tmp_path), lambda: started_for(tmp_path))
    finally:
        keeper.kill()
        for pid in started_for(tmp_path):
            os.kill(pid, signal.SIGKILL)
