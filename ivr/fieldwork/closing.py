"""What the carrier says of a call, and what a call that has ended means for its case.

Decides, in one transaction per report, what a status changes: nothing that is final goes back, an older status is
remembered and otherwise ignored, a machine verdict stays. When the call has ended the engine is told that the line
is gone, the outcome is decided (`survey/disposition.py`), the slot is given back if it was not spent, and the case
gets its next call or its end (`working.py`). The same door serves status callbacks and the reconciler.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ivr.catalogue import Catalogue
from ivr.errors import InvariantError
from ivr.fieldwork import working
from ivr.fieldwork.replies import questionnaire_of_attempt
from ivr.logs import get_logger
from ivr.store import Database, Session, attempts, cases, events, interviews, quotas, trials
from ivr.store.attempts import Attempt
from ivr.survey import interview as engine
from ivr.survey.callplan import OpenHours
from ivr.survey.disposition import CallReport, did_ring, is_machine, outcome_of_call
from ivr.survey.turn import HungUp, Wish

log = get_logger(__name__)

_MACHINE_MAY_CORRECT = frozenset({"no_interaction", "hung_up_introduction", "technical"})
CLOCK_MAY_LAG = timedelta(hours=1)
"""A moment of the carrier's that lies further ahead is no moment to rely on."""
_INTERVIEW_ENDINGS = frozenset({"complete", "partial", "unusable", "break_off"})


def note_status(
    database: Database, catalogue: Catalogue, calendar: OpenHours, attempt_id: str, report: CallReport, now: datetime
) -> None:
    """Take in what the carrier says of this attempt's call. Any order, any number of times. NotFoundError."""
    with database.write() as session:
        if _goes_on(session, attempt_id, report, now):
            _write_down(session, attempt_id, report, now)
            return
        attempt = attempts.get(session, attempt_id, lock=True)
        _write_down(session, attempt_id, report, now)
        if attempt.call_sid is not None and report.call_sid != attempt.call_sid:
            log.warning("status_of_another_call", attempt_id=attempt_id, call_sid=report.call_sid)
            return
        attempt = _note_verdict(session, catalogue, calendar, attempt, report, now)
        if attempt.state == "void":
            log.warning("status_of_a_call_never_placed", attempt_id=attempt_id, call_sid=report.call_sid)
            return
        if attempt.state == "closed":
            return
        if report.is_final:
            _close(session, catalogue, calendar, attempt, report, _ended_at(report, now))
        else:
            _progress(session, attempt, report, now)


def _ended_at(report: CallReport, now: datetime) -> datetime:
    """When the call was over: now, or by the carrier's word a little later.

    Whoever asked looked at the clock first: a slow tick, a process that was stopped, a clock that was set back. The
    hours until the next call begin when the telephone fell silent, not before.
    """
    return report.at if report.at is not None and now < report.at <= now + CLOCK_MAY_LAG else now


def _goes_on(session: Session, attempt_id: str, report: CallReport, now: datetime) -> bool:
    """The ordinary case, in one statement: our call, which is up, is a step further. False: it must be looked at."""
    if report.is_final or report.answered_by is not None or report.sequence_number is None:
        return False
    return attempts.progress(session, attempt_id, report.call_sid, report.status, report.sequence_number, now)


def _write_down(session: Session, attempt_id: str, report: CallReport, now: datetime) -> None:
    events.add(
        session,
        "status",
        now,
        attempt_id=attempt_id,
        call_sid=report.call_sid,
        status=report.status,
        sequence_number=report.sequence_number,
        answered_by=report.answered_by,
        duration_seconds=report.duration_seconds,
        error_code=report.error_code,
        carrier_time=report.at,
    )


def close_unplaced(
    session: Session,
    rulebook: working.Rulebook,
    calendar: OpenHours,
    attempt: Attempt,
    outcome: str,
    now: datetime,
    *,
    state: str,
) -> None:
    """End an attempt that has no call to speak of: refused for its number (`closed`) or lost (`unknown`)."""
    is_moved = attempts.move(
        session,
        attempt.id,
        attempts.OPEN_STATES,
        state,
        outcome=outcome,
        ended_at=now,
        # Perhaps it rang: then nobody is called again within the spacing.
        rang=state == "unknown",
    )
    stands = state if is_moved else attempt.state
    _end_call(session, rulebook, calendar, attempt, outcome, now, by=state, state=stands)


def _note_verdict(
    session: Session,
    catalogue: Catalogue,
    calendar: OpenHours,
    attempt: Attempt,
    report: CallReport,
    now: datetime,
) -> Attempt:
    """Keep the first machine verdict. A late one corrects the outcome of a call in which nobody pressed a key."""
    if report.answered_by is None or attempt.answered_by is not None:
        return attempt
    attempts.note(session, attempt.id, answered_by=report.answered_by)
    noted = replace(attempt, answered_by=report.answered_by)
    late = attempt.state == "closed" and attempt.outcome in _MACHINE_MAY_CORRECT
    if late and is_machine(report.answered_by):
        attempts.note(session, attempt.id, outcome="answering_machine")
        events.add(session, "corrected", now, attempt_id=attempt.id, outcome="answering_machine")
        case = cases.get(session, attempt.case_id, lock=True)
        history = attempts.history(session, attempt.case_id)
        if not case.is_busy and not case.is_final and history and history[-1]["id"] == attempt.id:
            working.call_again(session, catalogue, calendar, case, now, by="late_verdict")
        return replace(noted, outcome="answering_machine")
    return noted


def _progress(session: Session, attempt: Attempt, report: CallReport, now: datetime) -> None:
    """The call is on its way: queued, ringing, answered."""
    if attempt.state in {"reserved", "dialing"}:
        attempts.adopt(session, attempt.id, report.call_sid, now)
    elif attempt.state == "unknown":
        # It is there after all. Its slot went to others: the first webhook asks for another, or says goodbye.
        attempts.note(session, attempt.id, call_sid=report.call_sid)
    newest = attempt.sequence_number
    if report.sequence_number is not None and newest is not None and report.sequence_number <= newest:
        return
    values: dict[str, object] = {"call_status": report.status, "checked_at": now}
    if report.sequence_number is not None:
        values["sequence_number"] = report.sequence_number
    if report.status == "in-progress" and attempt.answered_at is None:
        values |= {"answered_at": now, "rang": True}
    attempts.note(session, attempt.id, **values)


def _close(
    session: Session,
    catalogue: Catalogue,
    calendar: OpenHours,
    attempt: Attempt,
    report: CallReport,
    now: datetime,
) -> None:
    engine_outcome, wish = _hang_up(session, catalogue, attempt, now)
    outcome = outcome_of_call(report, engine_outcome, attempt.answered_by)
    was_answered = attempt.answered_at is not None or attempt.turn >= 0
    attempts.move(
        session,
        attempt.id,
        [*attempts.OPEN_STATES, "unknown"],
        "closed",
        call_sid=report.call_sid,
        call_status=report.status,
        sequence_number=report.sequence_number if report.sequence_number is not None else attempt.sequence_number,
        duration_seconds=report.duration_seconds,
        placed_at=attempt.placed_at or attempt.dialing_at or now,
        ended_at=now,
        rang=attempt.direction == "outbound" and did_ring(report, was_answered),
        outcome=outcome,
    )
    _end_call(session, catalogue, calendar, attempt, outcome, now, by="call", state="closed", wish=wish)


def _hang_up(session: Session, catalogue: Catalogue, attempt: Attempt, now: datetime) -> tuple[str | None, Wish | None]:
    """Tell the engine that the line is gone; what it came to, and when the person wants to be called."""
    if attempt.dialogue is None:
        return None, None
    try:
        state = engine.load(dict(attempt.dialogue))
    except InvariantError:
        # A damaged row ends its own call only: what was answered is kept apart from it.
        log.error("dialogue_unreadable", attempt_id=attempt.id)
        return None, None
    if state.outcome is None or not state.is_over:
        questionnaire = questionnaire_of_attempt(session, catalogue, attempt.id)
        if questionnaire is not None:
            # Not kept: the dialogue stays as the last key left it, for a key that is still on its way (`late.py`).
            state, _ = engine.advance(questionnaire, state, HungUp())
    if attempt.interview_id is not None and state.outcome in _INTERVIEW_ENDINGS:
        interviews.end(session, attempt.interview_id, state.outcome, now)
    return state.outcome, state.wish


def _end_call(
    session: Session,
    rulebook: working.Rulebook,
    calendar: OpenHours,
    attempt: Attempt,
    outcome: str,
    now: datetime,
    *,
    by: str,
    state: str,
    wish: Wish | None = None,
) -> None:
    events.add(session, "closed", now, attempt_id=attempt.id, outcome=outcome, state=state)
    settle_case(session, rulebook, calendar, attempt, outcome, now, by=by, wish=wish)
    quotas.release(session, attempt.id)
    working.settle_cell(session, attempt.cell_id, now)


def settle_case(
    session: Session,
    rulebook: working.Rulebook,
    calendar: OpenHours,
    attempt: Attempt,
    outcome: str,
    now: datetime,
    *,
    by: str,
    wish: Wish | None = None,
) -> None:
    """What this outcome of the attempt means for its case, and for whoever on a shared number took part."""
    if attempt.is_test:
        trials.forget_number(session, attempt.id)
        return
    case = cases.get(session, attempt.case_id, lock=True)
    other = _other_person(session, attempt)
    if other is not None:
        _end_for_other(session, rulebook, calendar, other, outcome, now)
    if rulebook.outcomes[outcome].next == "other_number":
        cases.bury_number(session, case.id, attempt.phone_rank)
    # Somebody whom we had given up rang us, or had answered after all.
    came_back = attempt.direction == "inbound" or by == "late_key"
    if came_back and case.is_final and other is None and rulebook.outcomes[outcome].is_final:
        working.finish(session, case, outcome, now, by=by)
    working.call_again(session, rulebook, calendar, case, now, by=by, wish=wish)


def _other_person(session: Session, attempt: Attempt) -> int | None:
    """On a shared number: the case of the person who took part, when that is not the one we rang."""
    if attempt.interview_id is None:
        return None
    case_id = cases.of_interview(session, attempt.interview_id)
    return case_id if case_id is not None and case_id != attempt.case_id else None


def _end_for_other(
    session: Session, rulebook: working.Rulebook, calendar: OpenHours, case_id: int, outcome: str, now: datetime
) -> None:
    case = cases.get(session, case_id, lock=True)
    row = rulebook.outcomes[outcome]
    if row.is_final:
        working.finish(session, case, outcome, now, by="shared_number")
    elif row.next == "resume" and not case.is_busy:
        moment = calendar.next_open(now + working.minutes(row.delay_minutes))
        working.change(session, case, outcome, now, by="shared_number", next_call_at=moment, priority=working.RESUME)
