"""When a telephone may ring in the Netherlands, worked out here once more.

The yardstick of the rehearsal shares no line and no library with the calendar of the house: public holidays by the
arithmetic of Easter, the hours and quiet evenings as they were agreed. Eid and the sunsets of Ramadan are the
house's own extra; they are judged in the house's tests, not here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WEEKDAYS = (time(9), time(20, 30))
SATURDAYS = (time(10), time(16))
EVENINGS_OFF = {(5, 4): time(18), (12, 5): time(17), (12, 24): time(17), (12, 31): time(17)}
"""Dodenherdenking, Sinterklaas, Christmas Eve and New Year's Eve: no calls from then on."""


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """The Dutch public holidays of this year on which nobody works, Bevrijdingsdag and Koningsdag among them."""
    easter = easter_sunday(year)
    king = date(year, 4, 27)
    if king.weekday() == 6:
        king -= timedelta(days=1)
    moving = (easter + timedelta(days=days) for days in (0, 1, 39, 49, 50))
    fixed = (date(year, 1, 1), king, date(year, 5, 5), date(year, 12, 25), date(year, 12, 26))
    return frozenset((*moving, *fixed))


def easter_sunday(year: int) -> date:
    """Easter in the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    ell = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * ell) // 451
    month, day = divmod(h + ell - 7 * m + 114, 31)
    return date(year, month, day + 1)


def is_holiday(moment: datetime) -> bool:
    """Whether this aware moment lies on a public holiday in Amsterdam."""
    day = moment.astimezone(AMSTERDAM).date()
    return day in holidays(day.year)


def is_in_window(moment: datetime) -> bool:
    """Whether this aware moment lies within the hours of its weekday, and not in a quiet evening."""
    local = moment.astimezone(AMSTERDAM)
    if local.weekday() == 6:
        return False
    opens, closes = SATURDAYS if local.weekday() == 5 else WEEKDAYS
    closes = min(closes, EVENINGS_OFF.get((local.month, local.day), closes))
    return opens <= local.time() < closes
