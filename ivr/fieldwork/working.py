"""What every stage does with a case: change its disposition, say when it is called again, stop it.

Decides that only legal changes happen (`survey/disposition.py` has the table) and that each one leaves an event;
a refused change is logged and changes nothing. Used by planning, dialling, closing and reconciling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from ivr.logs import get_logger
from ivr.store import Session, attempts, cases, cells, events
from ivr.store.admission import Bounds
from ivr.store.cases import Case, Standing
from ivr.survey import callplan
from ivr.survey.callplan import Call, OpenHours
from ivr.survey.disposition import Outcome, is_legal
from ivr.survey.fieldwork_rules import FieldworkRules
from ivr.survey.turn import Wish

log = get_logger(__name__)

APPOINTMENT, RESUME, ORDINARY = 0, 1, 2
"""Priorities of a case: who goes first."""

SET_ASIDE = "set_aside"
"""The event that tells how somebody stood who was not needed any more."""

_FINISHED: dict[str, object] = {"is_final": True, "next_call_at": None, "priority": ORDINARY}


class Rulebook(Protocol):
    """The part of the catalogue that fieldwork decides by."""

    @property
    def fieldwork(self) -> FieldworkRules: ...

    @property
    def outcomes(self) -> Mapping[str, Outcome]: ...


def bounds_at(rules: FieldworkRules, now: datetime, *, consent_only: bool) -> Bounds:
    """What the store checks in one tick."""
    today = callplan.local_date(now)
    return Bounds(
        now=now,
        spaced_from=now - timedelta(minutes=rules.spacing_minutes),
        midnight=callplan.part_of_day(None, today, rules)[0],
        rested_from=now - timedelta(days=rules.other_interview_days),
        announced_from=today - timedelta(days=rules.announcement_max_days),
        announced_to=today - timedelta(days=rules.announcement_min_days),
        max_per_day=rules.max_per_day,
        consent_only=consent_only,
    )


def change(session: Session, case: Case, disposition: str, now: datetime, *, by: str, **values: object) -> bool:
    """Give the case this disposition, and write `values` with it. False (and logged) when the change is illegal."""
    if not is_legal(case.disposition, disposition):
        log.warning("disposition_refused", case_id=case.id, before=case.disposition, after=disposition, by=by)
        events.add(session, "refused_change", now, case_id=case.id, before=case.disposition, after=disposition, by=by)
        return False
    if disposition != case.disposition:
        events.add(session, "disposition", now, case_id=case.id, before=case.disposition, after=disposition, by=by)
    cases.write(session, case.id, disposition=disposition, **values)
    return True


def finish(session: Session, case: Case, disposition: str, now: datetime, *, by: str) -> bool:
    """Nobody calls this case any more."""
    return change(session, case, disposition, now, by=by, is_busy=False, **_FINISHED)


def history_of(session: Session, rulebook: Rulebook, case_id: int, wish: Wish | None = None) -> list[Call]:
    """The calls to this case for the call plan; `wish` is what was asked for in the last one.

    A call in which somebody else on a shared number took part was, for this person, a ring without a talk.
    """
    rows = attempts.history(session, case_id)
    calls: list[Call] = []
    for number, row in enumerate(rows, start=1):
        outcome = rulebook.outcomes["no_interaction" if row["other"] else row["outcome"]]
        if row["direction"] == "inbound":
            # Somebody who rings us uses up none of our attempts.
            outcome = replace(outcome, counts_as_attempt=False)
        calls.append(
            Call(
                at=row["at"],
                ended_at=row["ended_at"] or row["at"],
                outcome=outcome,
                rang=row["rang"],
                wish=wish if number == len(rows) else None,
            )
        )
    return calls


def call_again(
    session: Session,
    rulebook: Rulebook,
    calendar: OpenHours,
    case: Case,
    now: datetime,
    *,
    by: str,
    wish: Wish | None = None,
) -> None:
    """After a call: count it, and set when this case is called next, or give it up. Frees the case."""
    calls = history_of(session, rulebook, case.id, wish)
    used = sum(call.outcome.counts_as_attempt for call in calls)
    stands = cases.standing(session, case.id)
    if stands.is_in_call or case.is_final or not calls:
        cases.write(session, case.id, is_busy=stands.is_in_call, attempts=used)
        return
    disposition, values = _what_next(rulebook, calendar, case, calls, stands, now)
    if not change(session, case, disposition, now, by=by, is_busy=False, attempts=used, **values):
        cases.write(session, case.id, is_busy=False, attempts=used)


def _what_next(
    rulebook: Rulebook,
    calendar: OpenHours,
    case: Case,
    calls: Sequence[Call],
    stands: Standing,
    now: datetime,
) -> tuple[str, dict[str, object]]:
    """The disposition of a case after its calls, and what is written with it."""
    last = calls[-1].outcome
    if not last.is_final and stands.has_answered:
        return "answered_elsewhere", _FINISHED
    if last.code != "never_call_again" and stands.is_opted_out:
        return "opted_out", _FINISHED
    moment = callplan.next_call(calls, rulebook.fieldwork, calendar, now, other_number=stands.has_number)
    if moment is None:
        return callplan.final_disposition(calls), _FINISHED
    priority = {"appointment": APPOINTMENT, "resume": RESUME}.get(last.next, ORDINARY)
    if (
        last.code in {"no_answer", "busy", "answering_machine", "no_interaction", "technical"}
        and case.priority < ORDINARY
    ):
        # An appointment or a broken-off interview that was not reached stays ahead of those never spoken to.
        priority = RESUME
    disposition = last.code
    if last.group in {"NC", "U"} and (reached := [call.outcome.code for call in calls if call.outcome.group == "R"]):
        # What a person did says more than a telephone that rang afterwards.
        disposition = reached[-1]
    return disposition, {"is_final": False, "next_call_at": moment, "priority": priority}


def settle_cell(session: Session, cell_id: int | None, now: datetime) -> int:
    """Once the cell is filled and nothing is in flight: whoever is left need not be called. How many that were.

    How each stood, and when they would have been called, is written down: a raised target must break no promise.
    """
    if cell_id is None:
        return 0
    cell = cells.get(session, cell_id)
    if not cell.is_filled or cell.in_flight > 0:
        return 0
    left = cases.left_in_cell(session, cell_id)
    ended = 0
    for case in left:
        stood = {"before": case.disposition, "next_call_at": case.next_call_at, "priority": case.priority}
        if finish(session, case, "quota_full", now, by="cell_filled"):
            events.add(session, SET_ASIDE, now, case_id=case.id, **stood)
            ended += 1
    return ended


def minutes(count: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)
