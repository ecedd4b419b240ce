"""Test calls go the way of every call, and leave no trace in cells, plans, boards, status or files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ivr import passes
from ivr.errors import CarrierError, CarrierUnknownError, CarrierUnreachableError, RefusedError
from ivr.exports.export import Request, export
from ivr.fieldwork import closing, monitoring, phoning_in, planning, reconciling, trying
from ivr.fieldwork.dialling import Trunk
from ivr.fieldwork.phoning_in import Spoken
from ivr.fieldwork.working import bounds_at
from ivr.store import Database, boards, cell_figures, prompts, tables, trials, users
from ivr.store.sealing import Sealer
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import urls_for
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, NOON, TO_FIRST_QUESTION, Line, VoicedOrder

NUMBER = f"{passes.NUMBERS}000042"
SEALER = Sealer(bytes(range(32)))
SID = "CA" + "5" * 32
MIDNIGHT = NOON + timedelta(hours=12)
TRUNK = Trunk("AC" + "0" * 32, "+31850000000", lambda id: urls_for("http://127.0.0.1:1", id), 25, 600)


@dataclass
class ACarrier:
    """Takes every call, or answers with an error."""

    error: Exception | None = None
    asked: list[CallRequest] = field(default_factory=list)
    knows: list[CallReport] = field(default_factory=list)

    def place(self, request: CallRequest) -> CallReport:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return CallReport(SID, "queued")

    def fetch(self, call_sid: str) -> CallReport | None:
        return next((report for report in self.knows if report.call_sid == call_sid), None)

    def find(self, to: str, since: datetime) -> list[CallReport]:
        return self.knows if to == NUMBER else []

    def end(self, call_sid: str) -> None:
        raise AssertionError("nobody ends a test call")


@pytest.fixture
def order(database: Database) -> Iterator[VoicedOrder]:
    order = VoicedOrder(database)
    yield order
    if order.desk is not None and hasattr(order.desk, "close"):
        order.desk.close()


def call(order: VoicedOrder, carrier: ACarrier | None = None, now: datetime = NOON) -> Line:
    attempt_id = trying.call(order.database, carrier or ACarrier(), SEALER, TRUNK, order.order_id, NUMBER, now)
    return Line(order, attempt_id, call_sid=SID, now=now)


def end(order: VoicedOrder, line: Line) -> None:
    report = CallReport(SID, "completed", duration_seconds=60)
    closing.note_status(order.database, CATALOGUE, CALENDAR, line.attempt_id, report, line.now)


def outside(order: VoicedOrder, folder: Path) -> dict[str, Any]:
    """Everything that anybody outside reads: status, board, traffic, cell page, plan, files."""
    database, later = order.database, NOON + timedelta(days=1)
    limits = planning.Limits(account="AC", calls_per_second=1, calls_in_flight=20)
    with database.read() as session:
        bounds = bounds_at(CATALOGUE.fieldwork, later, consent_only=False)
        seen: dict[str, Any] = {
            "board": boards.cell_rows(session, later, bounds),
            "outcomes": cell_figures.attempt_outcomes(session, order.cell_id),
            "reach": cell_figures.reach(session, ["complete"], cell_id=order.cell_id),
            "demo provider": users.first_provider_id(session),
        }
    seen["status"] = monitoring.status(database, CATALOGUE, CALENDAR, later)
    seen["due"] = planning.next_due(database, CATALOGUE, CALENDAR, later, limits)
    export(database, CATALOGUE, folder, Request())
    seen["files"] = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".csv"}
    return seen


def test_a_test_call_reaches_its_end_and_nothing_outside_has_changed(order: VoicedOrder, tmp_path: Path) -> None:
    order.person(next_call_at=NOON + timedelta(days=30))
    before = outside(order, tmp_path / "before")
    line = call(order)
    during = outside(order, tmp_path / "during")
    line.press(*TO_FIRST_QUESTION)
    line.to_the_end()
    end(order, line)
    assert during["due"] > NOON, "whoever looks after open calls, looks after this one too"
    assert {**during, "due": None} == {**before, "due": None}
    assert outside(order, tmp_path / "after") == before
    (attempt,) = order.rows(tables.attempts)
    assert (attempt["is_test"], attempt["state"], attempt["outcome"]) == (True, "closed", "complete")
    assert attempt["dialogue"]["usable"]
    for table in (tables.interviews, tables.responses, tables.ledger, tables.opt_outs):
        assert order.rows(table) == []
    (cell,) = order.rows(tables.cells)
    assert (cell["successful"], cell["in_flight"]) == (0, 0)


def test_a_full_cell_a_closed_day_and_never_call_again_stop_no_test_call(order: VoicedOrder) -> None:
    with order.database.write() as session:
        session.execute(sa.update(tables.cells).values(successful=25))
    assert not CALENDAR.is_open(MIDNIGHT)
    first = call(order, now=MIDNIGHT)
    first.press("3", "2", "1")
    end(order, first)
    assert order.rows(tables.opt_outs) == []
    assert order.rows(tables.attempts)[0]["outcome"] == "never_call_again"


def test_what_was_recorded_and_where_the_call_stands_is_shown(order: VoicedOrder) -> None:
    line = call(order)
    assert trying.standing(order.database, CATALOGUE, "CA" + "9" * 32) is None
    line.press(*TO_FIRST_QUESTION, "1")
    seen = trying.standing(order.database, CATALOGUE, SID)
    assert seen is not None
    assert (seen["attempt"], seen["state"], seen["turn"]) == (line.attempt_id, "placed", 4)
    assert [answer["question"] for answer in seen["answers"]] == ["INB_VOLGT"]
    assert seen["answers"][0]["answer"] == "Ja"
    assert seen["question"]
    assert seen["quota"] == {
        "provider": "Taal & Werk",
        "successful": 0,
        "in_flight": 0,
        "target": 25,
        "holds_slot": False,
    }


def test_only_the_softphones_numbers_are_called_and_only_voiced_orders(order: VoicedOrder) -> None:
    carrier = ACarrier()
    with pytest.raises(RefusedError, match="own numbers"):
        trying.call(order.database, carrier, SEALER, TRUNK, order.order_id, "+31612345678", NOON)
    with order.database.write() as session:
        prompts.mark_voiced(session, order.order_id, None)
    with pytest.raises(RefusedError, match="not voiced"):
        trying.call(order.database, carrier, SEALER, TRUNK, order.order_id, NUMBER, NOON)
    assert carrier.asked == []
    assert order.rows(tables.attempts) == []


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (CarrierError("no", status=400, carrier_code=21211), "void"),
        (CarrierUnreachableError("no connection"), "void"),
        (CarrierUnknownError("time-out"), "dialing"),
    ],
)
def test_a_carrier_that_takes_no_call_is_asked_once(order: VoicedOrder, error: Exception, state: str) -> None:
    carrier = ACarrier(error)
    with pytest.raises(RefusedError) as refused:
        call(order, carrier)
    assert refused.value.code == "carrier"
    assert len(carrier.asked) == 1
    assert [attempt["state"] for attempt in order.rows(tables.attempts)] == [state]


def test_a_test_call_that_got_lost_is_found_by_the_reconciler_and_takes_no_slot(order: VoicedOrder) -> None:
    carrier = ACarrier(CarrierUnknownError("time-out"))
    with pytest.raises(RefusedError):
        call(order, carrier)
    later = NOON + timedelta(minutes=5)

    def reconcile() -> None:
        reconciling.reconcile(order.database, CATALOGUE, CALENDAR, carrier, SEALER, later, lease_seconds=60)

    reconcile()
    (attempt,) = order.rows(tables.attempts)
    assert attempt["state"] == "unknown"
    line = Line(order, attempt["id"], call_sid=SID, now=later)
    line.press(*TO_FIRST_QUESTION)
    end(order, line)
    reconcile()
    (attempt,) = order.rows(tables.attempts)
    assert (attempt["state"], attempt["holds_slot"]) == ("closed", False)
    assert [cell["in_flight"] for cell in order.rows(tables.cells)] == [0]
    assert not any(case["is_busy"] for case in order.rows(tables.cases))


def test_a_call_from_the_softphone_is_recognised_by_its_number_once(order: VoicedOrder) -> None:
    hashed = SEALER.hash("phone", NUMBER)
    attempt_id = trying.expect(order.database, SEALER, order.order_id, NUMBER, NOON)

    def ring(sid: str) -> Any:
        return phoning_in.answer_inbound(order.database, CATALOGUE, CALENDAR, hashed, sid, NOON)

    found, reply = ring(SID)
    assert found == attempt_id
    assert "greeting_inbound" in {prompt.id for prompt in reply.turn.announces}
    assert ring(SID) == (found, reply), "the same webhook twice is one call"
    stranger = ring("CA" + "6" * 32)
    assert isinstance(stranger, Spoken)
    assert stranger.prompt == "inbound_unknown" or stranger.prompt == "inbound_closed"
    assert [cell["in_flight"] for cell in order.rows(tables.cells)] == [0]


def test_a_try_out_is_asked_for_voiced_and_called_without_any_cell(database: Database, tmp_path: Path) -> None:
    first = trying.prepare(database, CATALOGUE, "laagdrempelig", NOON)
    assert trying.prepare(database, CATALOGUE, "laagdrempelig", NOON) == first
    second = trying.prepare(database, CATALOGUE, "inburgering", NOON)
    assert first != second
    with pytest.raises(RefusedError):
        trying.prepare(database, CATALOGUE, "regulier", NOON)
    with database.read() as session:
        assert prompts.unvoiced(session) == [first, second], "the clock has them voiced"
    assert [choice.is_ready for choice in trying.choices(database, CATALOGUE)] == [False, False]
    voice(database, first, "laagdrempelig")
    ready = [choice for choice in trying.choices(database, CATALOGUE) if choice.is_ready]
    assert [(choice.order_id, choice.questionnaire) for choice in ready] == [(first, "laagdrempelig")]
    attempt_id = trying.call(database, ACarrier(), SEALER, TRUNK, first, NUMBER, NOON)
    world = Anywhere(database)
    line = Line(world, attempt_id, call_sid=SID)  # type: ignore[arg-type]
    reply = line.press(*TO_FIRST_QUESTION)
    assert (reply.questionnaire, reply.order_id) == ("laagdrempelig", first)
    status = monitoring.status(database, CATALOGUE, CALENDAR, NOON)
    assert status["cells"] == []
    with database.read() as session:
        assert users.first_provider_id(session) is None
    export(database, CATALOGUE, tmp_path / "out", Request())
    for path in (tmp_path / "out").glob("*.csv"):
        assert trials.PROVIDER not in path.read_text("utf-8")


def test_a_new_version_of_a_questionnaire_is_voiced_before_it_is_tried(database: Database) -> None:
    order_id = trying.prepare(database, CATALOGUE, "laagdrempelig", NOON)
    voice(database, order_id, "laagdrempelig", version=0)
    assert not any(choice.is_ready for choice in trying.choices(database, CATALOGUE))
    trying.prepare(database, CATALOGUE, "laagdrempelig", NOON)
    with database.read() as session:
        assert prompts.unvoiced(session) == [order_id]


def test_old_test_calls_are_forgotten_and_nothing_else_is(order: VoicedOrder) -> None:
    kept = order.person()
    end(order, call(order))
    end_of_year = NOON + timedelta(days=31)
    second = call(order, now=end_of_year)
    assert {attempt["id"] for attempt in order.rows(tables.attempts)} == {second.attempt_id}
    assert kept in {case["id"] for case in order.rows(tables.cases)}
    assert len(order.rows(tables.cases)) == 2
    assert len(order.rows(tables.contacts)) == 1


@dataclass
class Anywhere:
    """What a line needs of an order."""

    database: Database
    desk: None = None


def voice(database: Database, order_id: int, questionnaire: str, *, version: int | None = None) -> None:
    """As voicing leaves an order: prompts assigned, the gate open."""
    form = CATALOGUE.questionnaires[questionnaire]
    row = {"wav": b"w", "text": "t", "engine": "none", "is_slow": False, "seconds": 1.0, "loudness": -18.0}
    with database.write() as session:
        if not session.execute(sa.select(tables.prompts.c.sha256)).first():
            session.execute(sa.insert(tables.prompts).values(sha256="f" * 64, made_at=NOON, **row))
        prompts.assign(
            session, order_id, form.id, form.version if version is None else version, {("silence", False): "f" * 64}
        )
        prompts.mark_voiced(session, order_id, NOON)
