"""Twilio's client against a small REST server on loopback: real HTTP, each of the three endings."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from ivr.errors import (
    CarrierBusyError,
    CarrierError,
    CarrierUnknownError,
    CarrierUnreachableError,
    ConfigurationError,
)
from ivr.settings import Settings
from ivr.telephony.carrier import CallRequest
from ivr.telephony.twilio_carrier import TwilioCarrier

SID = "CA" + "1" * 32
ACCOUNT = "AC" + "0" * 32
REQUEST = CallRequest(
    attempt_id="a" * 32,
    to="+31612345678",
    from_="+31850000000",
    voice_url="http://127.0.0.1:8000/voice/a/0",
    fallback_url="http://127.0.0.1:8000/voice/a/fallback",
    status_url="http://127.0.0.1:8000/voice/a/status",
    machine_url=None,
    ring_seconds=25,
    limit_seconds=1200,
)


def call(**changes: object) -> dict[str, object]:
    return {
        "sid": SID,
        "status": "queued",
        "duration": None,
        "price": None,
        "answered_by": None,
        "date_created": "Mon, 23 Nov 2026 15:00:00 +0000",
        "start_time": None,
        "end_time": None,
    } | changes


class Rest:
    """A REST server that answers what the test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.answer: Callable[[], tuple[int, Any]] = lambda: (201, call())
        rest = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply()

            def do_POST(self) -> None:
                self.reply()

            def reply(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                body = self.rfile.read(length).decode()
                rest.asked.append((self.command, url.path, parse_qs(body or url.query, keep_blank_values=True)))
                status, document = rest.answer()
                if status == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                text = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def rest() -> Iterator[Rest]:
    rest = Rest()
    yield rest
    rest.stop()


@pytest.fixture
def carrier(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioCarrier]:
    # Neither a proxy nor Twilio's own variables may lead a local carrier off this machine.
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    carrier = TwilioCarrier(Settings(carrier_url=rest.url), timeout_seconds=0.5)
    yield carrier
    session = carrier._client.http_client.session  # type: ignore[attr-defined]
    session.close()


def test_a_call_is_placed_with_all_its_urls(carrier: TwilioCarrier, rest: Rest) -> None:
    report = carrier.place(REQUEST)
    assert (report.call_sid, report.status, report.is_final) == (SID, "queued", False)
    ((method, path, form),) = rest.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    assert form["To"] == ["+31612345678"]
    assert form["Url"] == [REQUEST.voice_url]
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert form["Timeout"] == ["25"]
    assert form["TimeLimit"] == ["1200"]
    assert form["FallbackUrl"] == [REQUEST.fallback_url]
    assert "MachineDetection" not in form


def test_machine_detection_is_asynchronous(carrier: TwilioCarrier, rest: Rest) -> None:
    from dataclasses import replace

    carrier.place(replace(REQUEST, machine_url="http://127.0.0.1:8000/voice/a/machine"))
    form = rest.asked[0][2]
    assert form["MachineDetection"] == ["Enable"]
    assert form["AsyncAmd"] == ["true"]
    assert form["AsyncAmdStatusCallback"] == ["http://127.0.0.1:8000/voice/a/machine"]


@pytest.mark.parametrize(("status", "code"), [(400, 21211), (401, 20003), (403, 21216), (404, 20404)])
def test_a_refusal_means_certainly_no_call(carrier: TwilioCarrier, rest: Rest, status: int, code: int) -> None:
    rest.answer = lambda: (status, {"code": code, "message": "no +31612345678", "status": status})
    with pytest.raises(CarrierError) as caught:
        carrier.place(REQUEST)
    assert (caught.value.status, caught.value.carrier_code) == (status, code)
    assert not isinstance(caught.value, CarrierBusyError)
    assert "612345678" not in str(caught.value)


def test_too_many_requests_means_busy(carrier: TwilioCarrier, rest: Rest) -> None:
    rest.answer = lambda: (429, {"code": 20429, "message": "slow down", "status": 429})
    with pytest.raises(CarrierBusyError) as caught:
        carrier.place(REQUEST)
    assert caught.value.carrier_code == 20429


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (500, {"code": 20500, "message": "oops", "status": 500}),
        (503, b"<html>gone</html>"),
        (408, {"code": 0, "message": "late", "status": 408}),
        (201, b"not json"),
        (201, call(status="eaten")),
        (0, None),
    ],
)
def test_nobody_knows_what_became_of_a_broken_answer(
    carrier: TwilioCarrier, rest: Rest, status: int, document: object
) -> None:
    rest.answer = lambda: (status, document)
    with pytest.raises(CarrierUnknownError) as caught:
        carrier.place(REQUEST)
    assert not isinstance(caught.value, CarrierUnreachableError)
    assert len(rest.asked) == 1  # never sent twice


def test_a_time_out_is_not_repeated(carrier: TwilioCarrier, rest: Rest) -> None:
    def late() -> tuple[int, Any]:
        time.sleep(1.0)
        return 0, None

    rest.answer = late
    began = time.monotonic()
    with pytest.raises(CarrierUnknownError) as caught:
        carrier.place(REQUEST)
    assert time.monotonic() - began < 0.95
    assert not isinstance(caught.value, CarrierUnreachableError)
    assert len(rest.asked) == 1


def test_no_connection_means_certainly_no_call() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    carrier = TwilioCarrier(Settings(carrier_url=f"http://127.0.0.1:{port}"), timeout_seconds=0.5)
    with pytest.raises(CarrierUnreachableError):
        carrier.place(REQUEST)


def test_a_call_is_fetched_and_an_unknown_one_is_none(carrier: TwilioCarrier, rest: Rest) -> None:
    rest.answer = lambda: (
        200,
        call(
            status="completed",
            duration="61",
            start_time="Mon, 23 Nov 2026 15:00:05 +0000",
            end_time="Mon, 23 Nov 2026 15:01:06 +0000",
        ),
    )
    report = carrier.fetch(SID)
    assert report is not None
    assert (report.status, report.duration_seconds) == ("completed", 61)
    assert report.at == datetime(2026, 11, 23, 15, 1, 6, tzinfo=UTC)
    rest.answer = lambda: (404, {"code": 20404, "message": "not found", "status": 404})
    assert carrier.fetch(SID) is None


def test_calls_to_a_number_are_found_from_a_moment_on(carrier: TwilioCarrier, rest: Rest) -> None:
    def made(sid: str, at: str) -> dict[str, object]:
        return call(sid="CA" + sid * 32, date_created=f"Mon, 23 Nov 2026 {at} +0000")

    rest.answer = lambda: (
        200,
        {
            "calls": [made("3", "14:59:59"), made("1", "15:00:00"), made("2", "15:00:07")],
            "next_page_uri": None,
            "uri": "/",
            "page": 0,
            "page_size": 50,
        },
    )
    found = carrier.find("+31612345678", datetime(2026, 11, 23, 15, 0, 0, 700_000, tzinfo=UTC))
    assert [report.call_sid[2] for report in found] == ["2", "1"]
    assert rest.asked[0][2]["To"] == ["+31612345678"]


def test_ending_a_call_that_has_ended_is_no_error(carrier: TwilioCarrier, rest: Rest) -> None:
    rest.answer = lambda: (200, call(status="completed"))
    carrier.end(SID)
    assert rest.asked[0][2] == {"Status": ["completed"]}
    rest.answer = lambda: (400, {"code": 21220, "message": "Call is not in-progress", "status": 400})
    carrier.end(SID)
    rest.answer = lambda: (400, {"code": 21218, "message": "Invalid ApplicationSid", "status": 400})
    with pytest.raises(CarrierError):
        carrier.end(SID)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com",
        "http://192.168.1.2:8010",
        "http://127.0.0.1.example:8010",
        "http://127.0.0.1@example:8010",
        "https://127.0.0.1:8010",
        "",
    ],
)
def test_the_local_carrier_never_leaves_this_machine(url: str) -> None:
    with pytest.raises(ConfigurationError):
        # The settings refuse it too, at the start of every process: this is the last door.
        TwilioCarrier(Settings().model_copy(update={"carrier_url": url}))


def test_the_environment_of_twilios_client_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    client = TwilioCarrier(Settings())._client
    assert (client.region, client.edge) == (None, None)


def test_a_region_goes_with_its_edge_and_an_api_key_replaces_the_token() -> None:
    settings = Settings(
        carrier="twilio",
        public_base_url="https://toets.example",
        TWILIO_ACCOUNT_SID="AC" + "1" * 32,
        TWILIO_AUTH_TOKEN=SecretStr("secret"),
        TWILIO_API_KEY="SK" + "2" * 32,
        TWILIO_API_SECRET=SecretStr("key secret"),
        TWILIO_FROM="+31201234567",
        TWILIO_REGION="ie1",
        TWILIO_EDGE="dublin",
    )
    client = TwilioCarrier(settings)._client
    assert client.get_hostname("https://api.twilio.com/x") == "https://api.dublin.ie1.twilio.com/x"
    assert client.auth == ("SK" + "2" * 32, "key secret")
    assert client.account_sid == "AC" + "1" * 32
    assert client.http_client.timeout == 10
