"""Writes an XLSX workbook row by row in constant memory, the same bytes for the same rows.

Decides the form of a sheet: frozen bold headings, real numbers in the columns that hold numbers, everything else as
text. No formula, no link is ever made of a text. The file itself is rust_xlsxwriter's work, which takes a quarter of
the time of xlsxwriter.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import FastExcel, Format

from ivr.exports.files import harmless

SHEET_ROWS = 1_000_000
"""Rows per sheet; a sheet holds 1 048 576."""
GENERAL = "General"

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]+)?")
_LONGEST = 32_767
_KEPT = 20_000
_PROPERTIES = "docProps/core.xml"
_MADE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What becomes one sheet, or as many as its rows need.

    numbers: column → number format (`0.0`, `General`); text in such a column that is a plain number becomes one, a
    comma counting as a point. Every other cell is text; an empty text leaves its cell empty. count: how many rows.
    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    count: int
    numbers: Mapping[str, str]


def write(target: Path, sheets: Sequence[Sheet]) -> int:
    """Write the workbook; gives the rows of all sheets together. Rows are taken while it is written, one by one."""
    book = FastExcel(target, output_format="xlsx").format(bold_headers=True).freeze(row=1)
    for sheet in sheets:
        formats = {name: shown for name in sheet.header if (shown := sheet.numbers.get(name, GENERAL)) != GENERAL}
        used = {harmless(name): Format().set_num_format(shown) for name, shown in formats.items()}
        rows = _records(sheet)
        for number in range(max(1, -(-sheet.count // SHEET_ROWS))):
            title = f"{sheet.name} {number + 1}" if number else sheet.name
            here = islice(rows, SHEET_ROWS) if sheet.count else _headings_only(sheet.header)
            book.sheet(title, here, column_width=16, column_formats=used)
    book.save()
    _forget_when(target)
    return sum(sheet.count for sheet in sheets)


def _records(sheet: Sheet) -> Iterator[dict[str, Any]]:
    names = [harmless(name) for name in sheet.header]
    # Codes, names and grades come by the million: each is looked at once, among numbers or among texts.
    texts, numbers = _Texts(), _Numbers()
    ways = [numbers if name in sheet.numbers else texts for name in sheet.header]
    for row in sheet.rows:
        yield {name: way[text] for name, way, text in zip(names, ways, row, strict=False)}


class _Texts(dict[str, str | None]):
    def __missing__(self, text: str) -> str | None:
        cell = harmless(text)[:_LONGEST] or None
        if len(self) < _KEPT:
            self[text] = cell
        return cell


class _Numbers(dict[str, float | str | None]):
    def __missing__(self, text: str) -> float | str | None:
        if _NUMBER.fullmatch(text):
            cell = int(text) if text.lstrip("-").isdigit() else float(text.replace(",", "."))
        else:
            cell = harmless(text)[:_LONGEST] or None
        if len(self) < _KEPT:
            self[text] = cell
        return cell


def _headings_only(header: Sequence[str]) -> Any:
    """Without a row there is no dictionary to take the headings from; a table without rows has them all the same."""
    import pyarrow as pa

    return pa.table({harmless(name): pa.array([], pa.string()) for name in header})


def _forget_when(target: Path) -> None:
    """Set the moment of making, which the library takes from the clock, to a fixed one.

    The properties stand behind the sheets, so only the end of the archive is written again."""
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as book:
        first = book.getinfo(_PROPERTIES).header_offset
        tail = [(one, book.read(one)) for one in book.infolist() if one.header_offset >= first]
        for one, _ in tail:
            book.filelist.remove(one)
            del book.NameToInfo[one.filename]
        book.start_dir = first
        for one, content in tail:
            entry = zipfile.ZipInfo(one.filename)
            entry.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(entry, _MADE.sub(b"2000-01-01T00:00:00Z", content))
