"""Answering on the page: the same interview as by phone, gone on with in either mode, and nothing of before shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from ivr.fieldwork import closing
from ivr.store import Database, tables
from ivr.survey.disposition import CallReport
from tests.fieldwork.spoken_visit import (
    KIT,
    WALL,
    Browser,
    answers_of,
    case_row,
    cell_row,
    give_link,
    interviews_of,
    knock,
    with_link,
)
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, NOON, TO_FIRST_QUESTION, Line, VoicedOrder


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


@pytest.fixture
def on_both(database: Database) -> VoicedOrder:
    """For what leans on the database: the same on SQLite and PostgreSQL."""
    return VoicedOrder(database)


def hang_up(order: VoicedOrder, line: Line) -> None:
    report = CallReport(line.call_sid, "completed", duration_seconds=60)
    closing.note_status(order.database, CATALOGUE, CALENDAR, line.attempt_id, report, line.now)


# -- a whole interview ------------------------------------------------------------------------------------------


def test_a_whole_interview_on_the_page_is_complete_and_counts_for_no_cell(on_both: VoicedOrder) -> None:
    order = on_both
    case_id = order.person()
    browser = with_link(order, case_id)
    assert browser.begin().number == 1
    asked = browser.answer_until()
    assert browser.at.kind == "end"
    assert asked[0] == "INB_VOLGT"
    assert asked[-1] == "INB_EXAMEN"
    (kept,) = interviews_of(order.database, case_id)
    assert (kept["mode"], kept["disposition"], kept["usable"], kept["successful"]) == ("web", "complete", True, False)
    answers = answers_of(order.database, case_id)
    assert set(answers) == set(asked)
    assert answers["INB_CIJFER"] == ("10", "web")
    assert {mode for _, mode in answers.values()} == {"web"}
    assert cell_row(order.database, order.cell_id)["successful"] == 0


def test_the_calls_stop_once_the_web_interview_is_usable(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_SCHOOL")
    assert case_row(order.database, case_id)["is_final"] is False
    browser.answer("2")
    case = case_row(order.database, case_id)
    assert (case["disposition"], case["is_final"], case["next_call_at"]) == ("answered_elsewhere", True, None)


def test_the_first_web_answer_gives_rest_from_calls(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    assert case_row(order.database, case_id)["next_call_at"] == NOON, "opening a page is no answer yet"
    browser.answer("1")
    case = case_row(order.database, case_id)
    assert case["next_call_at"] >= browser.now + timedelta(hours=KIT.rest_hours)
    assert CALENDAR.is_open(case["next_call_at"])
    assert (case["disposition"], case["is_final"]) == ("break_off", False)


def test_a_refusal_by_phone_stays_a_refusal_after_answers_on_the_page(order: VoicedOrder) -> None:
    case_id = order.person(disposition="refusal", is_final=True, next_call_at=None)
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until()
    assert case_row(order.database, case_id)["disposition"] == "refusal"
    assert interviews_of(order.database, case_id)[0]["disposition"] == "complete"


def test_a_visit_without_an_answer_leaves_no_interview(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.look()
    assert interviews_of(order.database, case_id) == []


# -- back -------------------------------------------------------------------------------------------------------


def test_an_earlier_question_of_this_visit_is_answered_again_and_the_later_value_stays(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_PRAAT")
    number = browser.at.number
    shown = browser.look(2)
    assert shown is not None
    assert (shown.question.id, shown.given) == ("INB_LES", "altijd"), "within this visit the own answer is shown"
    assert browser.answer("4", number=2).number == number, "and it goes on where it was"
    assert answers_of(order.database, case_id)["INB_LES"] == ("nooit", "web")


def test_what_hung_on_a_changed_answer_goes_and_comes_back_as_a_question(on_both: VoicedOrder) -> None:
    order = on_both
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_PRAAT")
    assert "INB_ZIEK_WAT" in answers_of(order.database, case_id)
    browser.answer("2", number=4)  # INB_ZIEK: after all never ill
    assert "INB_ZIEK_WAT" not in answers_of(order.database, case_id)
    browser.answer("1", number=4)
    shown = browser.look()
    assert shown is not None
    assert (shown.question.id, shown.given) == ("INB_ZIEK_WAT", None)


def test_the_same_answer_sent_twice_changes_nothing(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    first = browser.answer("1")
    before = answers_of(order.database, case_id)
    assert browser.answer("1", number=1) == first
    assert answers_of(order.database, case_id) == before


def test_going_back_after_the_end_changes_one_answer_and_ends_again(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until()
    assert browser.answer("2", number=1).kind == "end"
    assert answers_of(order.database, case_id)["INB_VOLGT"] == ("nee_klaar", "web")
    assert [row["disposition"] for row in interviews_of(order.database, case_id)] == ["complete"]


def test_a_page_left_open_from_an_earlier_visit_answers_nothing(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_ANTW")
    browser.wall += timedelta(minutes=KIT.visit_minutes + 1)
    browser.begin()
    assert browser.answer("1", number=1, question="INB_VOLGT").kind == "gone"


# -- not understood, not an answer ------------------------------------------------------------------------------


def test_not_understood_is_put_once_more_and_then_passed_over(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    assert browser.answer("#").number == 1
    shown = browser.look()
    assert shown is not None
    assert shown.is_unclear
    assert answers_of(order.database, case_id) == {}
    assert browser.answer("#").number == 2
    assert answers_of(order.database, case_id)["INB_VOLGT"] == ("niet_begrepen", "web")


@pytest.mark.parametrize("value", ["", "7", "9", "*", "ja", "11", "1.5", "-1", "١"])
def test_what_is_no_answer_stays_on_the_page_and_costs_no_try(order: VoicedOrder, value: str) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    for _ in range(4):
        assert browser.answer(value).kind == "stay"
    assert answers_of(order.database, case_id) == {}


@pytest.mark.parametrize(("value", "stored"), [("1", "1"), ("10", "10"), ("0", "weet_niet")])
def test_a_grade_comes_whole_and_a_one_is_a_one(order: VoicedOrder, value: str, stored: str) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_CIJFER")
    assert browser.answer("11").kind == "stay"
    browser.answer(value)
    assert answers_of(order.database, case_id)["INB_CIJFER"] == (stored, "web")


# -- either mode ------------------------------------------------------------------------------------------------


def test_begun_by_phone_is_finished_on_the_page_without_showing_what_was_answered(on_both: VoicedOrder) -> None:
    order = on_both
    case_id = order.person()
    line = order.call(case_id)
    line.press(*TO_FIRST_QUESTION, "1", "3", "2")
    hang_up(order, line)
    browser = with_link(order, case_id)
    assert browser.standing() == "begun"
    browser.begin()
    shown = browser.look()
    assert shown is not None
    assert shown.question.id == "INB_ZIEK"
    assert "resume" in shown.said
    assert browser.look(2) is None, "there is no way back into the call"
    browser.answer_until()
    (kept,) = interviews_of(order.database, case_id)
    assert (kept["mode"], kept["disposition"], kept["successful"]) == ("web", "complete", False)
    answers = answers_of(order.database, case_id)
    assert answers["INB_LES"] == ("soms", "telephone")
    assert answers["INB_PRAAT"] == ("ja", "web")
    assert cell_row(order.database, order.cell_id)["successful"] == 0


def test_begun_on_the_page_is_finished_by_phone_and_counts_for_the_cell(on_both: VoicedOrder) -> None:
    order = on_both
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer_until("INB_PRAAT")
    line = order.call(case_id)
    line.press("1", "1")
    assert "INB_PRAAT" in [prompt.id for prompt in line.replies[-1].turn.asks]
    line.to_the_end()
    hang_up(order, line)
    (kept,) = interviews_of(order.database, case_id)
    assert (kept["mode"], kept["disposition"], kept["successful"]) == ("telephone", "complete", True)
    assert cell_row(order.database, order.cell_id)["successful"] == 1
    assert browser.standing() == "done"


def test_what_the_phone_made_usable_keeps_counting_when_the_page_finishes_it(order: VoicedOrder) -> None:
    case_id = order.person()
    line = order.call(case_id)
    line.press(*TO_FIRST_QUESTION, "1", "1", "2", "2", "1", "1", "1", "1", "2")
    hang_up(order, line)
    assert case_row(order.database, case_id)["disposition"] == "partial"
    browser = with_link(order, case_id)
    browser.begin()
    assert browser.answer_until() == ["INB_CIJFER", "INB_SPREEK", "INB_LEES", "INB_EXAMEN"]
    (kept,) = interviews_of(order.database, case_id)
    assert (kept["mode"], kept["disposition"], kept["successful"]) == ("telephone", "complete", True)
    assert case_row(order.database, case_id)["disposition"] == "complete"


def test_nobody_answers_on_the_page_while_on_the_phone(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    line = order.call(case_id)
    line.press(*TO_FIRST_QUESTION)
    assert browser.standing() == "on_the_phone"
    assert browser.answer("1").kind == "on_the_phone"
    line.press("2")
    hang_up(order, line)
    assert browser.answer("1", number=1, question="INB_VOLGT").kind == "gone", "the phone was further"
    browser.begin()
    shown = browser.look()
    assert shown is not None
    assert shown.question.id == "INB_LES"
    assert "INB_LES.remark" in shown.said


def test_whoever_was_interviewed_by_phone_has_taken_part(order: VoicedOrder) -> None:
    case_id = order.person()
    line = order.call(case_id)
    line.to_the_end()
    hang_up(order, line)
    browser = with_link(order, case_id)
    assert browser.standing() == "done"
    assert browser.begin().kind == "end"
    assert browser.visit_id is None


def test_another_browser_takes_over_and_sees_nothing_of_the_first(order: VoicedOrder) -> None:
    case_id = order.person()
    first = with_link(order, case_id)
    first.begin()
    first.answer_until("INB_ANTW")
    second = Browser(order.database, first.visitor)
    assert second.standing() == "begun"
    second.begin()
    shown = second.look()
    assert shown is not None
    assert (shown.question.id, shown.number) == ("INB_ANTW", 1)
    assert first.look(1) is None
    assert first.answer("1", number=1, question="INB_VOLGT").kind == "gone"


def test_a_visit_ends_when_nobody_is_there_and_its_answers_stay(order: VoicedOrder) -> None:
    case_id = order.person()
    browser = with_link(order, case_id)
    browser.begin()
    browser.answer("1")
    browser.wall += timedelta(minutes=KIT.visit_minutes + 1)
    assert browser.look(1) is None
    assert browser.standing() == "begun"
    assert answers_of(order.database, case_id) == {"INB_VOLGT": ("ja", "web")}


def test_looking_at_pages_keeps_a_visit_alive(order: VoicedOrder) -> None:
    browser = with_link(order, order.person())
    browser.begin()
    for _ in range(4):
        browser.wall += timedelta(minutes=KIT.visit_minutes - 1)
        assert browser.look(1) is not None


def test_a_test_call_of_staff_is_no_interview_to_go_on_with(order: VoicedOrder) -> None:
    case_id = order.person()
    line = order.call(case_id, is_test=True)
    line.to_the_end()
    with order.database.write() as session:
        values = {"case_id": case_id, "questionnaire": "inburgering", "version": 1, "mode": "telephone"}
        session.execute(sa.insert(tables.interviews).values(id="t" * 32, started_at=NOON, usable=True, **values))
        session.execute(sa.update(tables.attempts).values(interview_id="t" * 32))
    assert with_link(order, case_id).standing() == "fresh"


# -- the door ---------------------------------------------------------------------------------------------------


def test_a_link_copied_from_paper_opens_with_capitals_without_dashes_and_with_lookalikes(order: VoicedOrder) -> None:
    give_link(order.database, order.person())
    for copied in ("ABCDEFGHJKMNPQRSTVWXYZ234567", "abcd efgh 1kmn p0rs tuwx yz23 4567"):
        assert not isinstance(knock(order.database, copied), str)


@pytest.mark.parametrize(
    "shut",
    [
        lambda order, case: give_link(order.database, case, days=-1),
        lambda order, case: _set(order.database, tables.cells, order.cell_id, state="closed"),
        lambda order, case: _set(order.database, tables.cases, case, disposition="withdrawn"),
    ],
    ids=["expired", "fieldwork closed", "withdrawn"],
)
def test_a_link_that_is_shut_is_as_unknown_as_one_that_never_was(order: VoicedOrder, shut) -> None:
    case_id = order.person()
    give_link(order.database, case_id)
    assert not isinstance(knock(order.database), str)
    shut(order, case_id)
    assert knock(order.database) == knock(order.database, "never-was") == "unknown"


def test_a_full_cell_leaves_the_page_open(order: VoicedOrder) -> None:
    case_id = order.person()
    _set(order.database, tables.cells, order.cell_id, successful=25)
    give_link(order.database, case_id)
    assert not isinstance(knock(order.database), str)


def test_after_many_unknown_links_an_address_finds_nothing_for_an_hour(on_both: VoicedOrder) -> None:
    order = on_both
    give_link(order.database, order.person())
    for number in range(KIT.misses_per_hour):
        assert knock(order.database, f"guess-{number}") == "unknown"
    assert knock(order.database) == "too_often", "so a hit cannot be told from a miss"
    assert not isinstance(knock(order.database, is_visiting=True), str), "whoever is answering goes on"
    assert not isinstance(knock(order.database, address="192.0.2.2"), str)
    assert not isinstance(knock(order.database, wall=WALL + timedelta(hours=1, minutes=1)), str)


def _set(database: Database, table: sa.Table, id: int, **values: object) -> None:
    with database.write() as session:
        session.execute(sa.update(table).where(table.c.id == id).values(**values))
