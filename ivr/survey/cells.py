"""What stands in one cell of a delivered table, and how it is read as text, code, date, or yes and no.

A cell comes from CSV (always text) or a workbook (text, number, truth value, date). Decides how forgiving the
reading is; what a missing or wrong value means for the row is decided in `sample.py`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

Cell = str | float | bool | date | datetime | None
"""Integers count as floats; a datetime is a date."""

_WASTE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u2060\ufeff\ud800-\udfff]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DUTCH = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})(?: 00:00(?::00)?)?")
_WHOLE = re.compile(r"(\d{1,6})(?:[.,]0+)?")

_YES = frozenset({"ja", "j", "yes", "y", "true", "waar", "1"})
_NO = frozenset({"nee", "n", "no", "neen", "false", "onwaar", "0"})


def as_text(cell: Cell) -> str:
    """The cell as clean text: outer spaces (of any width) and control signs gone, inner spaces single; '' if empty."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "ja" if cell else "nee"
    if isinstance(cell, (int, float)):
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = " ".join(unicodedata.normalize("NFC", _WASTE.sub("", cell)).split())
    # `="0612345678"`: how exports keep Excel from taking a leading zero.
    return text[2:-1].strip() if len(text) > 2 and text.startswith('="') and text.endswith('"') else text


def as_whole(cell: Cell) -> int | None:
    """A whole number (`11`, `11.0`, `11,0`, 11.0), or None."""
    found = _WHOLE.fullmatch(as_text(cell))
    return int(found[1]) if found else None


def as_date(cell: Cell) -> date | None:
    """A day, written `2026-03-31` or `31-03-2026`, or a workbook's own date; None for anything else."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = as_text(cell)
    try:
        if found := _ISO.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DUTCH.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None
    return None


def as_yes_no(cell: Cell) -> bool | None:
    """True for ja, False for nee, None for anything else (an empty cell too)."""
    word = as_text(cell).casefold().rstrip(".!")
    return True if word in _YES else False if word in _NO else None
