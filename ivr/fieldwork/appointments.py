"""Which appointments can be kept, and until when one is kept.

Decides that "vanavond" is not offered to whom may not be rung a third time today (the calendar, which knows windows and
spacing, knows nobody's calls), and that an appointment that could not be kept in time becomes an ordinary call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ivr.fieldwork import working
from ivr.fieldwork.working import Rulebook
from ivr.store import Database, Session, appointments
from ivr.survey.callplan import local_date, part_of_day
from ivr.survey.fieldwork_rules import FieldworkRules

Days = tuple[tuple[str, tuple[str, ...]], ...]
TODAY = "vanavond"


def keepable(
    session: Session,
    days: Days,
    attempt_id: str,
    phone_hash: str | None,
    rules: FieldworkRules,
    now: datetime,
    *,
    rings_now: bool = True,
) -> Days:
    """The days of `days` that can be kept with this telephone. rings_now: the running call is a ring of ours too."""
    if phone_hash is None or all(day != TODAY for day, _ in days):
        return days
    midnight = part_of_day(None, local_date(now), rules)[0]
    rings = appointments.rings_since(session, phone_hash, midnight, attempt_id) + rings_now
    return days if rings < rules.max_per_day else tuple(entry for entry in days if entry[0] != TODAY)


def any_lapsed(session: Session, rulebook: Rulebook, now: datetime) -> bool:
    """Whether `lapse` has anything to do."""
    before = now - timedelta(hours=rulebook.fieldwork.appointment_hours)
    return appointments.any_lapsed(session, before, working.APPOINTMENT)


def lapse(database: Database, rulebook: Rulebook, now: datetime) -> int:
    """Make ordinary calls of the appointments that are too long past; how many."""
    before = now - timedelta(hours=rulebook.fieldwork.appointment_hours)
    with database.write() as session:
        return appointments.lapse(session, before, working.APPOINTMENT, working.ORDINARY)
