"""`ivr links export`: the file for the mailing tool as a spreadsheet and a script meet it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ivr.fieldwork.inviting import COLUMNS
from scripts.cli import main

WHOSE = ["--provider", "Taalhuis", "--period", "2026-01-01/2026-12-31"]
LIST = """clientnummer;voornaam;achternaam;telefoon;dienst;leerprofiel;straat;huisnummer;postcode;plaats
1;=HYPERLINK(0);Jansen;0612345678;11;1;+Laan;1;6711 AA;Ede
2;Bo;de Wit;0201234567;11;2;Weg;2;6711 AB;Ede
"""

Ivr = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ivr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ivr:
    for name in ("IVR_ENCRYPTION_KEY", "IVR_ENV", "IVR_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path / 'toets.db'}")
    monkeypatch.setenv("IVR_PUBLIC_BASE_URL", "https://toets.example")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        with pytest.raises(SystemExit) as ended:
            main.main(list(words), prog_name="ivr")
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    assert run("sample", "import", str(tmp_path / "list.csv"), *WHOSE)[0] == 0
    return run


def read(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "a byte order mark, or Excel mistakes the letters"
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";"))


def export(ivr: Ivr, file: Path, *more: str) -> dict[str, Any]:
    code, out, err = ivr("links", "export", str(file), *WHOSE, "--without-audio", "--json", *more)
    assert code == 0, err
    return json.loads(out)


def test_the_file_holds_everyone_with_a_link_a_code_and_a_filled_letter(ivr: Ivr, tmp_path: Path) -> None:
    told = export(ivr, tmp_path / "brief.csv")
    rows = read(tmp_path / "brief.csv")
    assert tuple(rows[0]) == COLUMNS
    assert (told["rows"], told["made"], told["kept"], told["audio"]) == (2, 2, 0, None)
    assert [row["clientnummer"] for row in rows] == ["1", "2"]
    for row in rows:
        assert row["link"].startswith("https://toets.example/v/")
        assert row["link"] in row["tekst"]
        assert f"Uw code is: {row['code']}" in row["tekst"]


def test_a_cell_that_a_spreadsheet_would_run_is_harmless(ivr: Ivr, tmp_path: Path) -> None:
    export(ivr, tmp_path / "brief.csv")
    first = read(tmp_path / "brief.csv")[0]
    assert first["voornaam"] == "'=HYPERLINK(0)"
    assert first["straat"] == "'+Laan"
    assert not any(value[:1] in "=+-@" for row in read(tmp_path / "brief.csv") for value in row.values() if value)


def test_names_and_numbers_are_for_the_files_owner_only(ivr: Ivr, tmp_path: Path) -> None:
    export(ivr, tmp_path / "brief.csv")
    assert (tmp_path / "brief.csv").stat().st_mode & 0o777 == 0o600


def test_a_reminder_by_sms_carries_the_link_of_the_letter(ivr: Ivr, tmp_path: Path) -> None:
    export(ivr, tmp_path / "brief.csv")
    told = export(ivr, tmp_path / "sms.csv", "--sms")
    assert (told["made"], told["kept"], told["unreached"]) == (0, 1, 1)
    letters = {row["clientnummer"]: row["link"] for row in read(tmp_path / "brief.csv")}
    (sms,) = read(tmp_path / "sms.csv")
    assert sms["link"] == letters[sms["clientnummer"]]
    assert (sms["soort"], sms["telefoon"]) == ("sms", "06 12345678")


def test_nobody_was_rung_so_nobody_gets_a_missed_call_message(ivr: Ivr, tmp_path: Path) -> None:
    assert export(ivr, tmp_path / "gemist.csv", "--missed-call")["rows"] == 0
    assert read(tmp_path / "gemist.csv") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--sms", "--missed-call", *WHOSE], 2),
        (["--again", *WHOSE], 2),
        (["--provider", "Niemand", *WHOSE[2:]], 1),
        (["--provider", "Taalhuis", "--period", "2026"], 2),
    ],
)
def test_wrong_usage_and_an_unknown_list_write_nothing(ivr: Ivr, tmp_path: Path, words: list[str], code: int) -> None:
    ended, out, _ = ivr("links", "export", str(tmp_path / "x.csv"), "--without-audio", "--json", *words)
    assert ended == code
    assert "message" in json.loads(out)["error"]
    assert not (tmp_path / "x.csv").exists()
