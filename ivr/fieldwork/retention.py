"""Erases by the calendar: contact data of samples whose fieldwork is long over. Answers and counts stay.

Decides when a sample's fieldwork is over (nobody of it can be called any more, now or later) and when its contacts
are due: so many days after the last thing that happened to it, never before the weeks of hoor en wederhoor after
its report are over. Erasing on request is `erasing.py`. The list of numbers never called again holds no numbers,
only keyed hashes, and stays.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ivr.fieldwork import working
from ivr.fieldwork.erasing import HOUSEMATES_REST, scrub
from ivr.fieldwork.working import Rulebook
from ivr.logs import get_logger
from ivr.store import Database, cells, events, persons
from ivr.store.persons import Holding
from ivr.store.samples import get_sample
from ivr.survey.callplan import local_date
from ivr.survey.fieldwork_rules import FieldworkRules

log = get_logger(__name__)

BATCH = 500
"""People a transaction: others must not wait long for it."""


def due_on(holding: Holding, rules: FieldworkRules) -> date:
    """The first day on which the contacts of a sample whose fieldwork is over may be erased."""
    days = rules.retention_contact_days if holding.was_used else rules.retention_unused_days
    due = local_date(holding.last_at) + timedelta(days=days)
    if holding.reported_on is not None:
        due = max(due, holding.reported_on + timedelta(days=rules.retention_report_days + 1))
    return due


def erase_due(database: Database, rulebook: Rulebook, now: datetime) -> int:
    """Erase what is due; how many people's contacts went."""
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=False)
    with database.read() as session:
        held = persons.holdings(session)
        left = cells.people_left(session, bounds)
        running = {
            one.sample_id for one in held if any(left.get(id) for id in persons.cells_of_sample(session, one.sample_id))
        }
    erased = 0
    for one in held:
        if one.sample_id in running or local_date(now) < due_on(one, rulebook.fieldwork):
            continue
        erased += _erase(database, one.sample_id, now)
    with database.write() as session:
        persons.forget_numbers(session, now - HOUSEMATES_REST)
    scrub(database)
    return erased


def _erase(database: Database, sample_id: int, now: datetime) -> int:
    erased = 0
    while True:
        with database.write() as session:
            ids = persons.held_cases(session, sample_id, BATCH)
            if not ids:
                break
            erased += persons.forget_contact(session, ids, now - HOUSEMATES_REST)
    with database.write() as session:
        events.write_audit(
            session, now, who="retention", what="contacts_erased", subject=f"sample {sample_id}", people=erased
        )
    log.info("contacts_erased", sample_id=sample_id, people=erased)
    return erased


def report_is_out(
    database: Database, provider: str, period: tuple[date, date], day: date | None, now: datetime, *, who: str
) -> None:
    """The report of this provider and period goes (or went) out on `day`; None: not known any more. NotFoundError."""
    with database.write() as session:
        sample = get_sample(session, provider, period)
        persons.set_reported(session, sample.id, day)
        events.write_audit(
            session, now, who=who, what="reported_on", subject=f"sample {sample.id}", day=day.isoformat() if day else ""
        )
