"""The voice door with a real house behind it: a whole call by webhooks, and what is heard when something breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
import structlog

from ivr import logs
from ivr.errors import ConfigurationError
from ivr.fieldwork import interviewing
from ivr.store import Database, tables
from ivr.telephony import twiml
from ivr.web import voice
from tests.fieldwork.voiced_order import INBURGERING, Line
from tests.telephony.twiml_schema import check_twiml
from tests.web.voice_house import BASE, CALL, Door


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Door:
    return Door(sqlite_database, tmp_path)


@pytest.fixture
def line(door: Door) -> Line:
    return door.order.call(door.order.person())


def spoken(door: Door, root: ElementTree.Element) -> list[str]:
    """The prompt ids that a document plays."""
    names = {row["sha256"]: row["prompt"] for row in door.order.rows(tables.order_prompts)}
    return [
        names[(play.text or "").removeprefix(f"{BASE}/prompts/").removesuffix(".wav")] for play in root.iter("Play")
    ]


def test_a_whole_call_by_webhooks_is_valid_twiml_to_the_end(door: Door, line: Line) -> None:
    keys: str | None = None
    heard: list[str] = []
    for turn in range(60):
        answer = door.turn(line, turn, keys)
        assert answer.status_code == 200
        assert answer.content_type == "text/xml; charset=utf-8"
        root = check_twiml(answer.text)
        heard += spoken(door, root)
        gather = root.find("Gather")
        if gather is None:
            break
        assert gather.attrib["action"] == f"{BASE}/voice/{line.attempt_id}/{turn + 1}"
        keys = INBURGERING.get(heard[-1], "1")
    else:
        raise AssertionError("the call does not end")
    assert heard[0] == "greeting"
    assert set(INBURGERING) <= set(heard)
    assert set(door.order.responses()) == set(INBURGERING)
    assert door.order.rows(tables.cells)[0]["successful"] == 1
    assert door.alarms() == {}


def test_silence_is_a_turn_like_a_key(door: Door, line: Line) -> None:
    door.turn(line, 0)
    root = check_twiml(door.turn(line, 1).text)
    assert "greeting_menu" in spoken(door, root)
    assert root.find("Gather").attrib["action"].endswith("/2")  # type: ignore[union-attr]
    # The key and the silence of one turn are the same turn: whichever comes first counts.
    assert door.turn(line, 1, "3").text == door.turn(line, 1).text


def test_a_webhook_sent_twice_hears_the_same_document(door: Door, line: Line) -> None:
    for turn, keys in enumerate([None, "1", "1", "1", "1"]):
        first = door.turn(line, turn, keys)
        assert door.turn(line, turn, keys).text == first.text
    assert door.order.responses() == {"INB_VOLGT": "ja"}


def test_every_played_prompt_is_served(door: Door, line: Line) -> None:
    for play in check_twiml(door.turn(line, 0).text).iter("Play"):
        answer = door.client.get((play.text or "").removeprefix(BASE))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_an_attempt_that_does_not_exist_is_hung_up_with_an_alarm(door: Door, line: Line) -> None:
    line.attempt_id = "e" * 32
    answer = door.turn(line, 0)
    assert (answer.status_code, answer.text) == (200, twiml.HANGUP)
    assert door.alarms() == {"unknown_attempt": 1}


def test_a_broken_view_answers_an_apology_and_never_html(
    door: Door, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.turn(line, 0)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(interviewing, "answer", broken)
    answer = door.turn(line, 1, "1")
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    root = check_twiml(answer.text)
    assert spoken(door, root) == ["technical_apology"]
    assert [verb.tag for verb in root] == ["Play", "Hangup"]
    assert door.alarms()["voice_error"] == 1


def test_a_stumble_is_tried_once_more(door: Door, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = interviewing.answer, []

    def stumbling(*given: object, **named: object) -> object:
        calls.append(given)
        if len(calls) == 1:
            raise OSError("database is locked")
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(interviewing, "answer", stumbling)
    assert "greeting_menu" in spoken(door, check_twiml(door.turn(line, 0).text))
    assert door.alarms() == {}


def test_the_fallback_needs_no_database(door: Door, line: Line) -> None:
    door.turn(line, 0)
    door.house.database.dispose()
    door.house.__dict__["database"] = None
    answer = door.post(f"/voice/{line.attempt_id}/fallback", CALL | {"CallSid": line.call_sid, "ErrorCode": "11200"})
    root = check_twiml(answer.text)
    assert [verb.tag for verb in root] == ["Play", "Hangup"]
    assert door.alarms() == {"fallback": 1}


def test_a_process_started_without_a_database_plays_the_apology_all_the_same(
    door: Door, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.turn(line, 0)
    again = Door(door.order.database, tmp_path, order=door.order)

    def gone(*_: object) -> None:
        raise ConfigurationError("The database does not answer.")

    for name in ("read", "write"):
        monkeypatch.setattr(again.house.database, name, gone)
    answer = again.post(f"/voice/{line.attempt_id}/fallback", CALL | {"CallSid": line.call_sid})
    (play,) = check_twiml(answer.text).iter("Play")
    path = (play.text or "").removeprefix(BASE)
    assert again.client.get(path).status_code == 200
    words = again.client.get(path.replace(".wav", ".txt"))
    assert (words.status_code, "iets mis" in words.text) == (200, True)
    assert again.alarms() == {"fallback": 1}


def test_connection_overrides_stand_in_every_url_and_never_in_a_signature(
    sqlite_database: Database, tmp_path: Path
) -> None:
    door = Door(sqlite_database, tmp_path, TWILIO_CONNECTION_OVERRIDES="rc=2&rp=ct,5xx")
    line = door.order.call(door.order.person())
    root = check_twiml(door.turn(line, 0).text)
    ends = [root.find("Gather").attrib["action"], root.find("Redirect").text]  # type: ignore[union-attr]
    assert ends == [f"{BASE}/voice/{line.attempt_id}/1{end}#rc=2&rp=ct,5xx" for end in ("", "/silence")]
    assert door.turn(line, 1, "1").status_code == 200


def test_the_fallback_of_a_process_that_knows_no_audio_is_read_out(door: Door, line: Line) -> None:
    door.house.__dict__["database"] = None
    answer = door.post(f"/voice/{line.attempt_id}/fallback", CALL | {"CallSid": line.call_sid})
    assert [verb.tag for verb in check_twiml(answer.text)] == ["Say", "Hangup"]
    assert door.alarms() == {"fallback": 1, "no_audio": 1}


def test_missing_audio_is_read_out_in_dutch_and_raises_an_alarm(door: Door, line: Line) -> None:
    with door.order.database.write() as session:
        session.execute(sa.delete(tables.order_prompts).where(tables.order_prompts.c.prompt == "greeting_minutes"))
    root = check_twiml(door.turn(line, 0).text)
    (say,) = root.iter("Say")
    assert say.text == "Het duurt ongeveer vijf minuten."
    assert door.alarms() == {"no_audio": 1}


def test_an_order_voiced_anew_is_heard_at_once(door: Door, line: Line) -> None:
    first = door.turn(line, 0).text
    with door.order.database.write() as session:
        name = session.execute(sa.select(tables.prompts.c.sha256).limit(1)).scalar_one()
        session.execute(
            sa.update(tables.order_prompts).where(tables.order_prompts.c.prompt == "greeting").values(sha256=name)
        )
    assert door.turn(line, 0).text == first
    with door.order.database.write() as session:
        session.execute(sa.update(tables.orders).values(voiced_at=line.now.replace(hour=13)))
    assert name in door.turn(line, 0).text


def test_a_status_callback_closes_the_call(door: Door, line: Line) -> None:
    door.turn(line, 0)
    form = CALL | {
        "CallSid": line.call_sid,
        "CallStatus": "completed",
        "SequenceNumber": "3",
        "CallDuration": "12",
        "Timestamp": "Wed, 04 Mar 2026 12:00:12 +0000",
    }
    for _ in range(2):
        answer = door.post(f"/voice/{line.attempt_id}/status", form)
        assert (answer.status_code, answer.data) == (204, b"")
    (attempt,) = door.order.rows(tables.attempts)
    assert (attempt["state"], attempt["call_status"], attempt["duration_seconds"]) == ("closed", "completed", 12)
    assert door.order.rows(tables.cells)[0]["in_flight"] == 0
    assert door.turn(line, 1, "1").text == twiml.HANGUP


def test_a_machine_verdict_hangs_up_at_the_next_silence(door: Door, line: Line) -> None:
    door.turn(line, 0)
    verdict = {"CallSid": line.call_sid, "AccountSid": CALL["AccountSid"], "AnsweredBy": "machine_start"}
    assert door.post(f"/voice/{line.attempt_id}/machine", verdict).status_code == 204
    assert door.turn(line, 1).text == twiml.HANGUP


def test_a_status_that_means_nothing_is_refused_with_an_alarm(door: Door, line: Line) -> None:
    answer = door.post(f"/voice/{line.attempt_id}/status", {"CallSid": line.call_sid, "CallStatus": "eaten"})
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"
    assert door.alarms() == {"bad_status": 1}


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the log writes during this test, whatever an earlier test's command made of it."""
    lines = StringIO()
    logs.configure_logs(json_lines=False)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=lines))
    yield lines
    structlog.reset_defaults()


def test_the_logs_of_a_call_hold_no_number_and_no_key(
    door: Door, line: Line, written: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interviewing, "answer", lambda *_, **__: 1 / 0)
    door.turn(line, 0)
    door.turn(line, 1, "7777")
    shown = written.getvalue()
    assert "voice_error" in shown
    assert "612345678" not in shown
    assert "7777" not in shown.replace(line.attempt_id, "")


def test_the_apology_is_a_phrase_that_is_rendered(door: Door) -> None:
    assert voice.APOLOGY in door.house.catalogue.phrases


def test_somebody_who_rings_us_is_known_by_number_and_others_hear_who_we_are(door: Door) -> None:
    door.order.person(door.house.sealer.hash("phone", "+31612345678"))
    known = CALL | {"CallSid": "CA" + "1" * 32, "From": "+31612345678", "To": "+31850000000", "Direction": "inbound"}
    root = check_twiml(door.post("/voice/inbound", known).text)
    assert "greeting_inbound" in spoken(door, root)
    (attempt,) = door.order.rows(tables.attempts)
    assert root.find("Gather").attrib["action"] == f"{BASE}/voice/{attempt['id']}/1"  # type: ignore[union-attr]
    assert door.post("/voice/inbound/status", known | {"CallStatus": "completed"}).status_code == 204
    assert door.order.rows(tables.attempts)[0]["state"] == "closed"

    stranger = known | {"CallSid": "CA" + "2" * 32, "From": "anonymous"}
    assert spoken(door, check_twiml(door.post("/voice/inbound", stranger).text)) == ["inbound_unknown"]
    assert door.post("/voice/inbound/status", stranger | {"CallStatus": "completed"}).status_code == 204
    assert len(door.order.rows(tables.attempts)) == 1


def test_a_locked_database_is_an_apology_before_the_carrier_gives_up(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 3 * voice.LOCK_SECONDS <= 15, "a webhook behind another one, and its own wait"
    monkeypatch.setattr(voice, "LOCK_SECONDS", 0.05)
    door = Door(sqlite_database, tmp_path)
    line = door.order.call(door.order.person())
    for turn, keys in enumerate([None, "1", "1"]):
        door.turn(line, turn, keys)
    door.house.database.engine.dispose()
    with closing(sqlite3.connect(tmp_path / "toets.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = door.turn(line, 3, "1")
        with door.house.database.read() as session:
            assert session.execute(sa.text("PRAGMA busy_timeout")).scalar_one() == 50
    root = check_twiml(answer.text)
    assert spoken(door, root) == ["technical_apology"]
    assert door.alarms() == {"voice_error": 1}
    # Nothing was kept of it: asked again, it is taken in as if it had never been asked.
    assert check_twiml(door.turn(line, 3, "1").text).find("Gather") is not None
