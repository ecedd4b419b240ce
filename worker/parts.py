"""The house of a worker process, and what its settings mean for the stages."""

from __future__ import annotations

from functools import cache, partial

from ivr.bootstrap import House, open_house
from ivr.fieldwork.dialling import Trunk
from ivr.fieldwork.planning import Limits
from ivr.settings import Settings
from ivr.telephony.webhooks import urls_for


@cache
def house() -> House:
    """This process's house, opened at the first job."""
    return open_house()


def limits_of(settings: Settings) -> Limits:
    """The account's limits."""
    return Limits(
        account=settings.twilio_account_sid,
        calls_per_second=settings.calls_per_second,
        calls_in_flight=settings.calls_in_flight,
        consent_only=settings.dial_requires == "consent",
        tick_seconds=settings.tick_seconds,
        lease_seconds=settings.lease_seconds,
    )


def trunk_of(settings: Settings) -> Trunk:
    """How calls are placed."""
    return Trunk(
        account=settings.twilio_account_sid,
        from_=settings.twilio_from,
        urls=partial(urls_for, settings.public_base_url, overrides=settings.twilio_connection_overrides),
        ring_seconds=settings.ring_seconds,
        limit_seconds=settings.call_limit_seconds,
        machine_detection=settings.machine_detection,
        pause_seconds=1 / settings.calls_per_second,
    )
