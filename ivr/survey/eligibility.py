"""Who is reached how, who may be called, and from when.

Decides the route of a client (rule 3), whether a purchased order may call him (rule 5), and the first moment a
call is allowed as far as announcement and consent go. At which hours calls are made is decided in `callplan.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ivr.survey.sample import Client
from ivr.survey.services import INBURGERING

Route = Literal["telephone", "regular"]

TELEPHONE_PROFILES = frozenset({1, 2})
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def route_of(client: Client) -> Route:
    """`telephone` for service 11 with leerprofiel 1 or 2, a usable number and no refusal; all others `regular`."""
    by_phone = (
        client.service == INBURGERING
        and client.learning_profile in TELEPHONE_PROFILES
        and bool(client.phones)
        and client.consent != "nee"
    )
    return "telephone" if by_phone else "regular"


def may_be_bought(client: Client, services: Collection[int] | None) -> bool:
    """Whether a purchased order for `services` (None: all) may call this client beside the regular route."""
    return (
        route_of(client) == "regular"
        and bool(client.phones)
        and client.consent != "nee"
        and (services is None or client.service in services)
    )


def first_call_at(consent: str | None, announced_on: date | None, now: datetime, min_days: int) -> datetime | None:
    """From when (aware UTC) the person may be called: with consent at once, else `min_days` after the announcement.

    None: not at all, for nobody has told the person yet, or consent was refused.
    """
    if consent == "nee":
        return None
    if consent == "ja":
        return now
    if announced_on is None:
        return None
    day = announced_on + timedelta(days=min_days)
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
