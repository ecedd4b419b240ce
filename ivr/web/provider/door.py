"""The blueprint of the provider pages, and what they share: whose they are, which period is meant, files to keep."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response

from ivr.errors import UsageError
from ivr.fieldwork import following
from ivr.fieldwork.following import Stand
from ivr.store import deliveries
from ivr.store.deliveries import Period
from ivr.survey.callplan import local_date
from ivr.survey.periods import end_of
from ivr.survey.scoring import rules_from_mapping
from ivr.web.pages.access import the_house, user

blueprint = Blueprint("provider", __name__, url_prefix="/aanbieder")

PERIOD_FAULTS = {
    "period": "Vul de eerste en de laatste dag van de meetperiode in.",
    "period_length": "Een meetperiode is twaalf maanden, bijvoorbeeld van 1 januari tot en met 31 december.",
    "period_overlap": "Deze meetperiode valt samen met een andere van u. Neem de dagen daarvan, of vraag het "
    "onderzoeksbureau.",
    "period_ahead": "Deze meetperiode is nog niet begonnen. Lever uw lijst als zij is begonnen.",
    "period_far": "Deze meetperiode is te lang geleden of te ver weg. Kijk naar het jaar.",
}


def own() -> tuple[int, str]:
    """(id, name) of the provider that is signed in."""
    signed_in = user()
    assert signed_in.provider_id is not None  # the table's CHECK, and @allow("provider")
    assert signed_in.provider is not None
    return signed_in.provider_id, signed_in.provider


def stands() -> list[Stand]:
    """How the cells of whoever is signed in stand today."""
    house = the_house()
    minimum_n = rules_from_mapping(house.catalogue.scoring).minimum_n
    return following.stands(house.database, own()[0], house.clock.now(), minimum_n)


def known_periods() -> list[Period]:
    """The meetperiodes of whoever is signed in, the newest first."""
    with the_house().database.read() as session:
        return deliveries.periods(session, own()[0])


def suggested_period(known: list[Period], *, for_list: bool = False) -> tuple[date, date]:
    """The meetperiode that a form suggests: the newest that is known, else the calendar year before this one.

    For a list whose newest period is closed, the one that comes after it, once that has begun.
    """
    if known and for_list and known[0].is_closed:
        first = known[0].last + timedelta(days=1)
        if first <= local_date(the_house().clock.now()):
            return first, end_of(first)
    if known:
        return known[0].first, known[0].last
    year = local_date(the_house().clock.now()).year - 1
    return date(year, 1, 1), date(year, 12, 31)


def read_period(first: str, last: str) -> tuple[date, date]:
    """A meetperiode of two date fields. UsageError when they are no period."""
    try:
        period = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise UsageError("A period has two dates.", code="period") from error
    if period[0] > period[1]:
        raise UsageError("A period begins before it ends.", code="period")
    return period


def as_file(text: str, name: str, kind: str = "text/csv") -> Response:
    """A file to keep; `name` is ours, never anything that somebody typed."""
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
