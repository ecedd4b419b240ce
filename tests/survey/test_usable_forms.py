"""What makes a questionnaire on paper or web usable, and which values its questions take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.catalogue import load_catalogue
from ivr.survey.forms import MISSING, forms_of, read_value
from ivr.survey.usable import disposition_of, is_usable, shown, usable_since

FORMS = forms_of(load_catalogue(Path(__file__).parents[2] / "config").questionnaires)
INB, LD, REGULIER, OG = (FORMS[id] for id in ("inburgering", "laagdrempelig", "regulier", "opdrachtgever"))
NINE = [question.id for question in LD.questions if question.is_aspect]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_regulier_shares_the_questions_and_codes_of_laagdrempelig() -> None:
    assert REGULIER.questions == LD.questions
    assert (REGULIER.id, REGULIER.version) == ("regulier", LD.version)
    assert list(FORMS) == ["inburgering", "laagdrempelig", "regulier", "opdrachtgever"]


def test_half_of_nine_aspects_is_five() -> None:
    assert not is_usable(LD, dict.fromkeys(NINE[:4], "tevreden"), 5)
    assert is_usable(LD, dict.fromkeys(NINE[:5], "tevreden"), 5)


@pytest.mark.parametrize("code", sorted(MISSING))
def test_no_answer_is_not_substantive_and_no_opinion_is(code: str) -> None:
    assert not is_usable(LD, dict.fromkeys(NINE, code), 5)
    assert is_usable(LD, dict.fromkeys(NINE[:5], "geen_mening"), 5)


def test_the_grade_is_not_required_and_does_not_suffice() -> None:
    assert not is_usable(LD, {"LD_CIJFER": "9"}, 5)
    assert disposition_of(LD, {"LD_CIJFER": "9"}, 5) == "unusable"
    assert disposition_of(LD, dict.fromkeys(NINE, "tevreden"), 5) == "partial"


def test_an_aspect_that_was_not_shown_does_not_count() -> None:
    four = {"INB_LES": "altijd", "INB_ANTW": "vaak", "INB_PRAAT": "ja", "INB_OEF": "goed"}
    assert [question.id for question in shown(INB, four, 11) if question.is_aspect].count("INB_ZIEK_WAT") == 0
    assert is_usable(INB, four | {"INB_ZIEK": "nee"}, 11)
    assert is_usable(INB, four | {"INB_ZIEK": "ja"}, 11)
    three = {key: four[key] for key in list(four)[:3]}
    assert not is_usable(INB, three, 11)
    assert is_usable(INB, three | {"INB_ZIEK": "ja", "INB_ZIEK_WAT": "geen_les"}, 11)


def test_everything_that_was_shown_and_answered_is_complete() -> None:
    answers: dict[str, str] = {}
    for question in LD.questions:
        if question in shown(LD, answers, 9):
            answers[question.id] = question.options[0].code if question.options else "8"
    assert "LD_DUUR" not in answers
    assert disposition_of(LD, answers, 9) == "complete"
    assert disposition_of(LD, answers, 5) == "partial"


def test_usable_from_the_answer_that_made_it_so() -> None:
    given_answers = [(NOON + timedelta(minutes=nth), id, "tevreden") for nth, id in enumerate(NINE)]
    assert usable_since(LD, given_answers, 5) == NOON + timedelta(minutes=4)
    assert usable_since(LD, reversed(given_answers), 5) == NOON + timedelta(minutes=4)
    assert usable_since(LD, given_answers[:4], 5) is None
    assert usable_since(LD, [(NOON, id, "tevreden") for id in NINE], 5) == NOON


@given(st.dictionaries(st.sampled_from(NINE), st.sampled_from(["tevreden", "geen_mening", *sorted(MISSING)])))
def test_usable_depends_on_the_number_of_substantive_aspects_only(answers: dict[str, str]) -> None:
    substantive = sum(value not in MISSING for value in answers.values())
    assert is_usable(LD, answers, 9) == (substantive >= 5)
    assert (usable_since(LD, [(NOON, *item) for item in answers.items()], 9) is not None) == (substantive >= 5)


@pytest.mark.parametrize(
    ("form", "question", "text", "stored"),
    [
        (LD, "LD_CIJFER", "10", "10"),
        (LD, "LD_CIJFER", "7,0", "7"),
        (LD, "LD_CIJFER", "Weet_niet", "weet_niet"),
        (LD, "LD_FREQ", "0", "0"),
        (LD, "LD_C_INFO", "Zeer_Tevreden", "zeer_tevreden"),
        (LD, "LD_C_INFO", "geen_antwoord", "geen_antwoord"),
        (OG, "OG_CIJFER", "8,55", "8.55"),
        (OG, "OG_CIJFER", "8.50", "8.5"),
        (OG, "OG_CIJFER_LD_C_INFO", "10", "10"),
        (OG, "OG_PERSONEN_13", "120", "120"),
    ],
)
def test_a_value_is_stored_in_one_spelling(form, question: str, text: str, stored: str) -> None:
    assert read_value(form, question, text) == (stored, None)


@pytest.mark.parametrize(
    ("form", "question", "text", "fault"),
    [
        (LD, "LD_CIJFER", "0", "bad_value"),
        (LD, "LD_CIJFER", "11", "bad_value"),
        (LD, "LD_CIJFER", "7.5", "bad_value"),
        (LD, "LD_CIJFER", "1e1", "bad_value"),
        (LD, "LD_CIJFER", "٧", "bad_value"),
        (LD, "LD_FREQ", "32", "bad_value"),
        (LD, "LD_C_INFO", "5", "bad_value"),
        (LD, "INB_LES", "altijd", "unknown_question"),
        (OG, "OG_CIJFER", "0.9", "bad_value"),
        (OG, "OG_CIJFER_", "8", "unknown_question"),
        (OG, "OG_PERSONEN_14", "8", "unknown_question"),
        (OG, "OG_PERSONEN_1", "-1", "bad_value"),
        (LD, "OG_CIJFER", "8", "unknown_question"),
    ],
)
def test_a_value_that_cannot_be_is_refused(form, question: str, text: str, fault: str) -> None:
    assert read_value(form, question, text) == (None, fault)
