"""Figures, benchmark points, suppression and AAPOR rates of the scoring rules."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ivr.survey.questionnaire import Option, Question
from ivr.survey.scoring import (
    distribution,
    hidden_groups,
    hides_total,
    numbered,
    rates,
    relatively_good,
    rules_from_mapping,
)
from ivr.survey.scoring_rules import Figure

ROOT = Path(__file__).parents[2]
RULES = rules_from_mapping(tomllib.loads((ROOT / "config" / "scoring.toml").read_text(encoding="utf-8")))
SATISFIED = Question(
    "LD_C_INFO",
    "single",
    "",
    "",
    tuple(
        Option("", code, code) for code in ("zeer_tevreden", "tevreden", "ontevreden", "zeer_ontevreden", "geen_mening")
    ),
)


def test_distribution_leaves_out_who_gave_no_answer_and_keeps_who_has_no_opinion() -> None:
    part = distribution(
        "LD_C_INFO", SATISFIED, {"zeer_tevreden": 14, "tevreden": 7, "weet_niet": 1, "niet_begrepen": 2}
    )
    assert part.n == 21
    assert [(code, part.percent(count)) for code, count in part.parts] == [
        ("zeer_tevreden", 67),
        ("tevreden", 33),
        ("ontevreden", 0),
        ("zeer_ontevreden", 0),
        ("geen_mening", 0),
    ]
    assert distribution("LD_C_INFO", SATISFIED, {"geen_mening": 2, "tevreden": 2}).n == 4


def test_commissioners_histogram_rounds_each_grade_half_up() -> None:
    grid = Question("OG_CIJFER", "grade", "", "", minimum=1, maximum=10)
    part = distribution("OG_CIJFER", grid, {"8.5": 1, "8.4": 1, "9": 1})
    assert {answer: count for answer, count in part.parts if count} == {"8": 1, "9": 2}


def test_figures_that_do_not_apply_are_left_out_and_the_numbers_shift() -> None:
    jop = [
        "LD_CIJFER", "LD_AANGERADEN", "LD_C_INFO", "LD_K_PLAATS", "LD_B_STAP", "LD_AANTAL", "LD_DUUR", "LD_VAST",
    ]  # fmt: skip
    numbers = {id: one.number for one in numbered(RULES.figures, jop) for id in one.questions}
    assert (numbers["LD_AANGERADEN"], numbers["LD_DUUR"], numbers["LD_VAST"]) == ("3.3", "3.8", "3.9")
    without = [id for id in jop if id != "LD_DUUR"]
    assert {id: one.number for one in numbered(RULES.figures, without) for id in one.questions}["LD_VAST"] == "3.8"


def test_inburgering_figures_have_the_numbers_of_the_published_report() -> None:
    asked = [
        "VOLGT",
        "LES",
        "ANTW",
        "ZIEK",
        "ZIEK_WAT",
        "SPREEK",
        "LEES",
        "PRAAT",
        "OEF",
        "EXAMEN",
        "HUISWERK",
        "PRETTIG",
        "SCHOOL",
    ]
    answered = ["INB_CIJFER", *(f"INB_{id}" for id in asked)]
    found = [(one.number, id) for one in numbered(RULES.figures, answered) for id in one.questions]
    assert found[:2] == [("3.1", "INB_CIJFER"), ("3.2", "INB_CIJFER")]
    assert found[2:] == [(f"3.{number}", f"INB_{id}") for number, id in enumerate(asked, start=3)]


def test_relatively_good_takes_one_of_the_staff_and_four_others_in_questionnaire_order() -> None:
    order = [*RULES.staff_aspects, *RULES.other_aspects]
    everyone = {id: distribution(id, SATISFIED, {"tevreden": 5, "ontevreden": 5}) for id in order}
    better = dict(zip(order, (6, 9, 7, 8, 6, 9, 7, 5, 10), strict=True))
    own = {id: distribution(id, SATISFIED, {"tevreden": n, "ontevreden": 10 - n}) for id, n in better.items()}
    assert relatively_good(own, everyone, RULES) == (
        "LD_C_INFO", "LD_K_SNEL1", "LD_K_EERSTE", "LD_K_PLAATS", "LD_B_STAP",
    )  # fmt: skip
    assert relatively_good(everyone, everyone, RULES) == ()


def test_aapor_rates_follow_their_formulas() -> None:
    found = rates({"I": 20, "P": 5, "R": 15, "NC": 40, "O": 10, "U": 10, "NE": 99, "": 7})
    assert found == {
        "RR1": Decimal("20.0"),
        "RR2": Decimal("25.0"),
        "COOP1": Decimal("40.0"),
        "REF1": Decimal("15.0"),
        "CON1": Decimal("50.0"),
    }
    assert set(rates({}).values()) == {None}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 12), max_size=6), st.integers(1, 8))
def test_subtraction_never_leaves_fewer_than_the_minimum(bases: dict[str, int], minimum: int) -> None:
    hidden = hidden_groups(bases, minimum)
    assert all(n >= minimum for name, n in bases.items() if n and name not in hidden)
    left = sum(bases[name] for name in hidden)
    assert left == 0 or left >= minimum or hidden == {name for name, n in bases.items() if n}
    if not hides_total(bases, minimum):
        assert (
            sum(n for n in bases.values() if n < minimum) == 0
            or sum(n for n in bases.values() if n < minimum) >= minimum
        )


def test_scores_hold_figures_in_questions_of_their_own() -> None:
    assert numbered([Figure(4, "x", ("OG_CIJFER_*",), is_mean=True)], ["OG_CIJFER_A", "OG_CIJFER_B"])[0].questions == (
        "OG_CIJFER_A",
        "OG_CIJFER_B",
    )
