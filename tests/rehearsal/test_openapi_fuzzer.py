"""Somebody else's OpenAPI fuzzer (schemathesis) against the local carrier, with Twilio's own document.

Once as anybody would run it, with all its checks but one: that data which fit the document are accepted. For Twilio's
document any text is a telephone number, so no carrier can pass that. Once with numbers and calls that exist, so that
it gets behind the first refusal.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.rehearsal.calls import Call, Target
from ivr.rehearsal.listeners import Reception
from ivr.rehearsal.service import LocalCarrier, Plan

HERE = Path(__file__).parent
ACCOUNT = "AC" + "0" * 32
ALWAYS_REFUSED = "positive_data_acceptance"


class Nobody:
    """A population that never answers."""

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        return Reception("no_answer")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that turns in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def carrier(loop: asyncio.AbstractEventLoop) -> Iterator[LocalCarrier]:
    local = LocalCarrier(Plan(port=0, calls_per_second=50), Nobody())
    asyncio.run_coroutine_threadsafe(local.open(), loop).result(10)
    yield local
    asyncio.run_coroutine_threadsafe(local.close(), loop).result(10)


def fuzz(carrier: LocalCarrier, folder: Path, *options: str, **environment: str) -> str:
    """Run the fuzzer; what it printed. AssertionError when it found anything."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(HERE / "twilio" / "calls_openapi.json")]
    command += ["--url", carrier.url, "--auth", f"{ACCOUNT}:local", "--checks", "all"]
    command += ["--exclude-checks", ALWAYS_REFUSED, "--seed", "7", "--no-color", *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "SCHEMATHESIS"))}
    done = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_a_fuzzer_finds_no_answer_that_twilios_document_does_not_know(carrier: LocalCarrier, tmp_path: Path) -> None:
    shown = fuzz(carrier, tmp_path, "--phases", "coverage")
    assert "Tested: 5" in shown


def test_a_fuzzer_that_knows_numbers_and_calls_finds_nothing_behind_the_first_refusal(
    carrier: LocalCarrier, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    book, target = carrier.exchange.book, Target("http://127.0.0.1:9/x")
    known = [
        Call(book.new_sid(), ACCOUNT, f"+3161234567{n}", "+31850000000", target, carrier.keeper.now(), ring_seconds=600)
        for n in range(4)
    ]
    for call in known:
        loop.call_soon_threadsafe(carrier.exchange.place, call)
    sids = ",".join(call.sid for call in known)
    hooks = {"SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(HERE), "FUZZ_SIDS": sids}
    shown = fuzz(carrier, tmp_path, "--phases", "fuzzing", "--mode", "positive", "--max-examples", "15", **hooks)
    assert "Tested: 5" in shown
    assert book.total - len(known) >= 5, "the fuzzer placed hardly a call: it saw refusals only"
