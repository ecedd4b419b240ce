"""How figures, days and codes read on a Dutch page: Europe/Amsterdam, decimal comma, words for codes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from flask import Flask

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
DAYS = ("ma", "di", "wo", "do", "vr", "za", "zo")

STATES = {
    "open": "loopt",
    "filled": "vol",
    "exhausted": "lijst op",
    "paused": "gepauzeerd",
    "closed": "gesloten",
}
TRACKS = {"inburgering": "inburgering", "purchased": "ingekocht"}
ROLES = {"viewer": "kijker", "fieldwork": "veldwerk", "admin": "beheerder", "provider": "dienstverlener"}


def number(value: float | Decimal | None, decimals: int = 0) -> str:
    """1234.5 → 1.235 (half up), with Dutch signs; – for nothing."""
    if value is None:
        return "–"
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:,}".translate(str.maketrans(",.", ".,"))


def euro(value: Decimal | float | None) -> str:
    """12.5 → € 12,50"""
    return "–" if value is None else f"€\u00a0{number(value, 2)}"


def day(value: date | datetime | None) -> str:
    """ma 23 nov 2026, in Amsterdam."""
    if value is None:
        return "–"
    local = value.astimezone(AMSTERDAM) if isinstance(value, datetime) else value
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year}"


def moment(value: datetime | None) -> str:
    """ma 23 nov 16.05, in Amsterdam."""
    if value is None:
        return "–"
    local = value.astimezone(AMSTERDAM)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local:%H.%M}"


def period(first: date, last: date) -> str:
    """A meetperiode: 2026 for a calendar year, otherwise both days."""
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return str(first.year)
    return f"{first.day} {MONTHS[first.month - 1]} {first.year} – {last.day} {MONTHS[last.month - 1]} {last.year}"


def register(app: Flask) -> None:
    app.jinja_env.filters.update(getal=number, euro=euro, dag=day, moment=moment)
    app.jinja_env.globals.update(period=period, STATES=STATES, TRACKS=TRACKS, ROLES=ROLES)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
