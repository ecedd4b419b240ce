"""Finds what got lost: jobs, callbacks, calls, slots. Every step may be run at any time, by anyone, twice.

Decides what an open attempt that nobody has touched for a lease means, by asking the carrier. A reservation whose
job is gone is put on the queue again; a call that may have been placed is looked up, never placed again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ivr.catalogue import Catalogue
from ivr.errors import CarrierError, CarrierUnknownError, NotFoundError
from ivr.fieldwork import closing, dialling
from ivr.logs import get_logger
from ivr.store import Database, attempts, cases, cells, events, leavings, quotas, samples
from ivr.store.attempts import Attempt
from ivr.store.sealing import Sealer
from ivr.survey.callplan import OpenHours
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import Carrier

log = get_logger(__name__)

CLOCKS_MAY_DIFFER = timedelta(seconds=60)
"""How far the carrier's clock and ours may lie apart when calls are looked up by time."""


@dataclass(slots=True)
class Reconciled:
    """What was found. requeue: attempts whose dial job must be put on the queue again."""

    requeue: list[str] = field(default_factory=list)
    expired: int = 0
    adopted: int = 0
    closed: int = 0
    unknown: int = 0
    slots: int = 0
    freed: int = 0
    unreachable: bool = False


def reconcile(
    database: Database,
    catalogue: Catalogue,
    calendar: OpenHours,
    carrier: Carrier,
    sealer: Sealer,
    now: datetime,
    *,
    lease_seconds: float,
    longest_call_seconds: float = 1200.0,
    mends_leaks: bool = True,
) -> Reconciled:
    """Look after every open attempt that nobody has touched for `lease_seconds`, and after leaked slots."""
    found = Reconciled()
    with database.read() as session:
        overdue = attempts.overdue(session, now - timedelta(seconds=lease_seconds))
    for attempt in overdue:
        if attempt.state == "reserved":
            _look_after_reserved(database, attempt, now, found)
            continue
        if found.unreachable:
            continue
        try:
            if attempt.call_sid is None:
                _look_up(database, catalogue, calendar, carrier, sealer, attempt, now, found)
            else:
                _ask(database, catalogue, calendar, carrier, attempt, now, found, longest_call_seconds)
        except (CarrierError, CarrierUnknownError):
            # The carrier cannot be asked now. Nothing is decided; the next tick asks again.
            found.unreachable = True
            log.warning("carrier_cannot_be_asked", attempt_id=attempt.id)
    if mends_leaks:
        _mend_leaks(database, now, found)
    return found


def _look_after_reserved(database: Database, attempt: Attempt, now: datetime, found: Reconciled) -> None:
    if now > attempt.not_after:
        dialling.void(database, attempt.id, "window_closed", now)
        found.expired += 1
        return
    with database.write() as session:
        attempts.note(session, attempt.id, checked_at=now)
    found.requeue.append(attempt.id)


def _look_up(
    database: Database,
    catalogue: Catalogue,
    calendar: OpenHours,
    carrier: Carrier,
    sealer: Sealer,
    attempt: Attempt,
    now: datetime,
    found: Reconciled,
) -> None:
    """Asked for, never confirmed: does the carrier know a call to this number that is nobody else's?"""
    report = _find(database, carrier, sealer, attempt)
    if report is not None:
        with database.write() as session:
            adoption = attempts.adopt(session, attempt.id, report.call_sid, now)
            events.add(
                session, "reconciled", now, attempt_id=attempt.id, call_sid=report.call_sid, found="call",
                adoption=adoption, state=attempts.get(session, attempt.id).state,
            )  # fmt: skip
        found.adopted += 1
        if report.is_final:
            closing.note_status(database, catalogue, calendar, attempt.id, report, now)
            found.closed += 1
        return
    with database.write() as session:
        fresh = attempts.get(session, attempt.id, lock=True)
        if fresh.call_sid is not None or fresh.state not in {"dialing", "placed"}:
            return  # A webhook came in while the carrier was asked.
        events.add(session, "reconciled", now, attempt_id=attempt.id, found="nothing")
        closing.close_unplaced(session, catalogue, calendar, fresh, "technical", now, state="unknown")
    found.unknown += 1


def _find(database: Database, carrier: Carrier, sealer: Sealer, attempt: Attempt) -> CallReport | None:
    with database.read() as session:
        try:
            phones = samples.contact(session, sealer, attempt.case_id).phones
        except NotFoundError:
            return None  # Erased in mid-call; without its number it cannot be looked up.
    if attempt.phone_rank >= len(phones):
        return None
    since = (attempt.dialing_at or attempt.planned_at) - CLOCKS_MAY_DIFFER
    reports = carrier.find(phones[attempt.phone_rank], since)
    with database.read() as session:
        taken = attempts.known_sids(session, [report.call_sid for report in reports])
    return next((report for report in reports if report.call_sid not in taken), None)


def _ask(
    database: Database,
    catalogue: Catalogue,
    calendar: OpenHours,
    carrier: Carrier,
    attempt: Attempt,
    now: datetime,
    found: Reconciled,
    longest_call_seconds: float,
) -> None:
    """Placed, and silent for a lease: how does the call stand?"""
    assert attempt.call_sid is not None
    report = carrier.fetch(attempt.call_sid)
    began = attempt.placed_at or attempt.dialing_at or attempt.planned_at
    overran = now - began > timedelta(seconds=longest_call_seconds) + CLOCKS_MAY_DIFFER * 5
    if report is not None and report.is_final:
        closing.note_status(database, catalogue, calendar, attempt.id, report, now)
        found.closed += 1
    elif report is None or overran:
        # The carrier knows nothing of it, or says it runs longer than any call may: it is over for us.
        ended = CallReport(attempt.call_sid, "completed" if attempt.turn >= 0 else "canceled")
        if report is not None:
            carrier.end(attempt.call_sid)
        closing.note_status(database, catalogue, calendar, attempt.id, ended, now)
        found.closed += 1
    else:
        with database.write() as session:
            attempts.note(session, attempt.id, checked_at=now)


def _mend_leaks(database: Database, now: datetime, found: Reconciled) -> None:
    with database.read() as session:
        if not leavings.any_leak(session):
            return
    with database.write() as session:
        for attempt_id in attempts.sitting_on_slots(session):
            found.slots += quotas.release(session, attempt_id)
            events.add(session, "leak", now, attempt_id=attempt_id)
    with database.write() as session:
        for case_id in cases.busy_without_call(session):
            cases.write(session, case_id, is_busy=False)
            events.add(session, "leak", now, case_id=case_id)
            found.freed += 1
    with database.write() as session:
        for cell_id, was, is_now in cells.recount(session):
            log.error("slots_leaked", cell_id=cell_id, was=was, is_now=is_now)
            found.slots += abs(was - is_now)
