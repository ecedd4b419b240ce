"""The demo's own checks: each must fail when what it watches for has happened."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scripts.demo_checks import Finding, Listed, check_demo

NUMBER = "+31612345678"
INTERVIEW = "a" * 32
ANSWERS = {"INB_LES": "vaak", "INB_CIJFER": "8"}
SAME = "responses.csv is exactly what the people answered"
CONFIRMED = "each key was confirmed, but for those of a server that was killed"


class Demo:
    """The files of a demo in which one person of one list was called once, and answered."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.person: dict[str, Any] = {
            "number": NUMBER,
            "started": "2026-10-05T07:00:00+00:00",
            "ended_at": "2026-10-05T07:05:00+00:00",
            "answers": dict(ANSWERS),
            "uncertain": {},
            "surprises": [],
        }
        self.calls = [("CA1", "Mon, 05 Oct 2026 07:00:00 +0000", "Mon, 05 Oct 2026 07:05:00 +0000")]
        self.stored = dict(ANSWERS)
        self.cell: dict[str, Any] = {"provider": "P", "target": 25, "successful": 25, "cases": {"complete": 25}}
        self.successes = 25
        self.listed = {NUMBER: [Listed(date(2026, 9, 28), has_consented=False)]}

    def failures(self, *, was_disturbed: bool = False) -> set[str]:
        """The claims that do not hold."""
        log = [
            {"call_sid": sid, "params": {"To": NUMBER, "Timestamp": moment}, "sent_at": ""}
            for sid, *moments in self.calls
            for moment in moments
        ]
        (self.out / "carrier.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
        (self.out / "population.jsonl").write_text(json.dumps(self.person) + "\n")
        rows = [
            {"interview_id": INTERVIEW, "mode": "telephone", "question": question, "value": value}
            for question, value in self.stored.items()
        ]
        self._write("responses.csv", ["interview_id", "mode", "question", "value"], rows)
        first = {"provider": "P", "usable": "1", "successful": "1"} | self.stored
        others = [{"provider": "P", "usable": "1", "successful": "1"}] * (self.successes - 1)
        self._write("interviews.csv", ["provider", "usable", "successful", *ANSWERS, "INB_ANTW"], [first, *others])
        findings: list[Finding] = check_demo(self.out, {"cells": [self.cell]}, self.listed, was_disturbed=was_disturbed)
        return {finding.claim for finding in findings if not finding.holds}

    def _write(self, file: str, columns: list[str], rows: list[dict[str, str]]) -> None:
        with (self.out / file).open("w", newline="") as text:
            writer = csv.DictWriter(text, columns)
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def test_a_demo_in_which_nothing_went_wrong_passes(demo: Demo) -> None:
    assert demo.failures() == set()


def _again(moment: str, end: str) -> Callable[[Demo], None]:
    return lambda demo: demo.calls.append(("CA2", moment, end))


@pytest.mark.parametrize(
    ("spoil", "claims"),
    [
        (lambda demo: demo.stored.pop("INB_CIJFER"), {SAME}),
        (lambda demo: demo.stored.update(INB_CIJFER="7"), {SAME}),
        (lambda demo: demo.stored.update(INB_ANTW="altijd"), {SAME}),
        (lambda demo: demo.person["surprises"].append("asked twice"), {"nobody heard anything that does not fit"}),
        (lambda demo: demo.person["uncertain"].update(INB_ANTW="altijd"), {CONFIRMED}),
        (
            _again("Mon, 05 Oct 2026 07:04:00 +0000", "Mon, 05 Oct 2026 07:06:00 +0000"),
            {"nobody called while in a call"},
        ),
        (
            _again("Tue, 06 Oct 2026 08:00:00 +0000", "Tue, 06 Oct 2026 08:01:00 +0000"),
            {"nobody called after a successful interview"},
        ),
        (
            _again("Sun, 04 Oct 2026 10:00:00 +0000", "Sun, 04 Oct 2026 10:01:00 +0000"),
            {"nobody called outside the window"},
        ),
        (
            lambda demo: demo.listed.update({NUMBER: [Listed(date(2026, 10, 4), has_consented=False)]}),
            {"nobody called unannounced"},
        ),
        (
            lambda demo: demo.cell.update(successful=26),
            {
                "the first cell has exactly 25",
                "no cell above its target",
                "no cell above its clients",
                "interviews.csv has the same successes as the cells",
            },
        ),
        (lambda demo: setattr(demo, "successes", 24), {"interviews.csv has the same successes as the cells"}),
    ],
)
def test_what_went_wrong_fails_its_check(demo: Demo, spoil: Callable[[Demo], object], claims: set[str]) -> None:
    spoil(demo)
    assert demo.failures() == claims


@pytest.mark.parametrize("was_kept", [True, False])
def test_a_key_that_died_with_its_server_may_be_kept_or_not(demo: Demo, was_kept: bool) -> None:
    demo.person["uncertain"] = {"INB_ANTW": "altijd"}
    if was_kept:
        demo.stored["INB_ANTW"] = "altijd"
    assert demo.failures(was_disturbed=True) == set()


def test_a_key_that_died_with_its_server_is_not_kept_as_another(demo: Demo) -> None:
    demo.person["uncertain"] = {"INB_ANTW": "altijd"}
    demo.stored["INB_ANTW"] = "nooit"
    assert SAME in demo.failures(was_disturbed=True)


def test_a_number_in_a_file_is_found_in_any_spelling(demo: Demo) -> None:
    (demo.out / "other.csv").write_text("x\n06-12345678 tel 0612345678\n")
    assert demo.failures() == {"no telephone number in any CSV"}
