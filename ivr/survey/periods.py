"""Meetperiodes: which one a provider may name by itself.

A meetperiode is twelve months, and those of one provider do not overlap: otherwise a provider could have the same
people called twice, or single one out with a list of its own. Staff may enter any other (`ivr sample import`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Literal

LOOK_AHEAD = timedelta(days=366)
LOOK_BACK = timedelta(days=3 * 366)


def end_of(first: date) -> date:
    """The last day of the meetperiode that begins on `first`."""
    try:
        return first.replace(year=first.year + 1) - timedelta(days=1)
    except ValueError:  # from 29 February
        return date(first.year + 1, 2, 28)


def fault_of(
    period: tuple[date, date], known: Collection[tuple[date, date]], today: date
) -> Literal["length", "overlap", "far"] | None:
    """Why a provider may not name this period; None when it may. What is known of the provider is always right."""
    first, last = period
    if period in known:
        return None
    if first > today + LOOK_AHEAD or last < today - LOOK_BACK:
        return "far"
    if last != end_of(first):
        return "length"
    if any(first <= other[1] and other[0] <= last for other in known):
        return "overlap"
    return None
