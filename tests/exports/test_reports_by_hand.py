"""Two reports worked out by hand, with pen-and-paper sums beside each figure, for providers with awkward names."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import python_calamine

from tests.exports.conftest import commands
from tests.exports.exporting import machine, people
from tests.exports.reporting import LD_ASPECTS, Report, Run

UMLAUT = 'Größe & "Söhne"/Taal'
MACHINE_FILES = ("responses.csv", "interviews.csv", "attempts.csv", "superseded.csv", "codebook.csv")
HOSTILE = "=cmd|' /C calc'!A0; B.V. 😀"


def both(run: Run, folder: Path) -> Path:
    one = Report(UMLAUT)
    one.add(5, 8, [8, 9, 9], LD_AANGERADEN="ja")
    one.add(9, 13, [5, 6, 8, 10], vary=lambda nth: {"LD_AANGERADEN": "ja" if nth < 2 else "nee"})
    one.add(3, 1, [10], LD_AANGERADEN="nee")
    one.add(11, 40, [6] * 5 + [7] * 3 + [9] * 3)
    one.add(13, 3, [None])
    one.add(1, 6, [])
    for grade in ("6,25", "7.75", "8", "9,5", "5,75"):
        one.commissioner({"OG_CIJFER": grade, "OG_CIJFER_tempo": "8" if grade == "8" else "weet_niet"})
    for _ in range(3):
        one.commissioner()
    other = Report(HOSTILE)
    split = ["zeer_tevreden", *["tevreden"] * 5, "ontevreden", "geen_mening"]
    for nth, answer in enumerate(split):
        answers = dict.fromkeys(LD_ASPECTS, answer) | {"LD_CIJFER": "7", "LD_FREQ": str(nth)}
        other.answer(other.client(6, zip=("6811 AA", "1012 AB", "")[nth % 3]), 6, answers, nth=nth)
    one.deliver(run, folder)
    other.deliver(run, folder)
    out = folder / "out"
    run("export", out, "--format", "csv,json,xlsx,parquet,sav")
    return out


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export for all tests here: none of them changes it."""
    folder = tmp_path_factory.mktemp("by_hand")
    with pytest.MonkeyPatch.context() as patch:
        return both(commands(folder, patch), folder)


def of(out: Path, file: str, provider: str) -> list[dict[str, str]]:
    shown = "'" + provider if provider == HOSTILE else provider
    return [row for row in people(out / file) if row["provider"] == shown]


def test_table_1_1_by_hand(out: Path) -> None:
    printed = [";".join(list(row.values())[3:]) for row in of(out, "tabel_1_1.csv", UMLAUT)]
    assert printed == [
        "clienten;Scholing en opleiding;6;0;0,0;*;nee",  # nobody answered
        "clienten;Diagnose, onderzoek en loopbaanoriëntatie;1;1;100,0;*;ja",  # one person
        "clienten;Jobcoaching;8;3;37,5;8,7;ja",  # 3/8; 26/3 = 8,667
        "clienten;Toeleiden naar werk vanuit situatie geen werk;13;4;30,8;7,3;ja",  # 4/13 = 30,77; 29/4 = 7,25
        "clienten;Inburgeringscursussen en duale trajecten;40;11;27,5;7,1;nee",  # 11/40; 78/11 = 7,0909
        "clienten;Supported employment;3;1;33,3;*;ja",  # usable, without a grade
        "clienten;Totaal;71;20;28,2;7,5;nee",  # 20/71 = 28,169; (26+29+10+78)/19 = 7,526
        "opdrachtgevers;Totaal opdrachtgevers;8;5;62,5;7,5;ja",  # 5/8; 37,25/5 = 7,45
    ]
    assert [";".join(list(row.values())[3:]) for row in of(out, "tabel_1_1.csv", HOSTILE)] == [
        "clienten;Verzuimbegeleiding (wet poortwachter);8;8;100,0;7,0;ja",
        "clienten;Totaal;8;8;100,0;7,0;ja",
    ]


def test_norm_and_promotor_score_by_hand(out: Path) -> None:
    norm = {row["dienst"]: row for row in of(out, "norm.csv", UMLAUT)}
    assert (norm["Totaal"]["norm"], norm["Totaal"]["uitkomst"]) == ("6,5", "gehaald")
    inburgering = norm["Inburgeringscursussen en duale trajecten"]
    # 570/11 - (78/11)² = 1,5372; its root 1,2398
    assert (inburgering["rapportcijfer"], inburgering["standaardafwijking"]) == ("7,1", "1,24")
    assert norm["Jobcoaching"]["standaardafwijking"] == "", "three grades"
    assert norm["Scholing en opleiding"]["uitkomst"] == "niet_te_bepalen"
    # 3 + 2 of 3 + 4 + 1 + 1, not of the 11 of inburgering: 55,56
    assert [list(row.values())[3:] for row in of(out, "promotorscore.csv", UMLAUT)] == [["5", "9", "55,6"]]


def test_percentages_are_rounded_up_by_themselves_and_stand_beside_all_participants(out: Path) -> None:
    rows = [row for row in of(out, "aspecten.csv", HOSTILE) if row["aspect"] == "LD_C_INFO"]
    assert [(row["antwoord"], row["aantal"], row["pct"], row["pct_alle_deelnemers"]) for row in rows] == [
        ("zeer_tevreden", "1", "13", "6"),  # 1/8 = 12,5; 1/17 = 5,9
        ("tevreden", "5", "63", "82"),  # 62,5; (9 + 5)/17 = 82,4
        ("ontevreden", "1", "13", "6"),
        ("zeer_ontevreden", "0", "0", "0"),
        ("geen_mening", "1", "13", "6"),  # 102 together, as it is
    ]
    alone = [row for row in of(out, "figuren.csv", UMLAUT) if row["vraag"] == "INB_LES"]
    assert {row["pct_alle_deelnemers"] for row in alone} == {""}, "no other provider was asked"
    assert {row["antwoord"]: row["pct"] for row in alone}["altijd"] == "100"


def numbers_of(out: Path, provider: str) -> dict[str, str]:
    return {row["vraag"]: row["figuur"] for row in of(out, "figuren.csv", provider)}


def test_figures_shift_where_a_questionnaire_was_not_used(out: Path) -> None:
    with_both, without = numbers_of(out, UMLAUT), numbers_of(out, HOSTILE)
    assert (with_both["INB_LES"], with_both["INB_SCHOOL"], with_both["LD_AANGERADEN"]) == ("3.3", "3.10", "3.11")
    assert (with_both["LD_C_INFO"], with_both["LD_DUUR"], with_both["PROVINCIE"]) == ("3.12", "3.15", "3.16")
    assert with_both["OG_CIJFER_tempo"] == "4.1"
    assert "INB_LES" not in without
    assert "LD_AANGERADEN" not in without, "nobody answered it"
    assert (without["LD_C_INFO"], without["LD_FREQ"], without["PROVINCIE"]) == ("3.3", "3.6", "3.7")
    freq = next(row for row in of(out, "figuren.csv", HOSTILE) if row["vraag"] == "LD_FREQ")
    assert freq["gemiddelde"] == "3,5", "0 to 7"


def test_commissioners_by_hand(out: Path) -> None:
    rows = [row for row in of(out, "figuren.csv", UMLAUT) if row["groep"] == "opdrachtgevers"]
    means = {row["vraag"]: (row["gemiddelde"], row["n"]) for row in rows if row["antwoord"] == "gemiddelde"}
    assert means == {"OG_CIJFER": ("7,5", "5"), "OG_CIJFER_tempo": ("", "1")}
    bars = {row["antwoord"]: (row["aantal"], row["pct"]) for row in rows if row["figuur"] == "4.2"}
    assert {grade: bar for grade, bar in bars.items() if bar != ("0", "0")} == {
        "6": ("2", "40"), "8": ("2", "40"), "10": ("1", "20"),
    }  # fmt: skip


def test_provinces_by_hand(out: Path) -> None:
    rows = {row["antwoord"]: row["aantal"] for row in of(out, "figuren.csv", HOSTILE) if row["vraag"] == "PROVINCIE"}
    assert {name: count for name, count in rows.items() if count != "0"} == {
        "Gelderland": "3", "Noord-Holland": "3", "onbekend": "2",
    }  # fmt: skip


def test_awkward_names_stay_whole_and_run_nowhere(out: Path) -> None:
    assert {row["provider"] for row in machine(out / "interviews.csv")} == {UMLAUT, HOSTILE}
    for path in set(out.glob("*.csv")) - {out / name for name in MACHINE_FILES}:
        cells = [cell for row in people(path) for cell in row.values()]
        assert not [cell for cell in cells if cell.startswith(("=", "@"))], path.name
    names = {path.name for path in out.glob("report_*.json")}
    assert names == {"report_grosse_sohne_taal.json", "report_cmd_c_calc_a0_b_v.json"}
    schema = json.loads((out / "report.schema.json").read_text(encoding="utf-8"))
    document = json.loads((out / "report_grosse_sohne_taal.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    assert document["provider"] == UMLAUT
    printed = [row["grade_printed"] for row in document["periods"][0]["table_1_1"]]
    assert printed == [row["rapportcijfer"] for row in of(out, "tabel_1_1.csv", UMLAUT)]
    book = python_calamine.CalamineWorkbook.from_path(out / "tabellen.xlsx")
    sheet = book.get_sheet_by_name("Tabel 1.1").to_python()
    assert {row[0] for row in sheet[1:]} == {UMLAUT, "'" + HOSTILE}
    assert [row[8] for row in sheet if row[0] == UMLAUT] == ["*", "*", 8.7, 7.3, 7.1, "*", 7.5, 7.5]


def test_duckdb_reads_the_parquet(out: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra `bench`")
    found = duckdb.sql(
        f"SELECT provider, count(*), avg(LD_CIJFER), min(period_from) FROM '{out / 'interviews.parquet'}' "
        "WHERE usable = 1 AND \"group\" = 'client' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [row[:2] for row in found] == [(HOSTILE, 8), (UMLAUT, 20)]
    assert found[1][2] == pytest.approx(65 / 8), "26 + 29 + 10 over eight grades"
    assert str(found[0][3]) == "2020-01-01"
