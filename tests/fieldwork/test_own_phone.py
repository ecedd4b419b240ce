"""A member of staff has their own telephone rung: a test call as any, to nobody else; then the number is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ivr.errors import CarrierError, CarrierUnknownError, RefusedError
from ivr.fieldwork import closing, own_phone, reconciling
from ivr.fieldwork.dialling import Trunk
from ivr.store import Database, optouts, samples, tables
from ivr.store.sealing import Sealer
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import urls_for
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, NOON, TO_FIRST_QUESTION, Line, VoicedOrder

MINE = "06 55 66 77 88"
E164 = "+31655667788"
SEALER = Sealer(bytes(range(32)))
SID = f"CA{1:032}"
WALL = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TRUNK = Trunk("AC" + "0" * 32, "+31850000000", lambda id: urls_for("http://127.0.0.1:1", id), 25, 600)


@dataclass
class ACarrier:
    """Takes every call, or answers with an error; knows of no call that was lost."""

    error: Exception | None = None
    asked: list[CallRequest] = field(default_factory=list)

    def place(self, request: CallRequest) -> CallReport:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return CallReport(f"CA{len(self.asked):032}", "queued")

    def fetch(self, call_sid: str) -> CallReport | None:
        return None

    def find(self, to: str, since: datetime) -> list[CallReport]:
        return []

    def end(self, call_sid: str) -> None:
        raise AssertionError("nobody ends a test call")


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


def ring(order: VoicedOrder, carrier: ACarrier, number: str = MINE, *, who: str = "a@b.example", wall=WALL) -> str:
    return own_phone.call(order.database, carrier, SEALER, TRUNK, order.order_id, number, who=who, now=NOON, wall=wall)


def everything_stored(database: Database) -> str:
    """All rows of all tables, as text."""
    with database.read() as session:
        rows = [
            [list(map(str, row)) for row in session.execute(sa.select(table))]
            for table in tables.metadata.sorted_tables
        ]
    return json.dumps(rows)


def test_the_telephone_rings_as_a_test_and_the_number_is_gone_when_the_call_ends(order: VoicedOrder) -> None:
    carrier = ACarrier()
    attempt_id = ring(order, carrier)
    assert [request.to for request in carrier.asked] == [E164]
    line = Line(order, attempt_id, call_sid=SID, now=NOON)
    line.press(*TO_FIRST_QUESTION)
    assert len(order.rows(tables.contacts)) == 1, "sealed, while the call lasts: a lost call is found by it"
    closing.note_status(order.database, CATALOGUE, CALENDAR, attempt_id, CallReport(SID, "completed"), line.now)
    (attempt,) = order.rows(tables.attempts)
    assert (attempt["is_test"], attempt["state"], attempt["holds_slot"]) == (True, "closed", False)
    assert order.rows(tables.contacts) == order.rows(tables.case_phones) == []
    left = everything_stored(order.database)
    assert samples.phone_hash(SEALER, E164) not in left
    assert "55667788" not in left
    (line_of_log,) = order.rows(tables.audit)
    assert (line_of_log["what"], line_of_log["who"]) == ("test_call", "a@b.example")
    assert [order.rows(table) for table in (tables.interviews, tables.responses, tables.ledger)] == [[], [], []]


@pytest.mark.parametrize("error", [CarrierError("no", status=400, carrier_code=21211), CarrierUnknownError("time-out")])
def test_the_number_is_gone_too_when_no_call_came_of_it(order: VoicedOrder, error: Exception) -> None:
    carrier = ACarrier(error)
    with pytest.raises(RefusedError) as refused:
        ring(order, carrier)
    assert refused.value.code == "carrier"
    later = NOON + timedelta(minutes=5)
    reconciling.reconcile(order.database, CATALOGUE, CALENDAR, carrier, SEALER, later, lease_seconds=60)
    assert order.rows(tables.contacts) == order.rows(tables.case_phones) == []
    assert [attempt["phone_hash"] for attempt in order.rows(tables.attempts)] == [None]


def test_nobody_on_a_list_and_no_number_that_is_never_called_is_rung(order: VoicedOrder) -> None:
    carrier = ACarrier()
    case_id = order.person()
    hashed = samples.phone_hash(SEALER, E164)
    with order.database.write() as session:
        session.execute(sa.delete(tables.case_phones))
        session.execute(sa.insert(tables.case_phones).values(case_id=case_id, rank=0, phone_hash=hashed))
        optouts.add(session, samples.phone_hash(SEALER, "+31611111111"), "web", NOON)
    for number, code in (
        (MINE, "respondent"),
        ("0611111111", "opted_out"),
        ("112", "not_diallable"),
        ("0900 1234", "not_diallable"),
        ("hallo", "bad_phone"),
    ):
        with pytest.raises(RefusedError) as refused:
            ring(order, carrier, number)
        assert refused.value.code == code
    assert carrier.asked == []
    assert order.rows(tables.attempts) == []


def test_a_number_that_rings_already_is_not_rung_twice(order: VoicedOrder) -> None:
    carrier = ACarrier()
    ring(order, carrier)
    with pytest.raises(RefusedError) as refused:
        ring(order, carrier)
    assert refused.value.code == "busy"
    assert len(carrier.asked) == 1


def test_an_account_has_five_calls_an_hour_and_everybody_together_twenty(order: VoicedOrder) -> None:
    carrier = ACarrier()

    def tried(account: int, number: int) -> str:
        try:
            ring(order, carrier, f"065566{account:02}{number:02}", who=f"{account}@b.example")
        except RefusedError as error:
            return error.code
        return "rung"

    tries = [tried(account, number) for account in range(5) for number in range(6)]
    assert tries == (["rung"] * own_phone.CALLS_AN_HOUR + ["too_often"]) * 4 + ["too_often"] * 6
    assert len(carrier.asked) == own_phone.EVERYONES_CALLS_AN_HOUR
    ring(order, carrier, "0655669900", wall=WALL + timedelta(hours=1))
