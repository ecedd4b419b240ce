"""Who gets in at the voice door: what the carrier signed, as it signed it, and nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from ivr.store import Database
from ivr.telephony.webhooks import MAX_BODY_BYTES
from tests.fieldwork.voiced_order import Line
from tests.web.voice_house import BASE, CALL, TOKEN, Door


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Door:
    return Door(sqlite_database, tmp_path)


@pytest.fixture
def line(door: Door) -> Line:
    return door.order.call(door.order.person())


def form_of(line: Line, **more: Any) -> dict[str, Any]:
    return CALL | {"CallSid": line.call_sid} | more


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Digits": ""},
        {"Digits": "1"},
        {"ToCity": "’s-Gravenhage"},
        {"CallerName": "José & Zoë ☎"},
        {"Extra": "a%2Fb+c d&e=f"},
        {"SipHeader": ["b", "a", "b"]},
        {"StirVerstat": ["", "x"]},
    ],
)
@pytest.mark.parametrize("query", ["", "a=1&b=%C3%A9%2F&a=2&c=", "q=a+b%20c"])
def test_what_the_carrier_signed_gets_in(door: Door, line: Line, more: dict[str, Any], query: str) -> None:
    assert door.post(f"/voice/{line.attempt_id}/0", form_of(line, **more), query=query).status_code == 200
    assert door.alarms() == {}


def test_behind_a_proxy_the_configured_address_counts_and_no_header_does(door: Door, line: Line) -> None:
    path, form = f"/voice/{line.attempt_id}/0", form_of(line)
    headers = {"Host": "10.0.0.7:8000", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    assert door.post(path, form, headers=headers).status_code == 200
    door.base_url = "https://evil.example"
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert door.post(path, form, headers=headers).status_code == 403
    assert door.alarms() == {"bad_signature": 1}


@pytest.mark.parametrize(
    "path",
    [
        "/voice/{id}/0",
        "/voice/{id}/1",
        "/voice/{id}/1/silence",
        "/voice/{id}/status",
        "/voice/{id}/machine",
        "/voice/{id}/fallback",
        "/voice/inbound",
    ],
)
def test_each_door_refuses_a_wrong_signature_with_an_alarm(door: Door, line: Line, path: str) -> None:
    before = door.order.everything()
    answer = door.post(path.format(id=line.attempt_id), form_of(line), token="another token")
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert door.alarms() == {"bad_signature": 1}
    assert door.order.everything() == before


def test_a_signature_of_another_path_or_body_is_refused(door: Door, line: Line) -> None:
    from twilio.request_validator import RequestValidator

    path, form = f"/voice/{line.attempt_id}/1", form_of(line, Digits="1")
    good = RequestValidator(TOKEN).compute_signature(BASE + path, form)
    headers = {"X-Twilio-Signature": good}
    assert door.client.post(path, data=form | {"Digits": "2"}, headers=headers).status_code == 403
    assert door.client.post(path + "?a=1", data=form, headers=headers).status_code == 403
    assert door.client.post(f"/voice/{line.attempt_id}/2", data=form, headers=headers).status_code == 403
    assert door.client.post(path, data=form, headers=headers).status_code == 200


class Untouchable(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read  # type: ignore[assignment]


def test_without_a_signature_the_body_stays_unread(door: Door, line: Line) -> None:
    answer = door.client.post(
        f"/voice/{line.attempt_id}/0",
        input_stream=Untouchable(),
        environ_overrides={"CONTENT_LENGTH": "100"},
    )
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert door.alarms() == {"unsigned": 1}


def test_a_large_body_stays_unread(door: Door, line: Line) -> None:
    answer = door.client.post(
        f"/voice/{line.attempt_id}/0",
        input_stream=Untouchable(),
        environ_overrides={"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)},
        headers={"X-Twilio-Signature": "x"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "said",
    [
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "9" * 5000},
    ],
)
def test_a_body_of_unknown_length_is_refused(door: Door, line: Line, said: dict[str, str]) -> None:
    answer = door.client.post(
        f"/voice/{line.attempt_id}/0",
        input_stream=Untouchable(),
        environ_overrides=said,
        headers={"X-Twilio-Signature": "x"},
    )
    assert answer.status_code == 411


@pytest.mark.parametrize("path", ["/voice//1", "/voice/abc/1/", "/voice/abc/-1", "/voice/", "/voice/%00/x"])
def test_a_path_that_no_call_has_finds_no_view(door: Door, path: str) -> None:
    answer = door.client.post(path, data={"CallSid": "CA1"}, headers={"X-Twilio-Signature": "x"})
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")
    assert door.alarms() == {}


def test_a_webhook_by_another_method_is_told_which_is_allowed(door: Door, line: Line) -> None:
    answer = door.client.get(f"/voice/{line.attempt_id}/0")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_body_that_is_no_form_is_refused(door: Door, line: Line) -> None:
    answer = door.client.post(f"/voice/{line.attempt_id}/0", data=b"Digits=%FF", headers={"X-Twilio-Signature": "x"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/voice/%2e%2e/0", "/voice/a%20b/0", "/voice/%C3%A9/0", "//voice/a/0", "/voice/a.b/0"]
)
def test_a_path_of_other_characters_never_gets_in(door: Door, path: str) -> None:
    assert door.post(path, CALL).status_code in {403, 404}


def test_a_get_is_refused_without_html(door: Door, line: Line) -> None:
    answer = door.client.get(f"/voice/{line.attempt_id}/0")
    assert (answer.status_code, answer.mimetype) == (405, "text/plain")
    assert "POST" in answer.headers["Allow"]
