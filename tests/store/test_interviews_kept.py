"""Interviews and responses: one value per question, usable once, the first ending stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ivr.store import Database, interviews, tables
from ivr.survey.turn import Answer
from tests.fieldwork.voiced_order import NOON, VoicedOrder


@pytest.fixture
def order(database: Database) -> VoicedOrder:
    return VoicedOrder(database)


def begun(order: VoicedOrder, case_id: int, *, at: int = 0, mode: str = "telephone") -> str:
    with order.database.write() as session:
        return interviews.start(
            session,
            case_id=case_id,
            cell_id=order.cell_id,
            questionnaire="inburgering",
            version=1,
            mode=mode,
            now=NOON + timedelta(minutes=at),
        )


def test_a_question_put_again_replaces_its_answer(order: VoicedOrder) -> None:
    id = begun(order, order.person())
    with order.database.write() as session:
        interviews.record(session, id, [Answer("A", "geen_antwoord"), Answer("B", "ja")], mode="telephone", now=NOON)
        later = NOON + timedelta(seconds=9)
        interviews.record(session, id, [Answer("A", "nee")], mode="telephone", now=later)
        interviews.record(session, id, [], mode="telephone", now=later)
        assert interviews.answers_of(session, id) == {"B": "ja", "A": "nee"}
    assert {row["question"]: row["answered_at"] for row in order.rows(tables.responses)} == {"A": later, "B": NOON}


def test_an_interview_becomes_usable_once(order: VoicedOrder) -> None:
    id = begun(order, order.person())
    with order.database.write() as session:
        assert interviews.mark_usable(session, id, NOON)
        assert not interviews.mark_usable(session, id, NOON + timedelta(hours=1))
    (row,) = order.rows(tables.interviews)
    assert (row["usable"], row["usable_at"], row["successful"]) == (True, NOON, False)


def test_the_first_ending_stands(order: VoicedOrder) -> None:
    id = begun(order, order.person())
    with order.database.write() as session:
        assert interviews.end(session, id, "partial", NOON)
        assert not interviews.end(session, id, "break_off", NOON + timedelta(hours=1))
    (row,) = order.rows(tables.interviews)
    assert (row["disposition"], row["ended_at"]) == ("partial", NOON)


def test_what_was_broken_off_can_be_gone_on_with_and_nothing_else(order: VoicedOrder) -> None:
    case_id, other = order.person(), order.person("hash-2")
    with order.database.read() as session:
        assert interviews.unfinished(session, case_id) is None
    old, new = begun(order, case_id), begun(order, case_id, at=5, mode="web")
    begun(order, case_id, at=9, mode="post")
    begun(order, other, at=9)
    with order.database.write() as session:
        interviews.record(session, new, [Answer("INB_LES", "vaak")], mode="web", now=NOON)
        interviews.end(session, new, "break_off", NOON)
        found = interviews.unfinished(session, case_id)
        assert found is not None
        assert (found.id, found.version, found.answers) == (new, 1, (("INB_LES", "vaak"),))
        interviews.reopen(session, new)
        interviews.mark_usable(session, new, NOON)
        again = interviews.unfinished(session, case_id)
        assert again is not None
        assert again.id == old
        interviews.end(session, old, "unusable", NOON)
        assert interviews.unfinished(session, case_id) is None
