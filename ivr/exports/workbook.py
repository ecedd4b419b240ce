"""Writes an XLSX workbook row by row in constant memory, the same bytes for the same rows.

Decides the form of a sheet: frozen bold headings, real numbers shown with the decimals they came with, everything
else as text. No formula, no link is ever made of a text. The file itself is xlsxwriter's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import xlsxwriter
import xlsxwriter.worksheet

from ivr.exports.files import harmless

SHEET_ROWS = 1_000_000
"""Rows per sheet; a sheet holds 1 048 576."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]+)?")
_LONGEST = 32_767
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001  (the same day in every workbook: the same data gives the same bytes)
_PLACES = ("0", "0.0", "0.00")


class Workbook:
    """A workbook that is being written; use it as a context manager."""

    def __init__(self, target: Path) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(target, options)
        self._book.set_properties({"created": _MADE})
        self._bold = self._book.add_format({"bold": True})
        self._forms = [self._book.add_format({"num_format": form}) for form in _PLACES]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._book.close()

    def sheets(self, name: str, header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]) -> int:
        """Write rows onto as many sheets as they need; gives their number. `numeric`: per column, whether text that
        is a plain number becomes one (a comma counts as a point). An empty text leaves its cell empty."""
        total = 0
        sheet = self._open_sheet(name, header)
        for row in rows:
            if total and total % SHEET_ROWS == 0:
                sheet = self._open_sheet(f"{name} {total // SHEET_ROWS + 1}", header)
            line = total % SHEET_ROWS + 1
            for column, (text, is_number) in enumerate(zip(row, numeric, strict=False)):
                if not text:
                    continue
                if is_number and _NUMBER.fullmatch(text):
                    plain = text.replace(",", ".")
                    places = min(len(plain.partition(".")[2]), 2)
                    sheet.write_number(line, column, float(plain), self._forms[places])
                else:
                    sheet.write_string(line, column, harmless(text)[:_LONGEST])
            total += 1
        return total

    def _open_sheet(self, title: str, header: Sequence[str]) -> xlsxwriter.worksheet.Worksheet:
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(header) - 1, 0), 16)
        for column, text in enumerate(header):
            sheet.write_string(0, column, harmless(text), self._bold)
        return sheet
