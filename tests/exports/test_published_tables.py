"""The tables of the published reports, from answers made to fit them, through the commands that the pipeline uses."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts.cli import main

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
CODES = {
    "Inburgeringscursussen en duale trajecten": 11,
    "Sociale activering en participatie": 10,
    "Jobcoaching": 5,
    "Toeleiden naar werk vanuit situatie geen werk": 9,
}
SUMS = {("UPGRADE", 11): 65, ("Interbeek Support", 10): 137, ("JOP COACHING", 9): 177}
LD_ASPECTS = (
    "LD_C_AANDACHT", "LD_C_INFO", "LD_C_BEGRIP", "LD_K_SNEL1", "LD_K_MAIL", "LD_K_EERSTE", "LD_K_PLAATS", "LD_K_TEL",
    "LD_B_STAP",
)  # fmt: skip
INB_ASPECTS = ("INB_LES", "INB_ANTW", "INB_PRAAT", "INB_OEF", "INB_HUISWERK", "INB_PRETTIG", "INB_SCHOOL")
INB_VALUES = ("altijd", "vaak", "ja", "goed", "nee", "soms", "heel_goed")
HEADER = "provider;period_from;period_to;group;respondent;service;questionnaire;mode;question;value;answered_at"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `ivr … --json` on a database of this test and gives its document."""
    monkeypatch.setenv("IVR_DATABASE_URL", f"sqlite:///{tmp_path / 'toets.db'}")
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("IVR_ENCRYPTION_KEY", b64encode(bytes(range(32))).decode())

    def call(*arguments: str | Path) -> dict[str, Any]:
        result = CliRunner().invoke(main, [*map(str, arguments), "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return call


def published() -> dict[tuple[str, str, str], list[dict[str, str]]]:
    tables: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    with (VECTORS / "tabel_1_1.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter=";"):
            key = (row["provider"], row["meetperiode_van"], row["meetperiode_tot"])
            tables.setdefault(key, []).append(row)
    return tables


def a_client(number: int, service: int, ended: str) -> str:
    profile = "3" if service == 11 else ""
    end = "" if service == 11 else ended
    return f"{number};Voornaam{number};Achternaam{number};client{number}@example.org;{service};{profile};{end}"


def a_filled_in_form(service: int, grade: int, nth: int) -> dict[str, str]:
    if service == 11:
        return {**dict(zip(INB_ASPECTS, INB_VALUES, strict=True)), "INB_ZIEK": "nee", "INB_CIJFER": str(grade)}
    satisfied = "zeer_tevreden" if nth < 5 else "tevreden" if nth < 15 else "ontevreden"
    answers = dict.fromkeys(LD_ASPECTS, satisfied)
    if service == 5:
        answers["LD_DUUR"] = "goed"
    return {**answers, "LD_CIJFER": str(grade), "LD_AANGERADEN": "ja" if nth < 14 else "nee"}


def deliver(run: Run, folder: Path, key: tuple[str, str, str], table: list[dict[str, str]]) -> list[str]:
    """Take a list in that has the published net samples; gives the lines of answers that fit the table."""
    provider, first, last = key
    clients: list[str] = []
    lines: list[str] = []
    for row in table:
        if row["dienst"].startswith("Totaal"):
            continue
        code, filled = CODES[row["dienst"]], int(row["ingevuld"])
        total = SUMS.get((provider, code)) or int(float(row["rapportcijfer"].replace(",", ".")) * filled)
        low, extra = divmod(total, filled)
        for nth in range(int(row["netto_steekproef"])):
            number = 1000 + len(clients)
            clients.append(a_client(number, code, last))
            if nth >= filled:
                continue
            form = "inburgering" if code == 11 else "regulier" if nth % 2 else "laagdrempelig"
            head = f"{provider};{first};{last};client;{number};{code};{form};{('web', 'post', 'email')[nth % 3]}"
            for question, value in a_filled_in_form(code, low + (nth < extra), nth).items():
                lines.append(f"{head};{question};{value};2021-01-{1 + nth % 28:02}T10:00:00Z")
    path = folder / "clients.csv"
    heading = "clientnummer;voornaam;achternaam;email;dienst;leerprofiel;einddatum_traject"
    path.write_text("\n".join([heading, *clients]) + "\n", encoding="utf-8")
    report = run("sample", "import", path, "--provider", provider, "--period", f"{first}/{last}")
    assert report["accepted"] == len(clients), report["rejected"][:3]
    if any(row["groep"] == "opdrachtgevers" for row in table):
        path.write_text("opdrachtgevernummer;naam;email\n77;Gemeente;gemeente@example.org\n", encoding="utf-8")
        run("sample", "import", path, "--provider", provider, "--period", f"{first}/{last}", "--group", "commissioner")
    return lines


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_every_published_row_comes_out_of_answers_made_to_fit_it(run: Run, tmp_path: Path) -> None:
    tables = published()
    lines = [line for key, table in tables.items() for line in deliver(run, tmp_path, key, table)]
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    taken = run("responses", "import", answers)
    assert (taken["rows"], taken["accepted"], taken["rejected"]) == (len(lines), len(lines), [])
    run("export", tmp_path / "out")

    printed = read(tmp_path / "out" / "tabel_1_1.csv")
    assert list(printed[0]) == [
        "provider", "meetperiode_van", "meetperiode_tot", "groep", "dienst", "netto_steekproef", "ingevuld",
        "respons_pct", "rapportcijfer", "publicatie",
    ]  # fmt: skip
    for key, table in tables.items():
        mine = [row for row in printed if (row["provider"], row["meetperiode_van"], row["meetperiode_tot"]) == key]
        assert mine == [{column: row[column] for column in printed[0]} for row in table]

    promotor = {row["provider"]: row for row in read(tmp_path / "out" / "promotorscore.csv")}
    assert "UPGRADE" not in promotor
    assert (promotor["Interbeek Support"]["aangeraden"], promotor["Interbeek Support"]["promotorscore"]) == (
        "14",
        "87,5",
    )

    aspects = [
        row
        for row in read(tmp_path / "out" / "aspecten.csv")
        if row["provider"] == "Interbeek Support" and row["aspect"] == "LD_C_INFO"
    ]
    assert [(row["antwoord"], row["pct"], row["n"]) for row in aspects] == [
        ("zeer_tevreden", "31", "16"),
        ("tevreden", "63", "16"),
        ("ontevreden", "6", "16"),
        ("zeer_ontevreden", "0", "16"),
        ("geen_mening", "0", "16"),
    ]
    norm = {(row["provider"], row["dienst"]): row for row in read(tmp_path / "out" / "norm.csv")}
    assert norm["JOP COACHING", "Totaal"]["uitkomst"] == "gehaald"
    assert "geen rechten" in norm["JOP COACHING", "Totaal"]["voorbehoud"]
    few = [row for row in read(tmp_path / "out" / "figuren.csv") if row["n"] and int(row["n"]) < 5]
    assert few
    assert all(row["aantal"] == row["pct"] == row["gemiddelde"] == "" for row in few)


def test_the_same_file_of_answers_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    key = ("Interbeek Support", "2020-01-01", "2020-12-31")
    lines = deliver(run, tmp_path, key, published()[key])
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    run("responses", "import", answers)
    run("export", tmp_path / "one")
    again = run("responses", "import", answers)
    assert (again["accepted"], again["unchanged"], again["updated"]) == (len(lines), len(lines), 0)
    run("export", tmp_path / "two")
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}


def test_what_the_mailing_tool_learnt_changes_the_net_sample(run: Run, tmp_path: Path) -> None:
    key = ("Interbeek Support", "2020-01-01", "2020-12-31")
    lines = deliver(run, tmp_path, key, published()[key])
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    run("responses", "import", answers)
    outcomes = tmp_path / "outcomes.csv"
    unreached = [f"{key[0]};{key[1]};{number};undeliverable" for number in range(1016, 1020)]
    outcomes.write_text("\n".join(["provider;period_from;respondent;outcome", *unreached]) + "\n", encoding="utf-8")
    run("sample", "outcomes", outcomes)
    run("export", tmp_path / "out")
    total = next(row for row in read(tmp_path / "out" / "tabel_1_1.csv") if row["dienst"] == "Totaal")
    assert (total["netto_steekproef"], total["ingevuld"], total["respons_pct"]) == ("28", "16", "57,1")
