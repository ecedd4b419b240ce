"""The scoring rules against the published reports and their worked examples."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import ConfigurationError
from ivr.survey.scoring import (
    Provinces,
    Record,
    Rules,
    client_rows,
    commissioner_row,
    corrected_mean,
    half_up,
    left_out,
    norm_outcome,
    percentage,
    printed_mean,
    promotor_score,
    rules_from_mapping,
)

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
CONFIG = tomllib.loads((ROOT / "config" / "scoring.toml").read_text(encoding="utf-8"))
RULES = rules_from_mapping(CONFIG)


def vectors(name: str) -> list[dict[str, str]]:
    with (VECTORS / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


def grades(text: str) -> Counter[Decimal]:
    return Counter(Decimal(one) for one in text.split())


def a_sum(total: int, n: int) -> Counter[Decimal]:
    """n grades that add up to `total`."""
    low, extra = divmod(total, n)
    return Counter({Decimal(low): n - extra, Decimal(low + 1): extra})


@pytest.mark.parametrize("row", [row for row in vectors("overig") if row["soort"] == "tevredenheid_pct"])
def test_published_percentage_comes_out(row: dict[str, str]) -> None:
    assert percentage(int(row["teller"]), int(row["n"])) == Decimal(row["gepubliceerd"])


@pytest.mark.parametrize("row", [row for row in vectors("overig") if row["soort"] == "promotorscore"])
def test_published_promotor_score_comes_out(row: dict[str, str]) -> None:
    score = promotor_score(int(row["teller"]), int(row["n"]))
    assert f"{score}".replace(".", ",") == row["gepubliceerd"]


@pytest.mark.parametrize("row", [row for row in vectors("overig") if row["soort"] == "som_cijfers"])
def test_published_mean_comes_out_of_every_possible_sum(row: dict[str, str]) -> None:
    for total in row["teller"].split("-"):
        mean = printed_mean(a_sum(int(total), int(row["n"])))
        assert f"{mean}".replace(".", ",") == row["gepubliceerd"]


def test_total_is_the_mean_over_clients_not_over_services() -> None:
    rows = client_rows(
        {5: 5, 9: 40, 10: 4},
        {5: 1, 9: 20, 10: 1},
        {5: grades("10"), 9: a_sum(177, 20), 10: grades("8")},
        {
            5: "Jobcoaching",
            9: "Toeleiden naar werk vanuit situatie geen werk",
            10: "Sociale activering en participatie",
        },
        RULES,
    )
    published = [row for row in vectors("tabel_1_1") if row["provider"] == "JOP COACHING"]
    printed = [
        {
            "groep": row.group,
            "dienst": row.service,
            "netto_steekproef": str(row.net),
            "ingevuld": str(row.completed),
            "respons_pct": f"{row.response}".replace(".", ","),
            "rapportcijfer": row.grade_text,
            "publicatie": "ja" if row.is_published else "nee",
        }
        for row in [*rows, commissioner_row(1, 0, {}, RULES)]
        if row is not None
    ]
    assert printed == [{key: row[key] for key in printed[0]} for row in published]


def test_asterisk_where_one_person_would_be_known_and_where_no_grade_exists() -> None:
    alone, nobody, silent, total = client_rows(
        {1: 1, 5: 4, 9: 2}, {1: 1, 9: 1}, {1: grades("7")}, {1: "a", 5: "b", 9: "c"}, RULES
    )
    assert (alone.grade_text, alone.response, alone.is_published) == ("*", Decimal("100.0"), True)
    assert (nobody.grade_text, nobody.response, nobody.is_published) == ("*", Decimal("0.0"), False)
    assert (silent.grade_text, silent.is_published) == ("*", True)
    assert total.grade_text == "7,0"


def test_commissioners_that_were_not_invited_have_no_row() -> None:
    assert commissioner_row(0, 0, {}, RULES) is None
    one = commissioner_row(1, 1, grades("8"), RULES)
    assert one is not None
    assert (one.grade_text, one.is_published) == ("*", True)
    several = commissioner_row(3, 2, {Decimal("8.5"): 1, Decimal("8.4"): 1}, RULES)
    assert several is not None
    assert (several.grade_text, several.response) == ("8,5", Decimal("66.7"))


@pytest.mark.parametrize(
    ("given", "outcome", "mean"),
    [
        ("1 8 8 8 7 7 6 6", "gehaald_na_correctie", "6.875"),
        ("1 1 8 8 7 7 7 7 6 6", "gehaald_na_correctie", "6.6"),
        ("5 5 5 5 6 6 7 7 7 7", "niet_gehaald", None),
        ("1 6 6 6 6 7 7 7 7 7", "niet_gehaald", None),
        ("1 1 1 1 10 10 10 10", "niet_gehaald", None),
        ("7 7 6 6 6", "niet_gehaald", None),
        ("7 7 6 6", "gehaald", None),
        ("", "niet_te_bepalen", None),
    ],
)
def test_norm_and_its_correction(given: str, outcome: str, mean: str | None) -> None:
    assert norm_outcome(grades(given), RULES.norm_total, RULES) == outcome
    if mean is not None:
        assert corrected_mean(grades(given), RULES) == Fraction(mean)


def test_worked_examples_without_the_guard_have_the_corrected_means_of_the_rule() -> None:
    unguarded = Rules(guard_from=Decimal(0))
    assert corrected_mean(grades("1 6 6 6 6 7 7 7 7 7"), unguarded) == Fraction("6.4")
    assert corrected_mean(grades("5 5 5 5 6 6 7 7 7 7"), unguarded) == Fraction("6.0")
    assert corrected_mean(grades("1 1 1 1 10 10 10 10"), unguarded) == Fraction("7.5")


def test_correction_can_be_kept_to_small_samples() -> None:
    given_grades = grades("1 8 8 8 7 7 6 6")
    assert norm_outcome(given_grades, RULES.norm_total, Rules(correction_max_n=8)) == "gehaald_na_correctie"
    assert norm_outcome(given_grades, RULES.norm_total, Rules(correction_max_n=7)) == "niet_gehaald"


def a_record(**values: object) -> Record:
    facts = {
        "group": "client",
        "route": "regular",
        "exclusion": None,
        "outcome_elsewhere": None,
        "disposition": "fresh",
        "is_reached": False,
        "has_answered": False,
    }
    return Record(**{**facts, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(), None),
        (a_record(outcome_elsewhere="undeliverable"), "undeliverable"),
        (a_record(outcome_elsewhere="undeliverable", has_answered=True), None),
        (a_record(exclusion="not_sampled", has_answered=True), "not_sampled"),
        (a_record(exclusion="undeliverable", has_answered=True), None),
        (a_record(route="telephone"), "not_invited"),
        (a_record(route="telephone", disposition="quota_full"), "not_invited"),
        (a_record(route="telephone", disposition="quota_full", outcome_elsewhere="invited"), None),
        (a_record(route="telephone", outcome_elsewhere="announced"), "not_invited"),
        (a_record(route="telephone", is_reached=True), None),
        (a_record(route="telephone", is_reached=True, disposition="wrong_person"), "wrong_person"),
        (a_record(route="telephone", disposition="not_in_service"), "not_in_service"),
        (a_record(route="telephone", has_answered=True), None),
        (a_record(group="commissioner", outcome_elsewhere="undeliverable"), "undeliverable"),
    ],
)
def test_who_belongs_to_the_net_sample(record: Record, reason: str | None) -> None:
    assert left_out(record, RULES) == reason


def test_every_range_of_the_postcode_table_finds_its_province() -> None:
    provinces = Provinces(CONFIG["provincies"])
    for row in vectors("postcode_provincie"):
        assert provinces.of(row["pc4_van"]) == row["provincie"]
        assert provinces.of(row["pc4_tot"]) == row["provincie"]
    assert {provinces.of(text) for text in ("0999", "12", None, "abcd", "4671 ", "2166")} == {"onbekend"}


def test_publication_follows_a_table_by_size() -> None:
    rules = rules_from_mapping(
        {"publicatie": {"tabel": [{"netto_tot": 10, "min_respons_pct": "50"}, {"min_respons_pct": "20.5"}]}}
    )
    small, large = (client_rows({5: net}, {5: done}, {}, {5: "x"}, rules)[0] for net, done in ((10, 4), (40, 9)))
    assert (small.is_published, large.is_published) == (False, True)
    with pytest.raises(ConfigurationError):
        rules_from_mapping({"publicatie": {"tabel": [{"netto_tot": 10, "min_respons_pct": "50"}]}})


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 3))
def test_half_up_agrees_with_decimal_on_exact_quotients(part: int, base: int, places: int) -> None:
    exact = Fraction(part, base)
    rounded = half_up(exact, places)
    assert abs(Fraction(rounded) - exact) <= Fraction(1, 2 * 10**places)
    if (exact * 10**places * 2).denominator == 1:
        tenth = Decimal(part) / Decimal(base)
        assert rounded == tenth.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=60))
def test_correction_never_lowers_a_mean_below_its_grades(given_grades: list[int]) -> None:
    counts = Counter(Decimal(grade) for grade in given_grades)
    again = corrected_mean(counts, RULES)
    if again is not None:
        assert again >= Fraction(sum(given_grades), len(given_grades))
        assert 2 * sum(grade >= 7 for grade in given_grades) > len(given_grades)
