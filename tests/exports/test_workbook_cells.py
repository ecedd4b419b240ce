"""Cells that look like what they are not: sheets and SPSS names keep them apart."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import python_calamine

from ivr.exports import workbook
from ivr.exports.spss import variable_names
from ivr.exports.workbook import Sheet


def rows_of(path: Path, sheet: str) -> list[list[object]]:
    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()  # type: ignore[return-value]


def test_only_numeric_columns_hold_numbers(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    rows = [["1e5", "3.10", "8,9"], ["007", "3.1", "*"], ["nan", "", "-2"]]
    sheet = Sheet("Blad", ["provider", "figuur", "cijfer"], iter(rows), 3, {"cijfer": "0.0", "elders": "0"})
    assert workbook.write(path, [sheet]) == 3
    assert rows_of(path, "Blad")[1:] == [["1e5", "3.10", 8.9], ["007", "3.1", "*"], ["nan", "", -2.0]]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    hostile = ["=1+1", "@SUM(A1)", "<x>&'\"", "a\x07b", " spatie ", "x" * 40_000, "twee\nregels"]
    workbook.write(path, [Sheet("Blad", ["naam"], [[text] for text in hostile], len(hostile), {"naam": "0"})])
    read = [row[0] for row in rows_of(path, "Blad")[1:]]
    assert read[:3] == ["'=1+1", "'@SUM(A1)", "<x>&'\""]
    assert read[4:] == [" spatie ", "x" * 32_767, "twee\nregels"]
    assert b"<f>" not in path.read_bytes()


def test_spss_names_fit_and_differ_in_more_than_capitals() -> None:
    names = variable_names(["OG_CIJFER_a", "OG_CIJFER_A", "OG_CIJFER_" + "x" * 60])
    assert list(names.values()) == ["OG_CIJFER_a", "OG_CIJFER_A_2", "OG_CIJFER_" + "x" * 54]


def test_a_sheet_without_rows_keeps_its_headings_and_too_many_rows_take_a_second_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 2)
    path = tmp_path / "book.xlsx"
    rows = [["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"], ["e", "5"]]
    sheets = [
        Sheet("Leeg", ["naam", "=n"], [], 0, {"=n": "0"}),
        Sheet("Vol", ["naam", "=n"], iter(rows), 5, {"=n": "0"}),
    ]
    assert workbook.write(path, sheets) == 5
    assert python_calamine.CalamineWorkbook.from_path(path).sheet_names == ["Leeg", "Vol", "Vol 2", "Vol 3"]
    assert rows_of(path, "Leeg") == [["naam", "'=n"]]
    assert rows_of(path, "Vol 2") == [["naam", "'=n"], ["c", 3.0], ["d", 4.0]]
    assert rows_of(path, "Vol 3") == [["naam", "'=n"], ["e", 5.0]]


def test_headings_are_frozen_and_bold_and_no_clock_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    workbook.write(path, [Sheet("Blad", ["cijfer"], [["8,0"]], 1, {"cijfer": "0.0"})])
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        sheet, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
        assert "2000-01-01T00:00:00Z" in book.read("docProps/core.xml").decode()
        assert {one.date_time for one in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert 'ySplit="1"' in sheet
    assert 'state="frozen"' in sheet
    assert "<b/>" in styles
    assert '"0.0"' in styles, "8,0 is shown as 8,0"
