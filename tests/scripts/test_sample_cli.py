"""The commands as other people's scripts use them: JSON alone on stdout, exit codes, the example lists."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
PERIOD = ["--period", "2026-01-01/2026-12-31"]


@dataclass(frozen=True)
class Result:
    """What a command wrote, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str


Ivr = Callable[..., Result]


@pytest.fixture
def ivr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ivr:
    for name in ("IVR_ENCRYPTION_KEY", "IVR_ENV", "IVR_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path / 'toets.db'}")

    def run(*words: str, text: str | None = None) -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text or ""))
        with pytest.raises(SystemExit) as ended:
            main.main(list(words), prog_name="ivr")
        shown = capsys.readouterr()
        return Result(int(ended.value.code or 0), shown.out, shown.err)

    return run


def document(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.stderr
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def take(ivr: Ivr, name: str, provider: str, *more: str) -> Any:
    return document(ivr("sample", "import", str(EXAMPLES / name), "--provider", provider, *PERIOD, "--json", *more))


def test_the_example_lists_are_what_their_readme_says(ivr: Ivr) -> None:
    north = take(ivr, "taalhuis-noord.csv", "Taalhuis Noord")
    assert (north["rows"], north["accepted"], north["routes"]) == (180, 162, {"telephone": 123, "regular": 39})
    assert {remark["code"] for remark in north["rejected"]} == {
        "missing_clientnummer", "missing_dienst", "unknown_service", "obsolete_service", "bad_questionnaire",
        "missing_leerprofiel", "bad_leerprofiel", "missing_einddatum_traject", "bad_date", "outside_period",
        "missing_contact", "not_diallable", "bad_phone", "duplicate",
    }  # fmt: skip
    assert [remark["code"] for remark in north["warnings"]].count("shared_number") == 4
    assert take(ivr, "inburgering-zuid.csv", "Inburgering Zuid")["routes"] == {"telephone": 30, "regular": 12}
    assert take(ivr, "werkpad.xlsx", "Werkpad")["routes"] == {"telephone": 0, "regular": 76}
    assert take(ivr, "werkpad-opdrachtgevers.csv", "Werkpad", "--group", "commissioner")["accepted"] == 8
    order = document(
        ivr("order", "add", "--provider", "Werkpad", *PERIOD, "--interviews", "10", "--price", "12,50", "--json")
    )
    assert (order["subsidy"], order["provider_pays"], order["total"]) == ("62.50", "62.50", "125.00")
    assert (order["track"], order["cases"]) == ("purchased", 68)
    again = take(ivr, "taalhuis-noord.csv", "taalhuis noord")
    assert (again["accepted"], again["unchanged"], again["rejected"]) == (162, 162, north["rejected"])
    tracks = [line["track"] for line in document(ivr("order", "list", "--json"))["orders"]]
    assert tracks == ["inburgering", "inburgering", "purchased"]


def test_the_key_is_made_beside_the_database_with_a_warning_on_stderr(ivr: Ivr, tmp_path: Path) -> None:
    result = ivr("sample", "import", str(EXAMPLES / "inburgering-zuid.csv"), "--provider", "Z", *PERIOD, "--json")
    assert "toets.db.key" in result.stderr
    assert document(result)["accepted"] == 42
    assert (tmp_path / "toets.db.key").exists()


def test_a_file_with_bsns_is_refused_with_its_code(ivr: Ivr, tmp_path: Path) -> None:
    path = tmp_path / "lijst.csv"
    path.write_text("clientnummer;bsn;dienst\n1;123456782;5\n")
    refused = document(ivr("sample", "import", str(path), "--provider", "X", *PERIOD, "--json"), code=1)
    assert refused["error"]["code"] == "bsn_column"
    assert "error" in document(
        ivr("sample", "draw", "--provider", "X", *PERIOD, "--size", "1", "--seed", "1", "--json"), 1
    )


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "import", "nowhere.csv", "--provider", "X", *PERIOD],
        ["sample", "import", str(EXAMPLES / "werkpad.xlsx"), "--provider", "X", "--period", "2026"],
        ["sample", "import", str(EXAMPLES / "werkpad.xlsx"), "--provider", "X", "--period", "2026-12-31/2026-01-01"],
        ["sample", "import", str(EXAMPLES / "werkpad.xlsx"), "--provider", " ", *PERIOD],
        ["sample", "import", str(EXAMPLES / "werkpad.xlsx"), *PERIOD],
        ["order", "add", "--provider", "X", *PERIOD, "--interviews", "0", "--price", "12,50"],
        ["order", "add", "--provider", "X", *PERIOD, "--interviews", "5", "--price", "veel"],
        ["order", "add", "--provider", "X", *PERIOD, "--interviews", "5", "--price", "1", "--services", "12"],
        ["optout", "add", "112"],
    ],
)
def test_wrong_usage_exits_with_2(ivr: Ivr, words: list[str]) -> None:
    assert ivr(*words).exit_code == 2


def test_announcements_draws_and_outcomes_report_in_json(ivr: Ivr, tmp_path: Path) -> None:
    take(ivr, "inburgering-zuid.csv", "Zuid")
    path = tmp_path / "brieven.csv"
    path.write_text("clientnummer;aangekondigd_op\nZ-0001;01-10-2026\nweg;01-10-2026\n")
    report = document(ivr("sample", "announced", str(path), "--provider", "Zuid", *PERIOD, "--json"))
    assert (report["rows"], report["updated"], report["rejected"][0]["code"]) == (2, 1, "unknown_clientnummer")
    draw = ["sample", "draw", "--provider", "Zuid", *PERIOD, "--size", "20", "--seed", "7", "--json"]
    assert document(ivr(*draw))["not_sampled"] == 22
    path.write_text("provider;period_from;respondent;outcome\nZuid;2026-01-01;Z-0001;invited\n")
    assert document(ivr("sample", "outcomes", str(path), "--json"))["accepted"] == 1
    assert document(ivr("ledger", "--provider", "Zuid", "--json"))["lines"] == []


def test_a_number_can_be_opted_out_without_standing_in_the_shells_history(ivr: Ivr) -> None:
    assert document(ivr("optout", "add", "--json", text="06 12345678\n")) == {"added": True, "numbers": 1}
    assert document(ivr("optout", "add", "+31612345678", "--json")) == {"added": False, "numbers": 1}
    assert document(ivr("optout", "check", "0612345678", "--json")) == {"opted_out": True}


def test_people_get_plain_lines(ivr: Ivr) -> None:
    shown = ivr("sample", "import", str(EXAMPLES / "inburgering-zuid.csv"), "--provider", "Zuid", *PERIOD).stdout
    assert "44 rows, 42 accepted" in shown
    assert "not_diallable" in shown
    bought = ivr("order", "add", "--provider", "Zuid", *PERIOD, "--interviews", "25", "--price", "12.50").stdout
    assert "€ 125,00" in bought
    assert "€ 187,50" in bought
