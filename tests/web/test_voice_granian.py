"""The voice door under the real server over real HTTP: the path, the query and the body arrive as they were signed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.store import Database, tables
from scripts.processes import dies_with_us
from tests.fieldwork.voiced_order import VoicedOrder
from tests.telephony.twiml_schema import check_twiml
from tests.web.voice_house import CALL, TOKEN


@pytest.fixture
def server(sqlite_database: Database, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IVR_", "TWILIO_"))} | {
        "IVR_DATABASE_URL": sqlite_database.url,
        "IVR_VAR_DIR": str(tmp_path),
        "IVR_PUBLIC_BASE_URL": url,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port)]
    with (tmp_path / "granian.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--blocking-threads", "4", "scripts.serve:create_app"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_us(),
        )
        try:
            for _ in range(300):
                try:
                    with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                        break
                except OSError:
                    time.sleep(0.1)
            else:
                raise AssertionError((tmp_path / "granian.log").read_text())
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def post(url: str, form: dict[str, str], *, token: str = TOKEN) -> tuple[int, str]:
    signature = RequestValidator(token).compute_signature(url, MultiDict(form))
    request = urllib.request.Request(url, urlencode(form).encode(), {"X-Twilio-Signature": signature})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_call_over_http_is_signed_heard_and_kept(server: str, sqlite_database: Database) -> None:
    order = VoicedOrder(sqlite_database)
    line = order.call(order.person())
    root = f"{server}/voice/{line.attempt_id}"
    form = CALL | {"CallSid": line.call_sid, "ToCity": "’s-Gravenhage & Zoë"}

    status, document = post(f"{root}/0?note=%C3%A9%2F+x&note=", form)
    assert status == 200
    gather = check_twiml(document).find("Gather")
    assert gather is not None
    assert gather.attrib["action"] == f"{root}/1"
    for turn in range(1, 5):
        status, document = post(f"{root}/{turn}", form | {"Digits": "1"})
        assert status == 200
        check_twiml(document)
        assert post(f"{root}/{turn}", form | {"Digits": "1"}) == (status, document)
    assert order.responses() == {"INB_VOLGT": "ja"}

    for play in check_twiml(document).iter("Play"):
        with urllib.request.urlopen(play.text or "", timeout=5) as answer:
            assert answer.status == 200
    assert post(f"{root}/5", form, token="wrong")[0] == 403
    assert post(f"{root}/0%2e", form)[0] in {403, 404}
    assert post(f"{server}/voice/{line.attempt_id[:4]}%20x/0", form)[0] == 403
    assert post(f"{root}/status", form | {"CallStatus": "completed", "SequenceNumber": "3"}) == (204, "")
    (attempt,) = order.rows(tables.attempts)
    assert attempt["state"] == "closed"
