"""Outcomes are rows; what a call came to; which changes are legal."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import ConfigurationError
from ivr.settings import ROOT
from ivr.survey import disposition
from ivr.survey.disposition import ALL, CallReport, is_legal, outcome_of_call, outcomes_from_mapping

DATA = tomllib.loads((ROOT / "config" / "outcomes.toml").read_text("utf-8"))
OUTCOMES = outcomes_from_mapping(DATA)
SID = "CA" + "0" * 32
codes = st.sampled_from(sorted(ALL))


def test_outcomes_file_has_a_row_for_each_disposition_and_no_other() -> None:
    assert set(OUTCOMES) == ALL


@pytest.mark.parametrize(
    ("code", "aapor"),
    [("complete", "1.1"), ("refusal", "2.112"), ("answering_machine", "2.22"), ("not_in_service", "4.32")],
)
def test_outcome_has_its_aapor_number(code: str, aapor: str) -> None:
    assert OUTCOMES[code].aapor == aapor


@pytest.mark.parametrize(
    "change",
    [
        {"no_answer": {**DATA["no_answer"], "next": "tomorrow"}},
        {"no_answer": {k: v for k, v in DATA["no_answer"].items() if k != "aapor"}},
        {"no_answer": {**DATA["no_answer"], "colour": "red"}},
        {"no_answer": {k: v for k, v in DATA["no_answer"].items() if k != "next"}},
    ],
)
def test_impossible_row_is_refused_with_its_name(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="no_answer"):
        outcomes_from_mapping(DATA | change)


def test_missing_outcome_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="busy"):
        outcomes_from_mapping({code: row for code, row in DATA.items() if code != "busy"})


@given(before=st.sampled_from(["refusal", "never_call_again"]), after=codes)
def test_refusal_is_only_followed_by_what_is_stronger(before: str, after: str) -> None:
    stronger = {"never_call_again", "withdrawn", "complaint", "opted_out", "deceased", before}
    assert is_legal(before, after) == (after in stronger)


@given(after=codes)
def test_withdrawal_is_the_end(after: str) -> None:
    assert is_legal("withdrawn", after) == (after == "withdrawn")


@given(before=codes)
def test_everything_can_be_withdrawn(before: str) -> None:
    assert is_legal(before, "withdrawn")


@given(before=st.sampled_from(sorted(disposition.OPEN)), after=codes)
def test_open_case_never_becomes_fresh_again(before: str, after: str) -> None:
    assert is_legal(before, after) == (after != "fresh")


@given(before=st.sampled_from(["complete", "partial"]), after=st.sampled_from(sorted(disposition.GIVEN_UP)))
def test_success_is_never_given_up(before: str, after: str) -> None:
    assert not is_legal(before, after)


@pytest.mark.parametrize(
    ("status", "engine", "verdict", "error", "outcome"),
    [
        ("completed", "complete", None, None, "complete"),
        ("completed", "no_interaction", None, None, "no_interaction"),
        ("completed", "no_interaction", "machine_start", None, "answering_machine"),
        ("completed", "hung_up_introduction", "fax", None, "answering_machine"),
        ("completed", "hung_up_introduction", "unknown", None, "hung_up_introduction"),
        ("completed", "refusal", "machine_start", None, "refusal"),
        ("failed", "break_off", None, 11200, "break_off"),
        ("busy", None, None, None, "busy"),
        ("no-answer", None, None, None, "no_answer"),
        ("failed", None, None, None, "not_in_service"),
        ("failed", None, None, 21211, "not_in_service"),
        ("failed", None, None, 12100, "technical"),
        ("canceled", None, None, None, "technical"),
        ("completed", None, None, None, "technical"),
        ("completed", None, "machine_end_beep", None, "answering_machine"),
    ],
)
def test_call_that_ended_has_its_outcome(
    status: str, engine: str | None, verdict: str | None, error: int | None, outcome: str
) -> None:
    report = CallReport(SID, status, error_code=error)  # type: ignore[arg-type]
    assert outcome_of_call(report, engine, verdict) == outcome
