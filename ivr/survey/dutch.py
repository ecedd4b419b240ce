"""How days, periods and expectations read in Dutch, in Europe/Amsterdam: the same on a page and in a mail."""

from __future__ import annotations

from datetime import date, datetime

from ivr.survey.callplan import ZONE
from ivr.survey.forecast import Forecast

MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_MONTHS_IN_FULL = (
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november",
    "december",
)  # fmt: skip
DAYS = ("ma", "di", "wo", "do", "vr", "za", "zo")


def day(value: date | datetime | None) -> str:
    """ma 23 nov 2026, in Amsterdam; – for nothing."""
    if value is None:
        return "–"
    local = value.astimezone(ZONE) if isinstance(value, datetime) else value
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"


def written_out(value: date) -> str:
    """22 januari 2027: on a letter or report a month is a word; a row of numbers is read wrongly."""
    return f"{value.day} {_MONTHS_IN_FULL[value.month - 1]} {value.year}"


def moment(value: datetime | None) -> str:
    """ma 23 nov 16.05, in Amsterdam; – for nothing."""
    if value is None:
        return "–"
    local = value.astimezone(ZONE)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local:%H.%M}"


def period(first: date, last: date) -> str:
    """A meetperiode: 2026 for a calendar year, otherwise both days."""
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return str(first.year)
    return f"{first.day} {MONTHS[first.month - 1]} {first.year} – {last.day} {MONTHS[last.month - 1]} {last.year}"


def expectation(outcome: Forecast | None) -> str:
    """24 ± 2; where nothing above what is expected can come (the target stops the calls) 22 tot 25; – for nothing."""
    if outcome is None:
        return "–"
    if not outcome.margin:
        return str(outcome.expected)
    if outcome.high == outcome.expected:
        return f"{outcome.low} tot {outcome.high}"
    return f"{outcome.expected} ± {outcome.margin}"
