"""The people's own record follows the rules that everybody was told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.rehearsal.answerbook import AnswerBook
from ivr.rehearsal.hearing import read_questionnaires

QUESTIONS = {q.id: q for q in read_questionnaires(Path(__file__).resolve().parents[2] / "config")}


def book_after(question: str, *brought: str, check_at: int | None = None) -> AnswerBook:
    book = AnswerBook()
    book.hears_question(QUESTIONS[question])
    for index, digits in enumerate(brought):
        if check_at == index:
            book.hears_check()
        book.brings(digits, certain=True)
    return book


@pytest.mark.parametrize(
    ("question", "brought", "value"),
    [
        ("INB_LES", ["2"], "vaak"),
        ("INB_LES", ["0"], "weet_niet"),
        ("INB_LES", ["*", "9", "*", "4"], "nooit"),
        ("INB_LES", ["7", "8", "3"], "soms"),
        ("INB_LES", ["7", "8", "6"], "geen_antwoord"),
        ("INB_LES", ["", "", ""], "geen_antwoord"),
        ("INB_LES", ["", "7", "", "8", "1"], "altijd"),
        ("INB_LES", ["#", "1"], "altijd"),
        ("INB_LES", ["#", "", "#"], "niet_begrepen"),
        ("INB_CIJFER", ["8"], "8"),
        ("INB_CIJFER", ["0"], "weet_niet"),
        ("INB_CIJFER", ["1", "0"], "10"),
        ("INB_CIJFER", ["10"], "10"),
        ("INB_CIJFER", ["1", "5", "7"], "7"),
        ("INB_CIJFER", ["1", "*", "7"], "7"),
        ("LD_FREQ", ["0"], "0"),
        ("LD_FREQ", ["5"], "5"),
        ("LD_FREQ", ["1", "2"], "12"),
        ("LD_FREQ", ["3", ""], "3"),
        ("LD_FREQ", ["3", "#"], "3"),
        ("LD_FREQ", ["3", "2", "4"], "4"),
    ],
)
def test_keys_are_worth_what_was_said(question, brought, value):
    assert book_after(question, *brought).answers == {question: value}


@pytest.mark.parametrize(
    ("last", "value"),
    [(["1"], "1"), (["0"], "10"), (["2", "9"], "9"), (["", "", ""], "geen_antwoord"), (["#", "#"], "niet_begrepen")],
)
def test_a_lone_one_is_an_answer_only_when_confirmed(last, value):
    book = book_after("INB_CIJFER", "1", "", *last, check_at=2)
    assert book.answers == {"INB_CIJFER": value}
    assert book.surprises == []


def test_what_was_never_acknowledged_is_uncertain_until_the_house_goes_on():
    book = AnswerBook()
    book.hears_question(QUESTIONS["INB_LES"])
    book.brings("1", certain=False)
    assert (book.answers, book.uncertain) == ({}, {"INB_LES": "altijd"})
    book.hears_question(QUESTIONS["INB_ANTW"])
    assert (book.answers, book.uncertain) == ({"INB_LES": "altijd"}, {})


def test_an_uncertain_answer_that_is_asked_again_counts_for_nothing():
    book = AnswerBook()
    book.hears_question(QUESTIONS["INB_LES"])
    book.brings("1", certain=False)
    book.hears_question(QUESTIONS["INB_LES"])
    book.brings("3", certain=True)
    assert (book.answers, book.uncertain, book.surprises) == ({"INB_LES": "soms"}, {}, [])


def test_a_house_that_passes_over_too_early_is_noticed():
    book = book_after("INB_LES", "")
    book.hears_question(QUESTIONS["INB_ANTW"])
    assert book.surprises == ["INB_LES was passed over too early"]


def test_a_house_that_asks_again_is_noticed():
    book = book_after("INB_LES", "1")
    book.hears_question(QUESTIONS["INB_LES"])
    assert book.surprises == ["INB_LES was asked again after it had been answered"]


@given(st.lists(st.sampled_from(["", *"0123456789*#"]), max_size=60))
def test_any_keys_settle_a_question_at_most_once(brought):
    for question in ("INB_LES", "INB_CIJFER", "LD_FREQ"):
        book = book_after(question, *brought)
        assert len(book.answers) <= 1
        first = dict(book.answers)
        book.brings("1", certain=True)
        assert not first or book.answers == first
