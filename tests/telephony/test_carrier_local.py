"""Twilio's client against the local carrier: the two sides were written apart and must understand each other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.errors import CarrierError
from ivr.rehearsal.listeners import Reception
from ivr.rehearsal.service import LocalCarrier, Plan
from ivr.settings import Settings
from ivr.telephony.carrier import CallRequest
from ivr.telephony.twilio_carrier import TwilioCarrier

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9/voice/a"
REQUEST = CallRequest(
    attempt_id="a" * 32,
    to="+31612345678",
    from_="+31850000000",
    voice_url=f"{NOWHERE}/0",
    fallback_url=f"{NOWHERE}/fallback",
    status_url=f"{NOWHERE}/status",
    machine_url=None,
    ring_seconds=20,
    limit_seconds=600,
)


class Nobody:
    """A population that never answers."""

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        return Reception("no_answer")


@pytest.fixture
def carrier() -> Iterator[TwilioCarrier]:
    loop = asyncio.new_event_loop()
    local = LocalCarrier(Plan(port=0, is_leaping=True, start=START), Nobody())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(local.open(), loop).result(10)
    client = TwilioCarrier(Settings(carrier_url=local.url))
    yield client
    client._client.http_client.session.close()  # type: ignore[attr-defined]
    asyncio.run_coroutine_threadsafe(local.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_a_call_is_placed_followed_and_found(carrier: TwilioCarrier) -> None:
    placed = carrier.place(REQUEST)
    assert placed.status == "queued"
    assert placed.call_sid.startswith("CA")
    report = None
    for _ in range(200):
        report = carrier.fetch(placed.call_sid)
        if report is not None and report.is_final:
            break
        time.sleep(0.02)
    assert report is not None
    assert report.status == "no-answer"
    assert [found.call_sid for found in carrier.find(REQUEST.to, START)] == [placed.call_sid]
    assert carrier.find(REQUEST.to, START + timedelta(days=1)) == []
    assert carrier.find("+31687654321", START) == []
    carrier.end(placed.call_sid)
    assert carrier.fetch("CA" + "0" * 32) is None


def test_a_number_that_is_none_is_refused_with_twilios_code(carrier: TwilioCarrier) -> None:
    with pytest.raises(CarrierError) as caught:
        carrier.place(replace(REQUEST, to="+31"))
    assert (caught.value.status, caught.value.carrier_code) == (400, 21211)
