"""Reports that nobody has published, through the commands: what comes out is compared with a count of our own."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest

from tests.exports.exporting import people
from tests.exports.reporting import (
    CLIENTS,
    COMMISSIONERS,
    LD_ASPECTS,
    PERIOD,
    Report,
    Run,
    form,
    printed,
    table_row,
    write,
)

SERVICES = {
    1: "Scholing en opleiding",
    3: "Diagnose, onderzoek en loopbaanoriëntatie",
    5: "Jobcoaching",
    6: "Verzuimbegeleiding (wet poortwachter)",
    8: "Toeleiden van werk naar werk (eerste en tweede spoor)",
    11: "Inburgeringscursussen en duale trajecten",
    13: "Supported employment",
}


def table_of(folder: Path, provider: str, first: str = PERIOD[0]) -> list[list[str]]:
    rows = people(folder / "tabel_1_1.csv")
    mine = [row for row in rows if row["provider"] == provider and row["meetperiode_van"] == first]
    return [list(row.values())[3:] for row in mine]


@pytest.mark.parametrize("seed", range(3))
def test_table_1_1_of_an_invented_report_comes_out_to_the_last_digit(run: Run, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    wanted: dict[str, list[list[str]]] = {}
    for provider in ("Alfa", "Bèta & Zn. B.V."):
        report, everyone, total, rows = Report(provider), [], 0, []
        for service, label in sorted(SERVICES.items()):
            net = chance.choice([0, 1, 1, 2, 7, 13, 29])
            if net == 0:
                continue
            count = chance.choice([0, 1, net, chance.randint(0, net)])
            grades = [chance.choice([None, 1, 4, 5, 6, 7, 8, 9, 10]) for _ in range(count)]
            report.add(service, net, grades)
            rows.append(table_row(label, net, grades))
            everyone += grades
            total += net
        rows.append(table_row("Totaal", total, everyone))
        report.deliver(run, tmp_path)
        wanted[provider] = rows
    run("export", tmp_path / "out")
    assert {provider: table_of(tmp_path / "out", provider) for provider in wanted} == wanted


CORRECTED = [
    ((1, 8, 8, 8, 7, 7, 6, 6), "6,4", "gehaald_na_correctie"),
    ((1, 1, 8, 8, 7, 7, 7, 7, 6, 6), "5,8", "gehaald_na_correctie"),
    ((1, 6, 6, 6, 6, 7, 7, 7, 7, 7), "6,0", "niet_gehaald"),
    ((5, 5, 5, 5, 6, 6, 7, 7, 7, 7), "6,0", "niet_gehaald"),
    ((1, 1, 1, 1, 10, 10, 10, 10), "5,5", "niet_gehaald"),
    ((6, 7), "6,5", "gehaald"),
]


def test_worked_examples_of_the_correction_come_out_of_the_commands(run: Run, tmp_path: Path) -> None:
    for nth, (grades, _, _) in enumerate(CORRECTED):
        report = Report(f"Voorbeeld {nth}")
        report.add(9, len(grades), grades)
        report.deliver(run, tmp_path)
    run("export", tmp_path / "out")
    rows = [row for row in people(tmp_path / "out" / "norm.csv") if row["dienst"] == "Totaal"]
    assert [(row["rapportcijfer"], row["uitkomst"]) for row in rows] == [example[1:] for example in CORRECTED]
    assert "6,9" not in (tmp_path / "out" / "norm.csv").read_text(encoding="utf-8-sig"), "M* is never published"


def test_commissioners_are_printed_with_decimals_and_counted_rounded(run: Run, tmp_path: Path) -> None:
    report = Report("Gemeentewerk")
    report.add(1, 2, [8])
    for grade in ("7,5", "8.4", "6,5", "7", "8,45"):
        report.commissioner({"OG_CIJFER": grade, "OG_CIJFER_deskundigheid": grade, "OG_AANGERADEN": "ja"})
    report.commissioner()
    report.deliver(run, tmp_path)
    nobody = Report("Niemand antwoordt")
    nobody.add(1, 4, [9, 9])
    nobody.commissioner()
    nobody.deliver(run, tmp_path)
    run("export", tmp_path / "out")
    label = "Totaal opdrachtgevers"
    mean = printed(Fraction(3785, 500))
    assert table_of(tmp_path / "out", "Gemeentewerk")[-1] == ["opdrachtgevers", label, "6", "5", "83,3", mean, "ja"]
    last = table_of(tmp_path / "out", "Niemand antwoordt")[-1]
    assert last == ["opdrachtgevers", label, "1", "0", "0,0", "0,0", "ja"]
    figures = [row for row in people(tmp_path / "out" / "figuren.csv") if row["provider"] == "Gemeentewerk"]
    grid = {row["vraag"]: row["gemiddelde"] for row in figures if row["antwoord"] == "gemiddelde" and row["gemiddelde"]}
    assert grid == {"OG_CIJFER": mean, "OG_CIJFER_deskundigheid": mean}
    bars = {row["antwoord"]: row["aantal"] for row in figures if row["vraag"] == "OG_CIJFER" and row["aantal"]}
    assert {grade: count for grade, count in bars.items() if count != "0"} == {"7": "2", "8": "3"}


def test_a_client_who_is_also_the_commissioner_fills_in_the_client_questionnaire_only(run: Run, tmp_path: Path) -> None:
    report = Report("Zelf gemeld")
    report.answer(report.client(5, self_referred="ja"), 5, form(5, 6))
    report.add(5, 3, [8, 9])
    report.commissioner({"OG_CIJFER": "2"})
    report.commissioners = [("OG1", "Achternaam1", "c1@example.org")]
    report.deliver(run, tmp_path)
    run("export", tmp_path / "out")
    rows = table_of(tmp_path / "out", "Zelf gemeld")
    assert rows == [table_row("Jobcoaching", 4, [8, 9, 6]), table_row("Totaal", 4, [8, 9, 6])]
    outside = [row for row in people(tmp_path / "out" / "fieldwork.csv") if row["maat"] == "buiten_netto"]
    assert [row["sleutel"] for row in outside] == ["self_referred"]


def test_promotor_score_counts_all_usable_questionnaires_but_not_those_of_inburgering(run: Run, tmp_path: Path) -> None:
    report = Report("Gemengd")
    report.add(11, 10, [8] * 7)
    report.add(5, 8, [9, 9, None], LD_AANGERADEN="ja")
    report.add(3, 8, [7] * 5, LD_AANGERADEN="nee")
    report.add(6, 2, [7])  # usable, was never asked or did not answer: in n
    report.deliver(run, tmp_path)
    run("export", tmp_path / "out")
    rows = people(tmp_path / "out" / "promotorscore.csv")
    assert [list(row.values())[3:] for row in rows] == [["3", "9", "33,3"]]


def test_two_periods_of_one_provider_stand_apart(run: Run, tmp_path: Path) -> None:
    for period, grades in ((PERIOD, [6, 7, 8]), (("2021-01-01", "2021-12-31"), [9, 10])):
        report = Report("Twee jaar", period)
        report.add(5, 6, grades)
        report.deliver(run, tmp_path)
    run("export", tmp_path / "out")
    assert table_of(tmp_path / "out", "Twee jaar")[0] == table_row("Jobcoaching", 6, [6, 7, 8])
    assert table_of(tmp_path / "out", "Twee jaar", "2021-01-01")[0] == table_row("Jobcoaching", 6, [9, 10])
    run("export", tmp_path / "one", "--period", "2021-01-01/2021-12-31")
    assert len(people(tmp_path / "one" / "tabel_1_1.csv")) == 2


def test_the_benchmark_is_the_mean_of_all_answers_ones_own_included(run: Run, tmp_path: Path) -> None:
    for provider, satisfied, others in (("Een", 6, 2), ("Twee", 5, 11)):
        report = Report(provider)
        report.add(5, satisfied + others, [])
        for number in range(1, satisfied + others + 1):
            answers = dict.fromkeys(LD_ASPECTS, "zeer_tevreden" if number <= satisfied else "ontevreden")
            report.answer(number, 5, answers)
        report.deliver(run, tmp_path)
    run("export", tmp_path / "out", "--provider", "Een")
    rows = [row for row in people(tmp_path / "out" / "aspecten.csv") if row["aspect"] == "LD_K_TEL"]
    assert {row["antwoord"]: (row["pct"], row["pct_alle_deelnemers"]) for row in rows} == {
        "zeer_tevreden": ("75", "46"), "tevreden": ("0", "0"), "ontevreden": ("25", "54"),
        "zeer_ontevreden": ("0", "0"), "geen_mening": ("0", "0"),
    }  # fmt: skip


def test_one_client_is_never_read_from_any_file_for_people(run: Run, tmp_path: Path) -> None:
    report = Report("Eenling")
    report.add(5, 1, [3], LD_AANGERADEN="ja")
    report.deliver(run, tmp_path)
    run("export", tmp_path / "out", "--format", "csv,json")
    assert table_of(tmp_path / "out", "Eenling") == [
        ["clienten", "Jobcoaching", "1", "1", "100,0", "*", "ja"],
        ["clienten", "Totaal", "1", "1", "100,0", "*", "ja"],
    ]
    assert [list(row.values())[3:] for row in people(tmp_path / "out" / "promotorscore.csv")] == [["*", "1", "*"]]
    norm = people(tmp_path / "out" / "norm.csv")
    assert {(row["rapportcijfer"], row["uitkomst"], row["standaardafwijking"]) for row in norm} == {
        ("*", "niet_te_bepalen", "")
    }
    for file in ("aspecten.csv", "figuren.csv"):
        rows = people(tmp_path / "out" / file)
        assert rows
        assert {row["aantal"] + row["pct"] + row.get("gemiddelde", "") for row in rows} == {""}
    document = json.loads((tmp_path / "out" / "report_eenling.json").read_text(encoding="utf-8"))
    assert document["periods"][0]["promotor_score"] is None
    assert document["periods"][0]["table_1_1"][0]["grade"] is None


def test_telephone_clients_count_once_a_call_or_an_invitation_reached_them(run: Run, tmp_path: Path) -> None:
    report = Report("Belt nog niet")
    for number in range(1, 9):
        report.client(11, profile=1, phone=f"061234567{number}")
    report.answer(1, 11, form(11, 8))
    report.deliver(run, tmp_path)
    run("export", tmp_path / "before")
    assert table_of(tmp_path / "before", "Belt nog niet")[0][2:4] == ["1", "1"], "nobody else was called or invited"
    outcomes = ["2;invited", "3;announced", "4;undeliverable", "1;undeliverable"]
    lines = [f"Belt nog niet;2020-01-01;{line}" for line in outcomes]
    (tmp_path / "outcomes.csv").write_text("\n".join(["provider;period_from;respondent;outcome", *lines]) + "\n")
    run("sample", "outcomes", tmp_path / "outcomes.csv")
    run("export", tmp_path / "after")
    assert table_of(tmp_path / "after", "Belt nog niet")[0][2:4] == ["2", "1"]


def test_rejected_rows_stand_beside_the_records_that_were_left_out(run: Run, tmp_path: Path) -> None:
    report = Report("Met fouten")
    report.add(5, 6, [8, 9])
    good = list(report.clients)
    report.clients = [*good, good[0], (*good[1][:5], "12", *good[1][6:]), ("", *good[2][1:])]
    for _ in range(2):  # the same file again counts once
        file = write(tmp_path / "list.csv", CLIENTS, report.clients)
        taken = run("sample", "import", file, "--provider", report.provider, "--period", "/".join(PERIOD))
        assert (taken["accepted"], len(taken["rejected"])) == (6, 3)
    report.clients = []
    report.commissioner()
    report.commissioners.append(("", "Zonder nummer", "x@example.org"))
    file = write(tmp_path / "list.csv", COMMISSIONERS, report.commissioners)
    where = ("--provider", report.provider, "--period", "/".join(PERIOD), "--group", "commissioner")
    run("sample", "import", file, *where)
    run("export", tmp_path / "out", "--format", "csv,json")
    rows = people(tmp_path / "out" / "fieldwork.csv")
    assert [list(row.values())[3:] for row in rows] == [
        ["opgeleverd", "records", "", "6", "6"],
        ["opgeleverd", "netto", "", "6", "6"],
        ["opgeleverd", "geweigerd", "duplicate", "1", "9"],
        ["opgeleverd", "geweigerd", "missing_clientnummer", "1", "9"],
        ["opgeleverd", "geweigerd", "obsolete_service", "1", "9"],
        ["opgeleverd_opdrachtgevers", "records", "", "", "1"],
        ["opgeleverd_opdrachtgevers", "netto", "", "", "1"],
        ["opgeleverd_opdrachtgevers", "geweigerd", "missing_opdrachtgevernummer", "", "2"],
    ]
