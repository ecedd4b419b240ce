"""What a person may ask of us: to see what we hold, and to have it taken away (AVG, articles 15 and 17).

Decides who is meant (by number, or by clientnummer and provider), that nobody is shown or erased on a housemate's
request, and what a withdrawal means: answers gone, the slot free again while the fieldwork is open, its ledger line
taken back. What belongs to a person is `store/persons.py`'s; erasing by the calendar is `retention.py`'s. The audit
log says who did it and how much it was, never of whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork import monitoring, working
from ivr.fieldwork.working import Rulebook
from ivr.logs import get_logger
from ivr.store import Database, Session, cases, cells, events, ledger, optouts, persons, samples
from ivr.store.persons import Found
from ivr.store.sealing import Sealer
from ivr.survey.phone import PhoneFault, read_phone

log = get_logger(__name__)

HOUSEMATES_REST = timedelta(days=2)
"""So long the hashed number of a call outlives its person's contact: the spacing between calls must hold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom somebody asks about: a number, or a provider with its clientnummer (in one period, or in all)."""

    number: str | None = None
    provider: str | None = None
    client: str | None = None
    period: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken away. slots: places in cells that are open to others again; lines: ledger lines taken back."""

    cases: int
    contacts: int
    interviews: int
    slots: int
    lines: int
    opted_out: int


def find(session: Session, sealer: Sealer, asked: Asked, *, everybody: bool = False) -> list[Found]:
    """The cases that are meant, all of one person unless `everybody` on the number is.

    UsageError when it does not say who; NotFoundError when nothing is held; RefusedError `several_people` when
    people share the number: then clientnummer and provider say who of them asks.
    """
    if asked.number is not None:
        if asked.provider is not None or asked.client is not None:
            raise UsageError("Give a number, or --provider with --client; not both.")
        e164 = read_phone(asked.number)
        if isinstance(e164, PhoneFault):
            raise UsageError("This is no telephone number. Give it as +31612345678.")
        found = persons.on_phone(session, samples.phone_hash(sealer, e164))
    elif asked.provider is not None and asked.client is not None:
        found = persons.of_client(session, asked.provider, asked.client, asked.period)
    else:
        raise UsageError("Say who: a telephone number, or --provider with --client.")
    if not found:
        raise NotFoundError("Nothing is held of such a person (any more).")
    if asked.number is not None and not everybody and len({one.name_hash for one in found}) > 1:
        names = "; ".join(f"{one.provider}: {one.respondent}" for one in found)
        raise RefusedError(
            f"Several people have this number ({names}). Use --provider and --client, or --everybody.",
            code="several_people",
        )
    return found


def export(
    database: Database, sealer: Sealer, asked: Asked, now: datetime, *, who: str, everybody: bool = False
) -> dict[str, Any]:
    """All that is held of a person, as one document."""
    with database.write() as session:
        found = find(session, sealer, asked, everybody=everybody)
        document = {
            "at": now,
            "cases": [_held(session, sealer, one) for one in found],
        }
        events.write_audit(session, now, who=who, what="person_export", subject="a person", cases=len(found))
    return document


def _held(session: Session, sealer: Sealer, one: Found) -> dict[str, Any]:
    try:
        contact = samples.contact(session, sealer, one.case_id).to_mapping()
    except NotFoundError:
        contact = None
    return {
        "provider": one.provider,
        "period": f"{one.period_from}/{one.period_to}",
        "group": one.group,
        "respondent": one.respondent,
        "contact": contact,
        **persons.facts(session, one.case_id),
        "never_called_since": persons.opted_out_since(session, one.case_id),
        "link": persons.link_of(session, one.case_id),
        "calls": persons.calls(session, one.case_id),
        "interviews": persons.interviews_of(session, one.case_id),
    }


def erase(
    database: Database,
    rulebook: Rulebook,
    sealer: Sealer,
    asked: Asked,
    now: datetime,
    *,
    who: str,
    reason: str = "",
    contact_only: bool = False,
    opt_out: bool = False,
    everybody: bool = False,
) -> Erased:
    """Withdraw a person: contact, keyed hashes, answers and what their calls said are gone; nobody calls them again.

    contact_only: answers stay, as after the retention time. opt_out: their numbers also go on the list of those never
    called. RefusedError `in_call` while a call of theirs is planned or runs; errors of `find`.
    """
    with database.write() as session:
        found = find(session, sealer, asked, everybody=everybody)
        ids = sorted(one.case_id for one in found)
        persons.lock(session, ids)
        if persons.has_open_call(session, ids):
            raise RefusedError(
                "A call with this person is planned or runs now. Try again in some minutes.", code="in_call"
            )
        listed = _opt_out(session, ids, now) if opt_out else 0
        gone = [] if contact_only else [pair for id in ids for pair in persons.forget_answers(session, id)]
        lines = sum(ledger.reverse(session, interview, now) for interview, _ in gone)
        contacts = persons.forget_contact(session, ids, now - HOUSEMATES_REST)
        for id in ids:
            _end(session, id, now, contact_only=contact_only)
        slots = sorted(cell for _, cell in gone if cell is not None)
        for cell_id in slots:
            persons.take_success_back(session, cell_id)
        for cell_id in dict.fromkeys(slots):
            _let_others_in(session, rulebook, cell_id, now)
        done = Erased(len(ids), contacts, len(gone), len(slots), lines, listed)
        events.write_audit(
            session,
            now,
            who=who,
            what="person_contact_erased" if contact_only else "person_erased",
            subject="a person",
            reason=reason,
            cases=done.cases,
            interviews=done.interviews,
        )
    scrub(database)
    return done


def scrub(database: Database) -> None:
    """After erasing: what was erased leaves the database's files too."""
    if not database.scrub():
        log.warning("not_scrubbed")  # the daily retention tries again


def _opt_out(session: Session, ids: Sequence[int], now: datetime) -> int:
    hashes = {phone for id in ids for _, phone, _ in samples.phone_hashes(session, id)}
    return sum(optouts.add(session, phone, "staff", now) for phone in sorted(hashes))


def _end(session: Session, case_id: int, now: datetime, *, contact_only: bool) -> None:
    case = cases.get(session, case_id)
    if contact_only:
        # Without a number nobody can be called: that ends an open case like a withdrawal does, and leaves others be.
        if not case.is_final:
            working.finish(session, case, "withdrawn", now, by="erased")
        return
    working.finish(session, case, "withdrawn", now, by="erased")


def _let_others_in(session: Session, rulebook: Rulebook, cell_id: int, now: datetime) -> None:
    """A place came free: while the cell is open, people who were not needed are needed again."""
    cell = cells.get(session, cell_id, lock=True)
    if cell.state != "closed" and not cell.is_filled:
        monitoring.need_again(session, cell_id, now, by="withdrawal")
