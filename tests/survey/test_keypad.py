"""How numbers are keyed."""

from __future__ import annotations

import pytest

from ivr.survey.keypad import Entry, first_digit, is_substantive, second_digit, whole_number
from ivr.survey.questionnaire import Option, Question

GRADE = Question(
    "G", "grade", "Welk cijfer?", "Cijfer", (Option("0", "weet_niet", "U weet het niet", True),), minimum=1, maximum=10
)
NUMBER = Question("N", "number", "Hoe vaak?", "Aantal", minimum=0, maximum=31)


@pytest.mark.parametrize("key", "23456789")
def test_grade_of_one_key_is_finished_at_once(key: str) -> None:
    assert first_digit(GRADE, key) == Entry("answer", key)


def test_grade_one_waits_and_a_ten_follows() -> None:
    assert first_digit(GRADE, "1") == Entry("more", "1")
    assert second_digit(GRADE, "1", "0") == Entry("answer", "10")


@pytest.mark.parametrize("key", [None, "#"])
def test_lone_one_is_checked_never_stored(key: str | None) -> None:
    assert second_digit(GRADE, "1", key) == Entry("check", "1")


def test_grade_zero_is_not_known() -> None:
    assert first_digit(GRADE, "0") == Entry("answer", "weet_niet")


@pytest.mark.parametrize("key", "0456789")
def test_number_that_can_have_no_second_digit_is_finished(key: str) -> None:
    assert first_digit(NUMBER, key) == Entry("answer", key)


@pytest.mark.parametrize("key", "123")
def test_number_that_can_have_one_waits(key: str) -> None:
    assert first_digit(NUMBER, key) == Entry("more", key)
    assert second_digit(NUMBER, key, None) == second_digit(NUMBER, key, "#") == Entry("answer", key)


def test_numbers_outside_the_bounds_are_wrong() -> None:
    assert second_digit(NUMBER, "3", "1") == Entry("answer", "31")
    assert second_digit(NUMBER, "3", "2") == Entry("wrong")
    assert whole_number(NUMBER, "32") == whole_number(NUMBER, "") == whole_number(NUMBER, "1*") == Entry("wrong")
    assert whole_number(GRADE, "0") == whole_number(GRADE, "11") == Entry("wrong")


def test_no_opinion_says_something_and_silence_does_not() -> None:
    assert is_substantive("geen_mening")
    assert is_substantive("5")
    assert not any(is_substantive(value) for value in ("weet_niet", "niet_begrepen", "geen_antwoord"))
