"""Reads a delivered table, CSV or workbook, as a provider's spreadsheet program wrote it.

Decides what kind of file it is (by its content, never by its name), its encoding and separator, which columns it
has, and which line each row stands on. What the cells mean is decided in `survey/`.

Line numbers: `row` counts the physical lines of a CSV file, so the row of a record is the line it begins on, also
when a quoted cell above it holds line breaks. In a workbook it is the row number of the sheet. The heading is the
first line that holds anything: line 1, unless empty lines (or Excel's `sep=;`) stand above it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.errors import FileRefusedError, UsageError
from ivr.fieldwork.workbooks import read_workbook
from ivr.survey.cells import Cell, as_text
from ivr.survey.names import fold
from ivr.survey.sample import Remark

MAX_BYTES = 200_000_000
MAX_COLUMNS = 16_384
MAX_LINE = 100_000
"""Signs on a line; reading one is work for each of them."""
_DELIMITERS = (";", ",", "\t")
_MAX_LINES_OF_A_RECORD = 20

_BSN = re.compile(r"bsn|burgerservice|sofi(?:nr|nummer|$)")


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """A row that holds anything: its line in the file, and its cells by column name (known columns only)."""

    number: int
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class DeliveredTable:
    """The known columns and rows of a file, and remarks on the file itself (unknown columns: ignored)."""

    columns: frozenset[str]
    rows: tuple[DeliveredRow, ...]
    remarks: tuple[Remark, ...]


_RawRow = tuple[int, Sequence[Cell]]


def read_table(
    path: Path, known: Sequence[str], required: Sequence[str], *, max_lines: int | None = None
) -> DeliveredTable:
    """The table in the file at `path`, with the columns `known`; `max_lines`: how far it may go down.

    Raises FileRefusedError (`bsn_column`, `not_a_table`, `empty_file`, `missing_column`, `duplicate_column`,
    `too_large`, `protected_file`) when nothing of it can be taken; UsageError when there is no such file.
    """
    rows = _bounded(_raw_rows(path, known), max_lines)
    heading_row = next(((number, cells) for number, cells in rows if _holds_anything(cells)), None)
    if heading_row is None:
        raise FileRefusedError("The file is empty. Deliver a table with headings in the first row.", code="empty_file")
    number, headings = heading_row
    names, remarks = _columns(number, [as_text(cell) for cell in headings], known, required)
    delivered: list[DeliveredRow] = []
    for row, cells in rows:
        if not _holds_anything(cells):
            continue
        if _holds_anything(cells[len(names) :]):
            remarks.append(
                Remark(
                    row,
                    "",
                    "extra_cells",
                    "Deze rij heeft meer cellen dan er kolommen zijn; de laatste zijn niet gelezen.",
                )
            )
        delivered.append(
            DeliveredRow(row, {name: cell for name, cell in zip(names, cells, strict=False) if name is not None})
        )
    columns = frozenset(name for name in names if name is not None)
    return DeliveredTable(columns, tuple(delivered), tuple(remarks))


def _columns(
    row: int, headings: list[str], known: Sequence[str], required: Sequence[str]
) -> tuple[list[str | None], list[Remark]]:
    if len(headings) > MAX_COLUMNS:
        raise _too_large(f"it has more than {MAX_COLUMNS} columns")
    by_key = {_key(name): name for name in known}
    # A file with BSNs is not looked at any further: that it also lacks a column does not matter then.
    if any(_BSN.search(_key(heading)) for heading in headings):
        raise FileRefusedError(
            "The file has a column with BSNs, which may not be delivered. Nothing was stored. Remove the column, "
            "delete the file that was sent, and deliver it again. "
            "(Het bestand bevat BSN's. Verwijder deze kolom en lever het bestand opnieuw aan.)",
            code="bsn_column",
        )
    names: list[str | None] = []
    remarks: list[Remark] = []
    for heading in headings:
        name = by_key.get(_key(heading))
        if name is not None and name in names:
            raise FileRefusedError(
                f"The column {name!r} occurs twice. Keep one of the two. (De kolom {name} staat er twee keer in.)",
                code="duplicate_column",
            )
        if name is None and heading:
            remarks.append(
                Remark(row, heading, "unknown_column", "Deze kolom kennen wij niet; wij gebruiken en bewaren hem niet.")
            )
        names.append(name)
    missing = [name for name in required if name not in names]
    if missing:
        raise FileRefusedError(
            f"The file has no column {', '.join(missing)}. Its first row must hold the headings "
            f"({', '.join(known)}). (De kolom {', '.join(missing)} ontbreekt.)",
            code="missing_column",
        )
    return names, remarks


def _key(heading: str) -> str:
    return fold(heading).replace(" ", "")


def _holds_anything(cells: Sequence[Cell]) -> bool:
    return any(as_text(cell) for cell in cells)


def _bounded(rows: Iterator[_RawRow], max_lines: int | None) -> Iterator[_RawRow]:
    for number, cells in rows:
        if max_lines is not None and number > max_lines:
            raise _too_large(f"it has more than {max_lines} lines")
        yield number, cells


def _raw_rows(path: Path, known: Sequence[str]) -> Iterator[_RawRow]:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if path.stat().st_size > MAX_BYTES:
        raise _too_large(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    data = path.read_bytes()
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return iter(read_workbook(data))
    return _csv_rows(_decode(data), known)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise _not_a_table("it begins as UTF-16 but is not") from error
    if b"\x00" in data or data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf")):
        raise _not_a_table("it holds bytes that no text file has")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Line by line: one line pasted from another program must not spoil the accents of all others.
        lines = data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
        return "".join(_decode_line(line) for line in lines)


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def _csv_rows(text: str, known: Sequence[str]) -> Iterator[_RawRow]:
    if re.match(r"\s*<(?:!doctype|html|\?xml|table)", text, re.IGNORECASE):
        raise _not_a_table("it is a web page or XML")
    lines = re.split(r"\r\n|\n|\r", text)
    if max(map(len, lines)) > MAX_LINE:
        raise _too_large(f"it has a line of more than {MAX_LINE} signs")
    start = 0
    delimiter = None
    if found := re.fullmatch(r'"?sep=(.)"?', lines[0].strip()):
        delimiter, start = found[1], 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    if start == len(lines):
        return
    heading = lines[start]
    # The separator is the one under which most headings are known, not the most frequent sign.
    keys = {_key(name) for name in known}
    delimiter = delimiter or max(
        _DELIMITERS,
        key=lambda sign: (
            sum(_key(cell) in keys for cell in _split([heading], sign)),
            len(_split([heading], sign)),
        ),
    )
    at = start
    while at < len(lines):
        taken = _lines_of_record(lines, at, delimiter)
        yield at + 1, _split(lines[at : at + taken], delimiter) if taken else _split_literally(lines[at], delimiter)
        at += max(taken, 1)


def _split(lines: list[str], delimiter: str) -> list[str]:
    try:
        return next(csv.reader([f"{line}\n" for line in lines[:-1]] + lines[-1:], delimiter=delimiter), [])
    except csv.Error:  # a cell larger than csv takes: nobody's data, and the row's own fault
        return _split_literally(lines[0], delimiter)


def _split_literally(line: str, delimiter: str) -> list[str]:
    return line.split(delimiter)


def _lines_of_record(lines: list[str], at: int, delimiter: str) -> int:
    """How many lines the record at `at` takes; 0 when a quote is opened and never closed.

    A lost quote must cost its own row, not every row below it: a record of more than twenty lines is none.
    """
    is_open = False
    for taken, line in enumerate(lines[at : at + _MAX_LINES_OF_A_RECORD], start=1):
        is_open = _is_open_after(line, delimiter, is_open)
        if not is_open:
            return taken
    return 0


def _is_open_after(line: str, delimiter: str, is_open: bool) -> bool:
    """Whether a quoted cell is still open at the end of `line`, when it was (`is_open`) at its start."""
    if '"' not in line:
        return is_open
    at_cell_start, position = not is_open, 0
    while position < len(line):
        sign = line[position]
        if is_open and sign == '"':
            if line[position + 1 : position + 2] == '"':
                position += 1
            else:
                is_open = False
        elif not is_open:
            is_open = at_cell_start and sign == '"'
            at_cell_start = sign == delimiter
        position += 1
    return is_open


def _too_large(why: str) -> FileRefusedError:
    return FileRefusedError(f"The file is too large for a list: {why}. Split it.", code="too_large")


def _not_a_table(why: str) -> FileRefusedError:
    return FileRefusedError(
        f"The file is not a table: {why}. Deliver CSV or XLSX. (Lever een CSV- of Excelbestand aan.)",
        code="not_a_table",
    )
