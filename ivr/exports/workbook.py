"""Writes an XLSX workbook row by row in constant memory, the same bytes for the same rows.

Decides the form of a sheet: frozen bold headings, real numbers shown with the decimals they came with, everything
else as text. No formula is ever written. Written here instead of by a library because a hundred thousand rows of
sixty columns then take a quarter of the time: texts that come back are kept as finished cells.
Form: ECMA-376 part 1, SpreadsheetML; only what Excel, LibreOffice and calamine need.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from xml.sax.saxutils import escape

from ivr.exports.files import harmless

SHEET_ROWS = 1_000_000
"""Rows per sheet; a sheet holds 1 048 576."""

_KEPT = 20_000
_BLOCK = 500
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]+)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_LONGEST = 32_767
_MADE = (1980, 1, 1, 0, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="0.0"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/>'
    '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill '
    'patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
    '</cellStyleXfs><cellXfs count="5"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="1" applyNumberFormat="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="2" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
_BOLD, _WHOLE = 1, 2


class Workbook:
    """A workbook that is being written; use it as a context manager."""

    def __init__(self, target: Path) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._finish()
        self._zip.close()

    def sheets(self, name: str, header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]) -> int:
        """Write rows onto as many sheets as they need; gives their number. `numeric`: per column, whether text that
        is a plain number becomes one (a comma counts as a point). An empty text leaves its cell empty."""
        total = 0
        waiting = iter(rows)
        finished: tuple[dict[str, str], dict[str, str]] = ({}, {})
        makers = [(letters, finished[is_number], is_number) for letters, is_number in zip(_letters(), numeric)]  # noqa: B905
        more = True
        while more:
            here, more = 0, False
            title = name if total == 0 else f"{name} {total // SHEET_ROWS + 1}"
            with self._open_sheet(title, header) as sheet:
                lines: list[str] = []
                for row in waiting:
                    here += 1
                    lines.append(_line(here + 1, row, makers))
                    if len(lines) == _BLOCK:
                        sheet.write("".join(lines).encode())
                        lines.clear()
                    if here == SHEET_ROWS:
                        more = True
                        break
                sheet.write(("".join(lines) + "</sheetData></worksheet>").encode())
            total += here
        return total

    def _open_sheet(self, title: str, header: Sequence[str]) -> IO[bytes]:
        self._names.append(title)
        sheet = self._open(f"xl/worksheets/sheet{len(self._names)}.xml")
        top = "".join(
            f'<c r="{letters}1"{_text(text, _BOLD)}' for letters, text in zip(_letters(), header, strict=False)
        )
        sheet.write(
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
            f'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols><col min="1" '
            f'max="{max(len(header), 1)}" width="16" customWidth="1"/></cols><sheetData><row r="1">{top}</row>'.encode()
        )
        return sheet

    def _open(self, name: str) -> IO[bytes]:
        entry = zipfile.ZipInfo(name, _MADE)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry._compresslevel = 1  # type: ignore[attr-defined]
        return self._zip.open(entry, "w", force_zip64=True)

    def _put(self, name: str, text: str) -> None:
        with self._open(name) as part:
            part.write((_HEAD + text).encode())

    def _finish(self) -> None:
        numbers = range(1, len(self._names) + 1)
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers
        )
        self._put("xl/styles.xml", _STYLES)
        names = "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, self._names, strict=True)
        )
        self._put(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        links += f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        self._put(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'
        )
        self._put(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        self._put(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
            'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>{parts}</Types>',
        )


def _line(number: int, row: Sequence[str], makers: Sequence[tuple[str, dict[str, str], bool]]) -> str:
    cells = [f'<row r="{number}">']
    for (letters, finished, is_number), text in zip(makers, row, strict=False):
        if text:
            cell = finished.get(text)
            if cell is None:
                cell = _number(text) if is_number and _NUMBER.fullmatch(text) else _text(text)
                if len(finished) < _KEPT:
                    finished[text] = cell
            cells.append(f'<c r="{letters}{number}"{cell}')
    cells.append("</row>")
    return "".join(cells)


def _number(text: str) -> str:
    plain = text.replace(",", ".")
    places = min(len(plain.partition(".")[2]), 2)
    return f' s="{_WHOLE + places}"><v>{plain}</v></c>'


def _text(text: str, style: int = 0) -> str:
    safe = escape(_CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", harmless(text)[:_LONGEST]))
    kept = ' xml:space="preserve"' if safe != safe.strip() or "\n" in safe else ""
    return f'{f" s={chr(34)}{style}{chr(34)}" if style else ""} t="inlineStr"><is><t{kept}>{safe}</t></is></c>'


def _letters() -> Iterable[str]:
    """A, B, …, Z, AA, …"""
    number = 0
    while True:
        number += 1
        rest, name = number, ""
        while rest:
            rest, digit = divmod(rest - 1, 26)
            name = chr(65 + digit) + name
        yield name
