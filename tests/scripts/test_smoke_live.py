"""The live smoke script, as far as it goes without an account: it refuses, listens, checks and redacts."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.settings import Settings
from scripts import smoke_live
from tests.telephony.twiml_schema import check_twiml

BASE = "https://toets.example"
FORM = {
    "CallSid": "CA" + "1" * 32,
    "AccountSid": "AC" + "3" * 32,
    "From": "+31850000000",
    "To": "+31612345678",
    "ToCity": "Assen",
    "CallStatus": "in-progress",
}


def listener(tmp_path: Path) -> smoke_live.Listener:
    settings = Settings(public_base_url=BASE, TWILIO_AUTH_TOKEN="token")  # type: ignore[call-arg]
    return smoke_live.Listener(settings, "a" * 32, tmp_path / "out" / "fixtures.jsonl")


def test_without_an_account_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IVR_CARRIER", raising=False)
    result = CliRunner().invoke(smoke_live.main, ["--phone", "+31612345678"])
    assert result.exit_code == 1
    assert "IVR_CARRIER=twilio" in result.output


def test_a_call_is_answered_verified_and_written_down_without_numbers(tmp_path: Path) -> None:
    smoke = listener(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), smoke.handler())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def post(path: str, form: dict[str, str], token: str = "token") -> tuple[int, str]:
        signature = RequestValidator(token).compute_signature(BASE + path, MultiDict(form))
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.server_port}{path}", urlencode(form).encode(), {"X-Twilio-Signature": signature}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""

    root = f"/voice/{'a' * 32}"
    try:
        status, document = post(f"{root}/0", FORM)
        assert status == 200
        assert check_twiml(document).find("Gather/Say") is not None
        assert post(f"{root}/1", FORM | {"Digits": "5"})[0] == 200
        assert post(f"{root}/1", FORM, token="wrong")[0] == 403
        assert not smoke.is_over
        assert post(f"{root}/status", FORM | {"CallStatus": "completed"})[0] == 204
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (smoke.webhooks, smoke.refused, smoke.key, smoke.is_over) == (4, 1, "5", True)
    text = (tmp_path / "out" / "fixtures.jsonl").read_text("utf-8")
    assert "612345678" not in text
    assert "Assen" not in text
    assert "AC" + "3" * 32 not in text
    for line in map(json.loads, text.splitlines()):
        assert RequestValidator(smoke_live.FIXTURE_TOKEN).validate(line["url"], line["params"], line["signature"])


def test_webhooks_of_another_call_neither_end_it_nor_are_written_down(tmp_path: Path) -> None:
    smoke = listener(tmp_path)
    path = f"/voice/{'b' * 32}/status"
    form = FORM | {"CallStatus": "completed"}
    signature = RequestValidator("token").compute_signature(BASE + path, MultiDict(form))
    assert smoke.take(path, urlencode(form).encode(), signature, "") == (404, "")
    assert (smoke.webhooks, smoke.is_over) == (0, False)
    assert (tmp_path / "out" / "fixtures.jsonl").read_text("utf-8") == ""


def test_the_test_credentials_take_a_good_number_and_refuse_a_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from ivr.errors import CarrierError
    from ivr.survey.disposition import CallReport

    asked: list[str] = []

    class Account:
        def __init__(self, settings: Settings) -> None:
            assert settings.twilio_account_sid == "AC" + "7" * 32
            assert settings.twilio_region is None

        def place(self, request: smoke_live.CallRequest) -> CallReport:
            asked.append(request.to)
            if request.to == smoke_live.REFUSED:
                raise CarrierError("no", status=400, carrier_code=21217)
            return CallReport("CA" + "1" * 32, "queued")

    monkeypatch.setattr(smoke_live, "TwilioCarrier", Account)
    smoke_live._try_test_credentials(Settings(public_base_url=BASE), "AC" + "7" * 32, "t")
    assert asked == [smoke_live.TAKEN, smoke_live.REFUSED]
