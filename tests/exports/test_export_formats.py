"""Parquet, SPSS, XLSX and JSON: the same data set, typed; the same bytes for the same data."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pyreadstat
import pytest
import python_calamine

from ivr.exports import report
from ivr.exports.export import FORMATS, Request, export
from ivr.exports.files import Outbox
from ivr.store import Database
from tests.exports.exporting import NOON, Room, a_catalogue, machine, people

REQUEST = Request(formats=FORMATS)


def fill(database: Database, providers: int = 2, clients: int = 6) -> None:
    with database.write() as session:
        room = Room(session)
        for number in range(providers):
            sample = room.sample(f"=Träck {number}")
            for nth in range(clients):
                case = room.case(sample)
                answers = {"LD_C_INFO": "tevreden" if nth else "weet_niet", "LD_CIJFER": str(7 + nth % 3)}
                answers |= {
                    "LD_AANGERADEN": "ja" if nth % 2 else "oude_code",
                    "LD_FREQ": "0" if nth else "niet_begrepen",
                }
                room.interview(case, answers, at=NOON + timedelta(hours=nth))


@pytest.fixture
def out(sqlite_database: Database, tmp_path: Path) -> Path:
    fill(sqlite_database)
    export(sqlite_database, a_catalogue(), tmp_path / "out", REQUEST)
    return tmp_path / "out"


def test_parquet_holds_the_rows_of_the_wide_file_with_types(out: Path) -> None:
    table = pq.read_table(out / "interviews.parquet")
    wide = machine(out / "interviews.csv")
    assert table.column_names == list(wide[0])
    assert table.num_rows == len(wide) == 12
    assert table["LD_CIJFER"].to_pylist() == [float(row["LD_CIJFER"]) for row in wide]
    assert table["LD_C_INFO"].to_pylist() == [row["LD_C_INFO"] for row in wide]
    assert set(table["LD_FREQ"].to_pylist()) == {0.0, None}
    assert set(table["INB_LES"].to_pylist()) == {None}
    assert str(table.schema.field("started_at").type) == "timestamp[ms]"


def test_sav_has_dutch_labels_and_declared_missing_values(out: Path) -> None:
    frame, meta = pyreadstat.read_sav(str(out / "interviews.sav"), user_missing=True)
    wide = machine(out / "interviews.csv")
    assert len(frame) == len(wide)
    assert meta.column_names_to_labels["LD_CIJFER"] == "Rapportcijfer"
    labels = meta.variable_value_labels["LD_C_INFO"]
    assert (labels[2.0], labels[-1.0]) == ("Tevreden", "Weet ik niet of geen mening")
    assert meta.missing_ranges["LD_C_INFO"] == [{"lo": -3.0, "hi": -1.0}]
    assert sorted(set(frame["LD_C_INFO"])) == [-1.0, 2.0]
    assert sorted(set(frame["LD_FREQ"])) == [-2.0, 0.0]
    assert meta.variable_value_labels["LD_AANGERADEN"][101.0] == "oude_code"
    assert meta.variable_value_labels["service"][5.0] == "Jobcoaching"
    plain, _ = pyreadstat.read_sav(str(out / "interviews.sav"))
    assert plain["LD_C_INFO"].isna().sum() == 2


def test_workbooks_hold_real_numbers_and_no_formula(out: Path) -> None:
    book = python_calamine.CalamineWorkbook.from_path(out / "interviews.xlsx")
    rows = book.get_sheet_by_name("interviews").to_python()
    header = rows[0]
    assert len(rows) == 13
    assert all(isinstance(row[header.index("LD_CIJFER")], float) for row in rows[1:])
    assert {row[header.index("provider")] for row in rows[1:]} == {"'=Träck 0", "'=Träck 1"}
    tables = python_calamine.CalamineWorkbook.from_path(out / "tabellen.xlsx")
    assert tables.sheet_names[0] == "Tabel 1.1"
    printed = tables.get_sheet_by_name("Tabel 1.1").to_python()
    assert printed[1][5:9] == [6.0, 6.0, 100.0, 8.0]
    assert printed[1][0] == "'=Träck 0"


def test_report_satisfies_its_schema_and_agrees_with_the_tables(out: Path) -> None:
    document = json.loads((out / "report_track_0.json").read_text())
    jsonschema.validate(document, json.loads((out / "report.schema.json").read_text()))
    (period,) = document["periods"]
    assert period["table_1_1"][-1]["grade_printed"] == people(out / "tabel_1_1.csv")[1]["rapportcijfer"]
    assert period["promotor_score"] == {"recommended": 3, "n": 6, "score": "50.0"}


def test_every_format_gives_the_same_bytes_again(sqlite_database: Database, tmp_path: Path) -> None:
    fill(sqlite_database)
    export(sqlite_database, a_catalogue(), tmp_path / "one", REQUEST)
    time.sleep(2.1)  # headers and zip entries hold times of two seconds
    export(sqlite_database, a_catalogue(), tmp_path / "two", REQUEST)
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert [name for name in first if first[name] != second[name]] == []
    assert {"interviews.sav", "interviews.xlsx", "interviews.parquet", "report_track_1.json"} <= set(first)


def test_an_export_of_nobody_works_in_every_format(sqlite_database: Database, tmp_path: Path) -> None:
    export(sqlite_database, a_catalogue(), tmp_path / "out", REQUEST)
    assert pq.read_table(tmp_path / "out" / "interviews.parquet").num_rows == 0
    assert machine(tmp_path / "out" / "interviews.csv") == []


def test_formats_that_were_not_asked_are_not_written(sqlite_database: Database, tmp_path: Path) -> None:
    fill(sqlite_database)
    export(sqlite_database, a_catalogue(), tmp_path / "out", Request(formats=("parquet",)))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "interviews.parquet",
        "codebook.html",
        "manifest.json",
    }


def test_two_providers_with_one_spelling_get_files_of_their_own(tmp_path: Path) -> None:
    taken: set[str] = set()
    names = []
    for provider in ("Träck 2", "track-2", "***"):
        names.append(report.file_name(provider, taken))
        taken.add(names[-1])
    assert names == ["report_track_2.json", "report_track_2_2.json", "report_dienstverlener.json"]
    assert Outbox(tmp_path).written == []


def test_small_groups_are_hidden_and_not_left_to_subtraction(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.write() as session:
        room = Room(session)
        for provider, clients in (("Groot", 9), ("Klein", 3)):
            sample = room.sample(provider)
            for _ in range(clients):
                room.interview(room.case(sample), {"LD_C_INFO": "tevreden", "LD_CIJFER": "8", "LD_AANGERADEN": "ja"})
    export(sqlite_database, a_catalogue(), tmp_path / "out", Request())
    rows = people(tmp_path / "out" / "aspecten.csv")
    small = [row for row in rows if row["provider"] == "Klein"]
    large = [row for row in rows if row["provider"] == "Groot"]
    assert {(row["aantal"], row["pct"], row["n"]) for row in small} == {("", "", "3")}
    assert [row["pct"] for row in large if row["antwoord"] == "tevreden"] == ["100"]
    # All participants together minus the large provider would be the small one.
    assert {row["pct_alle_deelnemers"] for row in rows} == {""}
    assert [row["rapportcijfer"] for row in people(tmp_path / "out" / "tabel_1_1.csv")] == ["8,0"] * 4


def test_benchmark_counts_everyone_even_when_one_provider_is_exported(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as session:
        room = Room(session)
        for provider, answer, clients in (("Alfa", "tevreden", 5), ("Beta", "ontevreden", 11)):
            sample = room.sample(provider)
            for _ in range(clients):
                room.interview(room.case(sample), {"LD_C_INFO": answer})
    export(sqlite_database, a_catalogue(), tmp_path / "out", Request(provider="Alfa"))
    rows = {row["antwoord"]: row for row in people(tmp_path / "out" / "aspecten.csv")}
    assert {row["provider"] for row in rows.values()} == {"Alfa"}
    assert (rows["tevreden"]["pct"], rows["tevreden"]["pct_alle_deelnemers"]) == ("100", "31")
    assert rows["ontevreden"]["pct_alle_deelnemers"] == "69"
