"""The blueprint of the provider pages, and what they share: whose they are, which day it is, which period is meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from flask import Blueprint

from ivr.errors import UsageError
from ivr.web.pages.access import the_house, user
from ivr.web.pages.words import AMSTERDAM

blueprint = Blueprint("provider", __name__, url_prefix="/aanbieder")


def own() -> tuple[int, str]:
    """(id, name) of the provider that is signed in."""
    signed_in = user()
    assert signed_in.provider_id is not None  # the table's CHECK, and @allow("provider")
    assert signed_in.provider is not None
    return signed_in.provider_id, signed_in.provider


def last_midnight() -> datetime:
    """The beginning of today in Amsterdam, UTC: what happened after it is shown tomorrow."""
    today = the_house().clock.now().astimezone(AMSTERDAM).date()
    return datetime.combine(today, time(), AMSTERDAM).astimezone(UTC)


def last_year() -> tuple[date, date]:
    """The meetperiode that a form suggests when nothing is known yet: the calendar year before this one."""
    year = the_house().clock.now().astimezone(AMSTERDAM).year - 1
    return date(year, 1, 1), date(year, 12, 31)


def read_period(first: str, last: str) -> tuple[date, date]:
    """A meetperiode of two date fields. UsageError when they are no period."""
    try:
        period = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise UsageError("A period has two dates.") from error
    if period[0] > period[1]:
        raise UsageError("A period begins before it ends.")
    return period
