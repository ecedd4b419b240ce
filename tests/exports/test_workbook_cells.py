"""Cells that look like what they are not: sheets and SPSS names keep them apart."""

from __future__ import annotations

from pathlib import Path

import python_calamine

from ivr.exports.spss import variable_names
from ivr.exports.workbook import Workbook


def rows_of(path: Path, sheet: str) -> list[list[object]]:
    return python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()  # type: ignore[return-value]


def test_only_numeric_columns_hold_numbers(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    rows = [["1e5", "3.10", "8,9"], ["007", "3.1", "*"], ["nan", "", "-2"]]
    with Workbook(path) as book:
        assert book.sheets("Blad", ["provider", "figuur", "cijfer"], rows, [False, False, True]) == 3
    assert rows_of(path, "Blad")[1:] == [["1e5", "3.10", 8.9], ["007", "3.1", "*"], ["nan", "", -2.0]]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    hostile = ["=1+1", "@SUM(A1)", "<x>&'\"", "a\x07b", " spatie ", "x" * 40_000, "twee\nregels"]
    with Workbook(path) as book:
        book.sheets("Blad", ["naam"], [[text] for text in hostile], [True])
    read = [row[0] for row in rows_of(path, "Blad")[1:]]
    assert read[:3] == ["'=1+1", "'@SUM(A1)", "<x>&'\""]
    assert read[4:] == [" spatie ", "x" * 32_767, "twee\nregels"]
    assert b"<f>" not in path.read_bytes()


def test_spss_names_fit_and_differ_in_more_than_capitals() -> None:
    names = variable_names(["OG_CIJFER_a", "OG_CIJFER_A", "OG_CIJFER_" + "x" * 60])
    assert list(names.values()) == ["OG_CIJFER_a", "OG_CIJFER_A_2", "OG_CIJFER_" + "x" * 54]
