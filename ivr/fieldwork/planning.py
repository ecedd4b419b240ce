"""Who is called now: the tick.

Decides how many calls may start (pace and calls in flight of the account, the line's back-off, the open window),
which cell is served next (appointments first, then the cell that waited longest, so that no small provider waits
for a big one), and what to do with people whose moment has come but who may not be called. Whom a cell offers and
that no slot is given twice is one statement in `store/admission.py`; placing the call is `dialling.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ivr.fieldwork import appointments, working
from ivr.fieldwork.working import Rulebook
from ivr.logs import get_logger
from ivr.store import Database, Session, admission, attempts, cases, cells, events, lines
from ivr.store.admission import Bounds
from ivr.survey.callplan import OpenHours

log = get_logger(__name__)

IDLE = timedelta(hours=1)
"""When nothing at all is due: look again then, for what was delivered or ordered meanwhile."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The account's limits and the settings of a tick, shared by all workers.

    horizon_seconds: how far ahead calls are admitted (0: only those that may start now); their `not_before` keeps
    the pace. lease_seconds: after this long an unfinished step is looked after. tick_seconds: how often to look
    while something waits for a slot.
    """

    account: str = "default"
    calls_per_second: float = 1.0
    calls_in_flight: int = 20
    consent_only: bool = False
    horizon_seconds: float = 0.0
    tick_seconds: float = 2.0
    lease_seconds: float = 60.0


def plan(database: Database, rulebook: Rulebook, calendar: OpenHours, now: datetime, limits: Limits) -> list[str]:
    """Reserve slots for the calls that may start now; their attempt ids, in the order in which to dial."""
    if not calendar.is_open(now):
        return []
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=limits.consent_only)
    with database.read() as session:
        # The common tick finds nothing due and must cost next to nothing. What it finds is only the order in which
        # cells are served: whether there is a slot and a person is looked at again where they are taken.
        waiting, empty = deque(cells.waiting(session, bounds)), list[int]()
        if not waiting:
            return []
    closes, step = calendar.window_end(now), timedelta(seconds=1 / limits.calls_per_second)
    admitted: list[str] = []
    with database.write() as session:
        line = lines.get(session, limits.account, now, lock=True)
        if line.not_before is not None and now < line.not_before:
            return []
        room = limits.calls_in_flight - attempts.in_flight(session)
        if line.failures > 0:
            # The line was down or busy: one call finds out whether it is back.
            room = min(room, 1)
        until = min(closes, now + timedelta(seconds=limits.horizon_seconds))
        start = max(now, line.next_at or now)
        while waiting and len(admitted) < room and start <= until and start < closes:
            cell_id, people = waiting.popleft()
            taken = admission.reserve(session, cell_id, bounds, start, closes)
            if taken is None:
                empty.append(cell_id)
                continue
            attempt_id, case_id = taken
            events.add(session, "planned", now, attempt_id=attempt_id, case_id=case_id)
            admitted.append(attempt_id)
            start += step
            if people > 1:
                waiting.append((cell_id, people - 1))
        if admitted:
            lines.pace(session, limits.account, start)
    for cell_id in empty:
        with database.write() as session:
            _look_after_blocked(session, rulebook, calendar, cell_id, bounds)
    return admitted


def next_due(database: Database, rulebook: Rulebook, calendar: OpenHours, now: datetime, limits: Limits) -> datetime:
    """`look_ahead`'s moment alone."""
    return look_ahead(database, rulebook, calendar, now, limits).due


@dataclass(frozen=True, slots=True)
class Ahead:
    """due: when to look again; always later. lease_ends: when the open call left alone longest is to be looked after.

    lease_ends is None when no call is open.
    """

    due: datetime
    lease_ends: datetime | None


def look_ahead(database: Database, rulebook: Rulebook, calendar: OpenHours, now: datetime, limits: Limits) -> Ahead:
    """The next moment at which a tick can have something to do.

    While calls are open that is at most a lease away, while somebody waits for a slot a tick; in the night it is
    the morning, so that a leaping clock needs no thousand ticks for it.
    """
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=limits.consent_only)
    with database.read() as session:
        flying, touched = attempts.flying(session)
        with_room, without_room = cells.ahead(session, bounds)
        line = lines.get(session, limits.account, now)
    tick = now + timedelta(seconds=limits.tick_seconds)
    # Nothing can be called in the night, whatever is delivered meanwhile.
    moments = [calendar.next_open(now + IDLE)]
    lease_ends = None if touched is None else touched + timedelta(seconds=limits.lease_seconds)
    if lease_ends is not None:
        moments.append(lease_ends)
    if with_room is not None:
        moment = calendar.next_open(max(with_room, now))
        if moment <= now:
            moment = tick if flying >= limits.calls_in_flight else max(now, line.next_at or now, line.not_before or now)
        moments.append(moment)
    if without_room is not None and flying:
        moments.append(max(calendar.next_open(max(without_room, now)), tick))
    due = min(moments)
    # Whatever was due now has just been looked at; a moment that has passed waits for the next tick.
    if due <= now:
        due = min(tick, now + timedelta(seconds=1 / limits.calls_per_second))
    return Ahead(due, lease_ends)


def sweep(database: Database, rulebook: Rulebook, now: datetime) -> int:
    """End whom nobody will call any more: in cells that are filled, or announced too long ago. How many people.

    Appointments that were not kept in time become ordinary calls.
    """
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=False)
    with database.read() as session:
        filled = cells.filled_with_people(session)
        expired = cases.expired(session, bounds.announced_from)
        has_lapsed = appointments.any_lapsed(session, rulebook, now)
    ended = 0
    if has_lapsed:
        appointments.lapse(database, rulebook, now)
    for cell_id in filled:
        with database.write() as session:
            ended += working.settle_cell(session, cell_id, now)
    if expired:
        with database.write() as session:
            for case_id in cases.expired(session, bounds.announced_from):
                case = cases.get(session, case_id, lock=True)
                ended += working.finish(session, case, "announcement_expired", now, by="sweep")
    return ended


def _look_after_blocked(
    session: Session, rulebook: Rulebook, calendar: OpenHours, cell_id: int, bounds: Bounds
) -> None:
    """People of a cell that offered nobody: end who may never be called again, put off who may be called later."""
    if cells.get(session, cell_id).state != "open":
        return
    for row in admission.blocked(session, cell_id, bounds):
        case = cases.get(session, row["id"], lock=True)
        if case.is_final or case.is_busy or case.next_call_at is None or case.next_call_at > bounds.now:
            continue
        if row["opted_out"]:
            working.finish(session, case, "opted_out", bounds.now, by="planning")
        elif row["answered"]:
            working.finish(session, case, "answered_elsewhere", bounds.now, by="planning")
        elif not row["has_number"]:
            working.finish(session, case, "not_in_service", bounds.now, by="planning")
        elif not row["permitted"] and _has_expired(row, bounds):
            working.finish(session, case, "announcement_expired", bounds.now, by="planning")
        elif (later := _later(row, rulebook, bounds)) is not None:
            cases.write(session, case.id, next_call_at=calendar.next_open(later))


def _has_expired(row: Mapping[str, Any], bounds: Bounds) -> bool:
    return row["announced_on"] is not None and row["announced_on"] < bounds.announced_from


def _later(row: Mapping[str, Any], rulebook: Rulebook, bounds: Bounds) -> datetime | None:
    """When what blocks this person will be over; None: unknown, or in a call of another case just now."""
    rules = rulebook.fieldwork
    moments: list[datetime] = []
    if not row["permitted"]:
        if row["announced_on"] is None or bounds.consent_only:
            return None
        days = (row["announced_on"] - bounds.announced_to).days
        moments.append(bounds.midnight + timedelta(days=max(days, 1), hours=1))
    rung = [row[name] for name in ("own_ring", "sibling_ring") if row[name] is not None]
    moments.extend(at + timedelta(minutes=rules.spacing_minutes, seconds=1) for at in rung)
    if row["rings_today"] >= rules.max_per_day:
        # Hour 1 of tomorrow: also right in the nights in which a day has 23 or 25 hours.
        moments.append(bounds.midnight + timedelta(hours=26))
    if row["other_interview"] is not None:
        moments.append(row["other_interview"] + timedelta(days=rules.other_interview_days, seconds=1))
    later = max(moments, default=None)
    return later if later is not None and later > bounds.now else None
