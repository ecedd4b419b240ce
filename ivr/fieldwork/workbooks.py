"""Reads the first visible sheet of a workbook, in a process of its own that may not take much.

A workbook is a stranger's archive: one of a kilobyte can claim a sheet of seventeen thousand million cells, and the
reader then takes the whole process with it. So it is opened by a child with bounded memory and processor time, an empty
environment and nothing to write to; what comes back is lines of JSON. Decides those bounds; what the cells mean is
`delivered.py`'s and `survey/`'s.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import python_calamine as calamine

from ivr.errors import FileRefusedError
from ivr.survey.cells import Cell

MEMORY_BYTES = 1536 << 20
"""Address space of the child: ten times what a list of 40 000 clients takes."""
CPU_SECONDS = 5
WALL_SECONDS = 20
ANSWER_BYTES = 64 << 20


def read_workbook(data: bytes) -> list[tuple[int, Sequence[Cell]]]:
    """(row number, cells) of the rows that hold anything; `data` is XLSX, XLS or ODS.

    FileRefusedError: `protected_file`, `not_a_table`, or `too_large` when it takes more than the bounds.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", __name__], input=data, capture_output=True, timeout=WALL_SECONDS, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _refused("too_large") from error
    if child.returncode != 0:
        # The child says what is wrong with a file that it could read; what it dies of is its bounds.
        raise _refused({3: "protected_file", 4: "not_a_table"}.get(child.returncode, "too_large"))
    rows = (json.loads(line) for line in child.stdout.splitlines())
    return [(number, [_cell(value) for value in cells]) for number, cells in rows]


def _refused(code: str) -> FileRefusedError:
    return FileRefusedError(
        {
            "protected_file": "The workbook has a password. Save it without one.",
            "not_a_table": "The file is not a table: it is not a workbook that can be read. Deliver CSV or XLSX. "
            "(Lever een CSV- of Excelbestand aan.)",
            "too_large": "The workbook is too large: it takes more memory or time than any list. Save the list as CSV.",
        }[code],
        code=code,
    )


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["moment"]) if "moment" in value else date.fromisoformat(value["day"])
    return value


# --- the child --------------------------------------------------------------------------------------------------


def _plain(cell: object) -> object:
    if isinstance(cell, datetime):
        return {"moment": cell.isoformat()}
    if isinstance(cell, date):
        return {"day": cell.isoformat()}
    # A time of day or a duration is no value any column has; its text makes a clear rejection.
    return cell if isinstance(cell, (str, int, float)) else str(cell)


def _main() -> int:
    """Workbook on stdin, rows on stdout; 3 for a password, 4 for no workbook."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
        visible = [sheet for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
        if not sheets:
            return 4
        rows = workbook.get_sheet_by_name((visible or sheets)[0].name).to_python(skip_empty_area=False)
    except calamine.PasswordError:
        return 3
    except calamine.CalamineError:
        return 4
    left = ANSWER_BYTES
    for number, row in enumerate(rows, start=1):
        if any(cell not in ("", None) for cell in row):
            line = json.dumps((number, [_plain(cell) for cell in row]))
            left -= len(line)
            if left < 0:
                return 5
            sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
