"""A workbook is a stranger's archive: whatever it claims, the house stays up and says no."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from ivr.errors import FileRefusedError
from ivr.fieldwork.delivered import MAX_COLUMNS, MAX_LINE, read_table
from ivr.fieldwork.workbooks import read_workbook

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def archive(rows: str) -> bytes:
    """The smallest workbook around these rows of XML."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPES}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="a" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="A" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="a" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in parts.items():
            zipped.writestr(name, text)
    return file.getvalue()


def cell(at: str, text: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_numbers_days_and_text_come_through_with_their_row_numbers() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["clientnummer", "dienst", "einddatum_traject", "zelfmelder"])
        sheet.write_row(2, 0, ["é1", 5])
        sheet.write_datetime(2, 2, datetime(2025, 3, 1), book.add_format({"num_format": "dd-mm-yyyy"}))  # noqa: DTZ001  (Excel has no zones)
        sheet.write_boolean(2, 3, True)
    (first, head), (second, row) = read_workbook(file.getvalue())
    assert (first, list(head)) == (1, ["clientnummer", "dienst", "einddatum_traject", "zelfmelder"])
    assert (second, row[0], row[1], row[3]) == (3, "é1", 5, True)
    assert str(row[2]).startswith("2025-03-01")


@pytest.mark.parametrize(
    "rows",
    [
        # Seventeen thousand million cells between two; a sheet reader that lays them all out asks for half a terabyte.
        f'<row r="1">{cell("A1", "clientnummer")}</row><row r="1048576">{cell("XFD1048576", "x")}</row>',
        f'<row r="1">{cell("A1", "x" * 100_000_000)}</row>',
    ],
    ids=["far cell", "long text"],
)
def test_an_archive_that_blows_up_is_refused_and_harms_nobody(rows: str) -> None:
    data = archive(rows)
    assert len(data) < 1 << 20
    with pytest.raises(FileRefusedError) as refused:
        read_workbook(data)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("data", [b"PK\x03\x04" + b"\x00" * 200, b"\xd0\xcf\x11\xe0" + b"\xff" * 600])
def test_what_only_begins_like_a_workbook_is_not_a_table(data: bytes) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read_workbook(data)
    assert refused.value.code == "not_a_table"


def test_a_table_may_be_given_an_end(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("clientnummer\n" + "1\n" * 9)
    assert len(read_table(path, ("clientnummer",), ("clientnummer",), max_lines=11).rows) == 9
    with pytest.raises(FileRefusedError) as refused:
        read_table(path, ("clientnummer",), ("clientnummer",), max_lines=9)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    "text",
    [";".join(["clientnummer", *["x"] * MAX_COLUMNS]), "clientnummer\n" + '"' * (MAX_LINE + 1)],
    ids=["columns", "signs"],
)
def test_an_endless_line_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    with pytest.raises(FileRefusedError) as refused:
        read_table(path, ("clientnummer",), ("clientnummer",))
    assert refused.value.code == "too_large"
