"""Phone-in: recognised by number, goes on or begins, holds a slot, and never passes the target."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ivr.fieldwork import interviewing, phoning_in
from ivr.fieldwork.interviewing import Reply
from ivr.fieldwork.phoning_in import Spoken
from ivr.store import Database, tables
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, NOON, TO_FIRST_QUESTION, Line, VoicedOrder


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database, target=1)


def ring(order: VoicedOrder, phone: str = "hash-1", sid: str = "CA" + "7" * 32) -> tuple[str, Reply] | Spoken:
    return phoning_in.answer_inbound(order.database, CATALOGUE, CALENDAR, phone, sid, NOON)


def said(order: VoicedOrder, phone: str = "hash-1", sid: str = "CA" + "7" * 32) -> str:
    answer = ring(order, phone, sid)
    assert isinstance(answer, Spoken)
    assert answer.sha256 is not None
    return answer.prompt


def test_somebody_we_know_gets_the_interview_and_it_counts(database: Database) -> None:
    order = VoicedOrder(database, target=1)
    order.person()
    answer = ring(order)
    assert not isinstance(answer, Spoken)
    attempt_id, reply = answer
    assert "greeting_inbound" in {prompt.id for prompt in reply.turn.announces}
    (cell,) = order.rows(tables.cells)
    assert cell["in_flight"] == 1
    line = Line(order, attempt_id, call_sid="CA" + "7" * 32, replies=[reply])
    line.press(*TO_FIRST_QUESTION)
    line.to_the_end()
    (cell,) = order.rows(tables.cells)
    assert (cell["successful"], cell["in_flight"]) == (1, 0)


def test_the_same_call_announced_twice_is_one_attempt(order: VoicedOrder) -> None:
    order.person()
    assert ring(order) == ring(order)
    assert len(order.rows(tables.attempts)) == 1


def test_a_broken_off_interview_goes_on_when_the_person_rings_back(order: VoicedOrder) -> None:
    case_id = order.person()
    first = order.call(case_id)
    first.press(*TO_FIRST_QUESTION, "1", "1")
    order.hang_up(first)
    with order.database.write() as session:
        session.execute(sa.update(tables.cases).values(is_busy=False))
        session.execute(sa.update(tables.cells).values(in_flight=0))
    answer = ring(order)
    assert not isinstance(answer, Spoken)
    line = Line(order, answer[0], call_sid="CA" + "7" * 32, replies=[answer[1]])
    line.press("1", "1")
    for _ in range(2):
        if not line.replies[-1].turn.asks[-1].id.startswith("INB"):
            line.press("1")
    assert line.replies[-1].turn.asks[-1].id == "INB_ANTW"
    assert len(order.rows(tables.interviews)) == 1


def test_a_full_cell_thanks_the_caller_and_takes_nothing(order: VoicedOrder) -> None:
    case_id = order.person()
    order.call(order.person("hash-2"), phone="hash-2")
    assert said(order) == "inbound_full"
    assert len(order.rows(tables.attempts)) == 1
    busy = {row["id"]: row["is_busy"] for row in order.rows(tables.cases)}
    assert not busy[case_id]


@pytest.mark.parametrize(
    ("disposition", "phrase"),
    [
        ("complete", "inbound_done"),
        ("refusal", "inbound_closed"),
        ("opted_out", "inbound_closed"),
        ("quota_full", "inbound_full"),
    ],
)
def test_somebody_who_is_done_hears_so(order: VoicedOrder, disposition: str, phrase: str) -> None:
    order.person(is_final=True, disposition=disposition)
    assert said(order) == phrase


def test_somebody_of_the_regular_route_hears_of_the_web_page(order: VoicedOrder) -> None:
    order.person(cell_id=None, route="regular")
    assert said(order) == "inbound_full"
    assert order.rows(tables.attempts) == []


@pytest.mark.parametrize("standing", ["a call of ours", "a pause"])
def test_somebody_who_will_be_rung_hears_that_and_not_that_it_is_over(order: VoicedOrder, standing: str) -> None:
    order.person(is_busy=standing == "a call of ours")
    if standing == "a pause":
        with order.database.write() as session:
            session.execute(sa.update(tables.cells).values(state="paused"))
    assert said(order) == "inbound_later"
    assert order.rows(tables.attempts) == []


def test_an_unknown_number_hears_who_we_are(order: VoicedOrder) -> None:
    order.person()
    assert said(order, "hash-of-a-stranger") == "inbound_unknown"
    assert order.rows(tables.attempts) == []


def test_a_call_is_found_by_its_sid(order: VoicedOrder) -> None:
    order.person()
    answer = ring(order)
    assert not isinstance(answer, Spoken)
    assert phoning_in.attempt_of(order.database, "CA" + "7" * 32) == answer[0]
    assert phoning_in.attempt_of(order.database, "CA" + "8" * 32) is None


def test_everything_said_outside_an_interview_is_a_phrase_that_is_rendered() -> None:
    spoken = {
        "inbound_full",
        "inbound_later",
        "inbound_done",
        "inbound_closed",
        "inbound_unknown",
        interviewing.GOODBYE_UNKNOWN,
    }
    assert spoken <= set(CATALOGUE.phrases)
