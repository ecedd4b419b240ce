"""Keys that come after the call was over: what was pressed is kept, and the call is judged by it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ivr.fieldwork import closing
from ivr.store import Database, tables
from ivr.survey.disposition import CallReport
from ivr.survey.turn import Turn
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, TO_FIRST_QUESTION, Line, VoicedOrder


@pytest.fixture
def order(database: Database) -> VoicedOrder:
    return VoicedOrder(database)


def over(line: Line) -> None:
    """The carrier says that the call has ended."""
    report = CallReport(line.call_sid, "completed", sequence_number=3)
    closing.note_status(line.order.database, CATALOGUE, CALENDAR, line.attempt_id, report, line.now)


def outcome(order: VoicedOrder) -> tuple[object, object]:
    return order.rows(tables.attempts)[0]["outcome"], order.rows(tables.cases)[0]["disposition"]


def test_a_late_answer_is_kept_once_and_the_call_stays_closed(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press(*TO_FIRST_QUESTION, "1")
    over(line)
    for _ in range(2):
        assert line.send(last.number + 1, "2").turn == Turn()
    assert line.send(last.number + 1, "4").turn == Turn()
    assert order.responses() == {"INB_VOLGT": "ja", "INB_LES": "vaak"}
    assert order.rows(tables.attempts)[0]["state"] == "closed"
    assert outcome(order) == ("break_off", "break_off")
    assert order.rows(tables.interviews)[0]["disposition"] == "break_off"
    assert line.send(last.number + 2, "2").turn == Turn()
    assert len(order.responses()) == 2


def test_the_answer_that_makes_an_interview_usable_counts_when_it_comes_late(order: VoicedOrder) -> None:
    line = order.call(order.person())
    reply = line.press(*TO_FIRST_QUESTION)
    while reply.turn.asks[-1].id != "INB_SCHOOL":  # the last aspect
        reply = line.send(reply.number + 1, "1")
    assert not order.rows(tables.interviews)[0]["usable"]
    over(line)
    assert order.rows(tables.cells)[0]["in_flight"] == 0
    for _ in range(2):
        line.send(reply.number + 1, "1")
    interview = order.rows(tables.interviews)[0]
    assert (interview["usable"], interview["successful"], interview["disposition"]) == (True, True, "partial")
    assert outcome(order) == ("partial", "partial")
    case = order.rows(tables.cases)[0]
    assert (case["is_final"], case["next_call_at"]) == (True, None)
    cell = order.rows(tables.cells)[0]
    assert (cell["successful"], cell["in_flight"]) == (1, 0)


def test_call_me_never_again_holds_whenever_it_arrives(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press("3", "2")
    over(line)
    assert outcome(order) == ("refusal", "refusal")
    line.send(last.number + 1, "1")
    assert [row["phone_hash"] for row in order.rows(tables.opt_outs)] == ["hash-1"]
    assert outcome(order) == ("never_call_again", "never_call_again")


def test_a_late_key_makes_no_machine_of_a_person(order: VoicedOrder) -> None:
    line = order.call(order.person(), answered_by="machine_start")
    line.send(0)
    over(line)
    assert outcome(order)[0] == "answering_machine"
    line.send(1, "3")
    assert outcome(order) == ("refusal", "refusal")


def test_late_silence_and_keys_of_other_turns_change_nothing(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press(*TO_FIRST_QUESTION, "1")
    over(line)
    before = order.everything()
    line.send(last.number + 1)
    line.send(last.number + 2, "1")
    line.send(last.number, "4")
    line.send(last.number + 1, "1", call_sid="CA" + "7" * 32)
    assert order.everything() == before


def test_an_interview_never_begins_in_a_call_that_is_over(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press(*TO_FIRST_QUESTION[:-1])
    over(line)
    before = order.everything()
    line.send(last.number + 1, "1")
    assert order.everything() == before


def test_every_stray_webhook_leaves_an_event(order: VoicedOrder) -> None:
    line = order.call(order.person())
    last = line.press(*TO_FIRST_QUESTION)
    line.send(last.number, "1")
    line.send(last.number + 2, "1")
    line.send(last.number + 1, "1", call_sid="CA" + "7" * 32)
    over(line)
    line.send(last.number + 1)
    with order.database.read() as session:
        rows = session.execute(
            sa.select(tables.events.c.details).where(tables.events.c.kind == "webhook").order_by(tables.events.c.id)
        ).scalars()
        assert [(row["what"], row["turn"]) for row in rows] == [
            ("repeated", last.number),
            ("early", last.number + 2),
            ("another_call", last.number + 1),
            ("after_the_call", last.number + 1),
        ]
