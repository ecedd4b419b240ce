"""`ivr doctor`: a healthy house, and what it says of each thing that is missing."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from click.testing import CliRunner

from ivr.store import Database
from ivr.web.app import create_app
from scripts import doctor as doctor_module
from scripts.cli import main
from tests.mail.smtp_server import Inbox, free_port, smtp_server
from tests.web.voice_house import house_at


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, sqlite_database: Database, tmp_path: Path) -> None:
    monkeypatch.setenv("IVR_DATABASE_URL", sqlite_database.url)
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("IVR_CARRIER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("IVR_PUBLIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "a token")
    monkeypatch.setenv("IVR_ENCRYPTION_KEY", "A" * 43 + "=")
    monkeypatch.setattr(doctor_module, "_SECONDS", 3.0)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Iterator[WSGIServer]:
    server = make_server("127.0.0.1", 0, None, handler_class=Quiet)  # type: ignore[arg-type]
    server.set_app(create_app(house_at(sqlite_database, tmp_path, f"http://127.0.0.1:{server.server_port}")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def examine(exit_code: int) -> dict[str, list[dict[str, str]]]:
    result = CliRunner().invoke(main, ["doctor", "--json"])
    document = json.loads(result.stdout.splitlines()[-1])  # above it: the lines of the server in this process
    assert result.exit_code == exit_code, document
    assert document["ok"] is (exit_code == 0)
    found: dict[str, list[dict[str, str]]] = {}
    for finding in document["findings"]:
        assert finding["level"] == "ok" or finding["do"]
        found.setdefault(finding["what"], []).append(finding)
    return found


def test_a_house_without_anything_around_it_says_what_is_missing() -> None:
    found = examine(1)
    assert found["database"][0]["level"] == "ok"
    assert (found["redis"][0]["level"], "ivr run" in found["redis"][0]["do"]) == ("fault", True)
    assert (found["public url"][0]["level"], "scripts.serve" in found["public url"][0]["do"]) == ("fault", True)
    assert (found["carrier"][0]["level"], "ivr carrier" in found["carrier"][0]["do"]) == ("fault", True)


def test_mail_that_cannot_be_sent_is_a_fault_and_files_are_fine_outside_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert examine(1)["mail"][0]["level"] == "ok"
    monkeypatch.setenv("IVR_MAIL_URL", f"smtp://127.0.0.1:{free_port()}")
    (finding,) = examine(1)["mail"]
    assert (finding["level"], "IVR_MAIL_URL" in finding["do"]) == ("fault", True)
    inbox, port = Inbox(), free_port()
    with smtp_server(inbox, port):
        monkeypatch.setenv("IVR_MAIL_URL", f"smtp://127.0.0.1:{port}")
        assert examine(1)["mail"][0]["level"] == "ok"
    assert inbox.taken == [], "nothing is sent to find out"


def test_a_contradiction_in_the_settings_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    assert "TWILIO_EDGE" in examine(1)["settings"][0]["detail"]


def test_a_misspelt_setting_is_a_warning_with_the_name_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_CALLS_PER_SECONDS", "3")
    (first, *_) = examine(1)["settings"]
    assert (first["level"], first["detail"]) == ("warning", "nothing reads IVR_CALLS_PER_SECONDS")
    assert "IVR_CALLS_PER_SECOND?" in first["do"]


def test_an_old_schema_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    found = examine(1)
    assert "ivr db upgrade" in found["database"][0]["do"]
    assert "ivr carrier" in found["carrier"][0]["do"], "the carrier is asked all the same"


def test_a_signature_makes_the_way_to_the_house_and_back(door: WSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_PUBLIC_BASE_URL", f"http://127.0.0.1:{door.server_port}")
    assert examine(1)["public url"][0]["level"] == "ok"
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another token")
    (finding,) = examine(1)["public url"]
    assert (finding["level"], "another TWILIO_AUTH_TOKEN" in finding["do"]) == ("fault", True)


def test_a_stranger_at_the_public_address_is_a_fault(door: WSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def stranger(environ: dict[str, str], start: object) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator]
        return [b"hello"]

    door.set_app(stranger)  # type: ignore[arg-type]
    monkeypatch.setenv("IVR_PUBLIC_BASE_URL", f"http://127.0.0.1:{door.server_port}")
    (finding,) = examine(1)["public url"]
    assert "Something else answers" in finding["do"]


def test_for_people_each_fault_has_an_arrow() -> None:
    shown = CliRunner().invoke(main, ["doctor"])
    assert shown.exit_code == 1
    assert len(re.findall("^fault", shown.stdout, re.MULTILINE)) == shown.stdout.count("→")
