"""How figures, days and codes read on a Dutch page: Europe/Amsterdam, decimal comma, words for codes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from flask import Flask

from ivr.survey.callplan import ZONE as AMSTERDAM
from ivr.survey.dutch import day, expectation, moment, period

__all__ = ["AMSTERDAM", "day", "euro", "moment", "number", "period", "register"]

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


def register(app: Flask) -> None:
    app.jinja_env.filters.update(getal=number, euro=euro, dag=day, moment=moment, verwachting=expectation)
    app.jinja_env.globals.update(period=period, STATES=STATES, TRACKS=TRACKS, ROLES=ROLES)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
