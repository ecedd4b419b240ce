"""What staff do about one person: one more call, stop, what no key can say, and taking a slip back. With a reason.

Decides when it can be done. A call on its way is never cut off: while somebody's telephone rings or they are talking,
nothing is changed; a call that only waits for its turn is not made any more. Which marks there are and which of them
may be taken back is `survey/marks.py`'s, which change is legal `survey/disposition.py`'s. All of it is written down
(`case 12`), never of whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork import working
from ivr.fieldwork.steering import REASON_MAX
from ivr.fieldwork.working import Rulebook
from ivr.logs import mask_numbers
from ivr.store import Database, Session, attempts, audits, cases, events, optouts, people, samples
from ivr.store.audits import AuditLine
from ivr.store.people import PastCall, Person, Place
from ivr.store.sealing import Sealer
from ivr.survey import marks
from ivr.survey.callplan import OpenHours

AGAIN, MARK, BACK = "case_again", "case_mark", "case_back"
"""What the audit log calls them."""

_LOOKED_BACK = 50

Line = Literal["free", "planned", "calling"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody as staff see them. marks: what may be set; again: why no further call can be made, None when it can;
    slip: the last thing done, while it can be taken back."""

    person: Person
    place: Place
    masked: str
    line: Line
    calls: tuple[PastCall, ...]
    marks: tuple[str, ...]
    again: str | None
    slip: AuditLine | None
    log: tuple[AuditLine, ...]


def standing(
    database: Database, rulebook: Rulebook, sealer: Sealer, case_id: int, now: datetime, *, consent_only: bool
) -> Standing:
    """Everything the page of a person shows. NotFoundError."""
    with database.read() as session:
        person, place = people.person(session, case_id)
        line = people.line_of(session, case_id)
        log = audits.audit_lines(session, subject=f"case {case_id}", limit=_LOOKED_BACK)
        return Standing(
            person=person,
            place=place,
            masked=people.masked(session, sealer, [case_id])[case_id],
            line=line,
            calls=tuple(people.calls(session, case_id)),
            marks=marks.marks_for(person.disposition),
            again=_against_a_call(session, rulebook, person, place, line, now, consent_only=consent_only),
            slip=_slip(session, person, line, log, now),
            log=tuple(log),
        )


def set_mark(database: Database, case_id: int, mark: str, *, who: str, reason: str, now: datetime) -> None:
    """Nobody calls this person any more, because of `mark` (one of `marks.MARKS`).

    never_call_again also puts their numbers on the list of those never called, whoever asks. UsageError for no
    reason or an unknown mark; RefusedError `in_call` or `wrong_state`; NotFoundError.
    """
    reason = _reason(reason)
    if mark not in marks.MARKS:
        raise UsageError(f"A mark is one of {', '.join(marks.MARKS)}, not {mark!r}.")
    with database.write() as session:
        case = _locked(session, case_id)
        if mark not in marks.marks_for(case.disposition):
            raise RefusedError(f"From {case.disposition} nobody becomes {mark}.", code="wrong_state")
        _write_down(session, case, MARK, mark, now, who=who, reason=reason)
        # `is_busy` stays: a call that waits for its turn is taken back by whoever would have dialled it.
        working.change(
            session, case, mark, now, by="staff", is_final=True, next_call_at=None, priority=working.ORDINARY
        )
        if mark == "never_call_again":
            for _, hashed, _ in samples.phone_hashes(session, case_id):
                optouts.add(session, hashed, "staff", now)


def call_once_more(
    database: Database,
    rulebook: Rulebook,
    calendar: OpenHours,
    case_id: int,
    *,
    who: str,
    reason: str,
    now: datetime,
    consent_only: bool,
) -> datetime:
    """Call this person (again) as soon as the windows and the rest between calls allow; the moment from which.

    One call: if it reaches nobody, the ordinary rules say whether there are more. UsageError for no reason;
    RefusedError with a code of `Standing.again`; NotFoundError.
    """
    reason = _reason(reason)
    moment = calendar.next_open(now)
    with database.write() as session:
        case = _locked(session, case_id)
        person, place = people.person(session, case_id)
        line = people.line_of(session, case_id)
        against = _against_a_call(session, rulebook, person, place, line, now, consent_only=consent_only)
        if against is not None:
            raise RefusedError("This person cannot be called once more now.", code=against)
        outcomes = [row["outcome"] for row in attempts.history(session, case_id)]
        becomes = marks.standing_for_a_call(case.disposition, outcomes)
        assert becomes is not None  # _against_a_call looked
        _write_down(session, case, AGAIN, becomes, now, who=who, reason=reason)
        working.change(
            session, case, becomes, now, by="staff", is_final=False, next_call_at=moment, priority=working.RESUME
        )
    return moment


def take_back(database: Database, case_id: int, *, who: str, reason: str, now: datetime) -> None:
    """Make the last thing staff did with this person undone. RefusedError `too_late` when it cannot be (any more)."""
    reason = _reason(reason)
    with database.write() as session:
        case = _locked(session, case_id)
        person, _ = people.person(session, case_id)
        log = audits.audit_lines(session, subject=f"case {case_id}", limit=_LOOKED_BACK)
        slip = _slip(session, person, people.line_of(session, case_id), log, now)
        if slip is None:
            raise RefusedError("It cannot be taken back any more.", code="too_late")
        before = slip.details
        _write_down(session, case, BACK, before["before"], now, who=who, reason=reason)
        # Not a change of standing (`working.change`) but the correction of a slip; the table does not speak of it.
        events.add(session, "taken_back", now, case_id=case_id, before=case.disposition, after=before["before"])
        moment = before.get("next_call_at")
        cases.write(
            session,
            case_id,
            disposition=before["before"],
            is_final=before["was_final"],
            next_call_at=None if moment is None else datetime.fromisoformat(moment),
            priority=before["priority"],
        )


def _reason(reason: str) -> str:
    tidy = mask_numbers(" ".join(reason.split())[:REASON_MAX])
    if not tidy:
        raise UsageError("Give a reason: others must understand it later.")
    return tidy


def _locked(session: Session, case_id: int) -> cases.Case:
    """The case, with its open call held first (the order of locks), so that nobody begins to dial meanwhile."""
    if people.line_of(session, case_id, lock=True) == "calling":
        raise RefusedError("This person is in a call just now, and a call is never cut off.", code="in_call")
    return cases.get(session, case_id, lock=True)


def _write_down(
    session: Session, case: cases.Case, what: str, after: str, now: datetime, *, who: str, reason: str
) -> None:
    events.write_audit(
        session, now, who=who, what=what, subject=f"case {case.id}", reason=reason, cell=case.cell_id,
        before=case.disposition, after=after, was_final=case.is_final, next_call_at=case.next_call_at,
        priority=case.priority,
    )  # fmt: skip


def _against_a_call(
    session: Session,
    rulebook: Rulebook,
    person: Person,
    place: Place,
    line: Line,
    now: datetime,
    *,
    consent_only: bool,
) -> str | None:
    """Why this person gets no further call; None when they may."""
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=consent_only)
    is_announced = person.announced_on is not None and person.announced_on >= bounds.announced_from
    outcomes = [row["outcome"] for row in attempts.history(session, person.id)]
    checks = (
        ("in_call", line != "free"),
        ("cell_closed", place.cell_state == "closed"),
        ("cell_filled", place.is_filled),
        ("opted_out", cases.is_opted_out(session, person.id)),
        ("answered", cases.has_answered(session, person.id)),
        ("refused", marks.standing_for_a_call(person.disposition, outcomes) is None),
        ("no_consent", person.consent == "nee" or (consent_only and person.consent != "ja")),
        ("not_announced", person.consent != "ja" and not is_announced),
        ("excluded", person.exclusion is not None),
        ("no_number", not cases.has_number(session, person.id)),
        ("is_due", not person.is_final and person.next_call_at is not None and person.next_call_at <= now),
    )
    return next((code for code, holds in checks if holds), None)


def _slip(session: Session, person: Person, line: Line, log: Sequence[AuditLine], now: datetime) -> AuditLine | None:
    """The last thing staff did, if it can still be taken back: fresh, no promise, and nothing happened since."""
    last = next((entry for entry in log if entry.what in (MARK, AGAIN, BACK)), None)
    if last is None or last.what not in (MARK, AGAIN) or line != "free":
        return None
    after = last.details.get("after")  # gone with an erased person
    is_fresh = now - last.at <= marks.TAKE_BACK and after not in marks.FOR_GOOD
    stands = person.disposition == after and person.is_final == (last.what == MARK)
    if not (is_fresh and stands) or people.called_since(session, person.id, last.at):
        return None
    return last
