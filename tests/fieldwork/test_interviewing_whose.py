"""Whose interview it is on a shared number, and going on with what was broken off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ivr.fieldwork import interviewing
from ivr.store import Database, questionnaires, tables
from ivr.survey.turn import Silence
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, INBURGERING, NOON, TO_FIRST_QUESTION, VoicedOrder


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


@pytest.fixture
def any_order(database: Database) -> VoicedOrder:
    """On SQLite and on PostgreSQL: for what the database itself must hold."""
    return VoicedOrder(database)


def one(rows: list[dict[str, object]]) -> dict[str, object]:
    assert len(rows) == 1
    return rows[0]


def test_the_code_of_the_letter_says_whose_interview_it_is(any_order: VoicedOrder) -> None:
    called, housemate = any_order.person(code="1111"), any_order.person(code="2222")
    line = any_order.call(called)
    line.press("1", "1")
    assert line.replies[-1].turn.asks[-1].id == "code"
    line.press("2222", "1")
    line.to_the_end()
    interview = one(any_order.rows(tables.interviews))
    assert interview["case_id"] == housemate
    assert one(any_order.rows(tables.attempts))["case_id"] == called
    assert one(any_order.rows(tables.cells))["successful"] == 1


def test_a_housemate_who_is_done_has_no_part_in_the_call_and_the_code_is_still_asked(order: VoicedOrder) -> None:
    called = order.person(code="1111")
    order.person(code="2222", is_final=True, disposition="complete")
    line = order.call(called)
    line.press("1", "1", "2222")
    assert {"code_wrong", "code"} & {
        prompt.id for prompt in line.replies[-1].turn.announces + line.replies[-1].turn.asks
    }
    assert order.rows(tables.interviews) == []
    line.press("1111", "1")
    assert one(order.rows(tables.interviews))["case_id"] == called


def test_a_number_shared_with_another_providers_client_asks_for_the_code(order: VoicedOrder) -> None:
    called = order.person(code="1111", name_hash="ann")
    order.person(code="2222", name_hash="bob", sample_id=order.another_sample(), cell_id=None)
    line = order.call(called)
    line.press("1", "1")
    assert line.replies[-1].turn.asks[-1].id == "code"
    line.press("2222", "1")
    assert order.rows(tables.interviews) == []
    line.press("1111", "1")
    assert one(order.rows(tables.interviews))["case_id"] == called


def test_the_same_person_in_two_lists_shares_the_number_with_nobody(order: VoicedOrder) -> None:
    called = order.person(code="1111", name_hash="ann")
    order.person(code="2222", name_hash="ann", sample_id=order.another_sample(), cell_id=None)
    line = order.call(called)
    line.press("1", "1")
    assert line.replies[-1].turn.asks[-1].id == "practice"


def test_a_broken_off_interview_goes_on_where_it_stopped(any_order: VoicedOrder) -> None:
    case_id = any_order.person()
    first = any_order.call(case_id)
    first.press(*TO_FIRST_QUESTION, "1", "1", "2")
    any_order.hang_up(first)
    kept = any_order.responses()
    assert set(kept) == {"INB_VOLGT", "INB_LES", "INB_ANTW"}
    second = any_order.call(case_id, state="dialing")
    second.press("1", "1")
    for _ in range(3):
        if second.replies[-1].turn.asks[-1].id.startswith("INB"):
            break
        second.press("1")
    assert second.replies[-1].turn.asks[-1].id == "INB_ZIEK"
    second.to_the_end()
    interview = one(any_order.rows(tables.interviews))
    assert interview["disposition"] == "complete"
    assert set(any_order.responses()) == set(INBURGERING)
    assert kept.items() <= any_order.responses().items()
    assert one(any_order.rows(tables.cells))["successful"] == 1


def test_a_resumed_interview_keeps_the_version_it_began_with(
    order: VoicedOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = order.person()
    first = order.call(case_id)
    first.press(*TO_FIRST_QUESTION, "1")
    order.hang_up(first)
    newer = replace(CATALOGUE.questionnaires["inburgering"], version=2)
    catalogue = replace(CATALOGUE, questionnaires={**CATALOGUE.questionnaires, "inburgering": newer})
    second = order.call(case_id)
    reply = interviewing.answer(
        order.database, catalogue, CALENDAR, second.attempt_id, 0, Silence(), second.call_sid, NOON + timedelta(days=1)
    )
    assert reply.version == 1


def test_on_a_shared_number_the_version_is_that_of_whoever_broke_off(order: VoicedOrder) -> None:
    called, housemate = order.person(code="1111"), order.person(code="2222")
    first = order.call(called)
    first.press("1", "1", "1111", "1", "1")
    order.hang_up(first)
    newer = replace(CATALOGUE.questionnaires["inburgering"], version=2)
    catalogue = replace(CATALOGUE, questionnaires={**CATALOGUE.questionnaires, "inburgering": newer})
    with order.database.write() as session:
        questionnaires.freeze(session, newer, NOON)
        for row in order.rows(tables.order_prompts):
            session.execute(sa.insert(tables.order_prompts).values(row | {"version": 2}))
    alone = order.call(order.person("hash-2"), phone="hash-2")
    later = NOON + timedelta(days=1)
    begun = order.call(housemate)
    versions = [
        interviewing.answer(
            order.database, catalogue, CALENDAR, line.attempt_id, 0, Silence(), line.call_sid, later
        ).version
        for line in (alone, begun)
    ]
    assert versions == [2, 1]
