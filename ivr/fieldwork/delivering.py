"""Stage: a provider delivers its client list through its own page.

Decides when a provider may: for a meetperiode it may name, until that list's fieldwork begins (after that it could
choose people; more numbers go through staff), and not so much or so often that calls in progress suffer. What becomes
of a row is decided in `intake.py`; what the provider was told is kept, so that it can be fetched again.
"""

from __future__ import annotations

import threading
from datetime import date, datetime
from pathlib import Path

from ivr.catalogue import Catalogue
from ivr.errors import RefusedError
from ivr.fieldwork.intake import IntakeRules, import_clients
from ivr.fieldwork.throttling import count_try
from ivr.store import Database, deliveries, samples
from ivr.store.deliveries import Delivery, Period
from ivr.store.sealing import Sealer
from ivr.store.users import User
from ivr.survey.callplan import local_date
from ivr.survey.periods import fault_of
from ivr.survey.sample import Remark

MAX_BYTES = 5_000_000
MAX_LINES = 2_000
"""More than twice the longest list there is; a longer one goes through staff."""
AN_HOUR = 30
"""Deliveries of one provider an hour; then each next one waits longer."""

_one_at_a_time = threading.BoundedSemaphore()
"""Per process: the other threads are for calls in progress."""


def intake_rules(catalogue: Catalogue) -> IntakeRules:
    """What of `config/fieldwork.toml` intake and ordering need."""
    rules = catalogue.fieldwork
    return IntakeRules(rules.inburgering_target, rules.replicate_size, rules.announcement_min_days)


def check_period(known: list[Period], period: tuple[date, date], today: date) -> None:
    """RefusedError `period_length`, `period_overlap` or `period_far` for one that a provider may not name."""
    fault = fault_of(period, [(one.first, one.last) for one in known], today)
    if fault is not None:
        raise RefusedError("A provider may not name this meetperiode.", code=f"period_{fault}")


def deliver(
    database: Database,
    sealer: Sealer,
    catalogue: Catalogue,
    path: Path,
    provider: User,
    period: tuple[date, date],
    *,
    now: datetime,
    wall: datetime,
) -> int:
    """Take in the list at `path` for the provider that is signed in; the id of the answer.

    RefusedError: `closed`, `busy`, `too_often` or a fault of the period; FileRefusedError: nothing of it can be taken.
    """
    assert provider.provider_id is not None
    assert provider.provider is not None
    with database.read() as session:
        known = deliveries.periods(session, provider.provider_id)
    check_period(known, period, local_date(now))
    if period[0] > local_date(now):
        # Of clients of service 11 no day is known: those of this year would pass as next year's.
        raise RefusedError("This meetperiode has not begun.", code="period_ahead")
    if any(one.is_closed for one in known if (one.first, one.last) == period):
        raise RefusedError("The fieldwork of this list has begun.", code="closed")
    with database.write() as session:
        if count_try(session, f"deliver:{provider.provider_id}", AN_HOUR, wall):
            raise RefusedError("Too many deliveries.", code="too_often")
    if not _one_at_a_time.acquire(blocking=False):
        raise RefusedError("Another list is being taken in.", code="busy")
    try:
        report = import_clients(
            database,
            sealer,
            path,
            provider.provider,
            period,
            catalogue.services,
            intake_rules(catalogue),
            now,
            max_lines=MAX_LINES,
        )
    finally:
        _one_at_a_time.release()
    with database.write() as session:
        sample = samples.get_sample(session, provider.provider, period)
        told = [[_told(one) for one in remarks] for remarks in (report.rejected, report.warnings)]
        return deliveries.keep(session, sample.id, now, provider.email, report.rows, report.accepted, *told)


def answer(database: Database, provider_id: int, delivery_id: int) -> Delivery | None:
    """What became of a delivery; None when it is not this provider's, or was let go."""
    with database.read() as session:
        return deliveries.of_provider(session, provider_id, delivery_id)


def _told(remark: Remark) -> deliveries.Told:
    return remark.row, remark.column[:80], remark.message
