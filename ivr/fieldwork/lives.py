"""The life of one call, from its immutable rows alone: what happened, and what state that makes.

Every webhook of a call leaves a row that is never changed: an ordinary turn one of `turns`, a status callback, a
verdict, a stray or late webhook one of `events`. `rebuild` folds them into the state that the attempt's own row must
have; where the two differ somebody wrote past the events. Held together by tests on whole calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ivr.store import Database, attempts, events, turns
from ivr.store.attempts import Attempt

_FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(slots=True)
class Rebuilt:
    """What the rows say of an attempt. turn: the last one that was replied to, -1 for none."""

    state: str = ""
    call_sid: str | None = None
    call_status: str | None = None
    sequence_number: int | None = None
    answered_by: str | None = None
    outcome: str | None = None
    turn: int = -1


def rebuild(log: Sequence[Mapping[str, Any]], last_turn: int) -> Rebuilt:
    """Fold the events (kind, details; oldest first) of one attempt into its state. last_turn: of its `turns`."""
    life = Rebuilt(turn=last_turn)
    for event in log:
        if step := _STEPS.get(event["kind"]):
            step(life, event["details"])
    return life


def _status(life: Rebuilt, details: Mapping[str, Any]) -> None:
    sid, status = details["call_sid"], details["status"]
    if life.call_sid is not None and sid != life.call_sid:
        return
    if life.answered_by is None:
        life.answered_by = details.get("answered_by")
    if life.state in {"void", "closed"}:
        return
    number = details.get("sequence_number")
    if status not in _FINAL:
        if life.state in {"reserved", "dialing"}:
            life.state = "placed"
        life.call_sid = sid
        if number is not None and life.sequence_number is not None and number <= life.sequence_number:
            return
    life.call_sid, life.call_status = sid, status
    life.sequence_number = life.sequence_number if number is None else number


def _adopted(life: Rebuilt, details: Mapping[str, Any]) -> None:
    """The carrier's answer, the first webhook, or the reconciler: this call is ours."""
    adoption = details.get("adoption", "go")
    if adoption == "go":
        life.state, life.call_sid = "placed", details["call_sid"]
    elif adoption == "full":
        life.call_sid, life.state = details["call_sid"], details.get("state", life.state)


def _reconciled(life: Rebuilt, details: Mapping[str, Any]) -> None:
    if details["found"] == "call":
        _adopted(life, details)


def _closed(life: Rebuilt, details: Mapping[str, Any]) -> None:
    life.state, life.outcome = details.get("state", "closed"), details["outcome"]


def _corrected(life: Rebuilt, details: Mapping[str, Any]) -> None:
    life.outcome = details["outcome"]


def _to(state: str) -> Callable[[Rebuilt, Mapping[str, Any]], None]:
    def step(life: Rebuilt, _: Mapping[str, Any]) -> None:
        life.state = state

    return step


_STEPS: Mapping[str, Callable[[Rebuilt, Mapping[str, Any]], None]] = {
    "planned": _to("reserved"),
    "test_call": _to("dialing"),
    "dialing": _to("dialing"),
    "void": _to("void"),
    "placed": _adopted,
    "answered": _adopted,
    "reconciled": _reconciled,
    "status": _status,
    "closed": _closed,
    "corrected": _corrected,
}


def life_of(database: Database, attempt_id: str) -> dict[str, Any]:
    """The life of one call, for `ivr attempt show`. NotFoundError.

    Its row without the dialogue; `events`: all that happened, turns among them, by time; `differs`: the columns in
    which the row is not what the events make of it (empty: it can be rebuilt).
    """
    with database.read() as session:
        attempt = attempts.get(session, attempt_id)
        log = events.of_attempt(session, attempt_id)
        said = turns.of_attempt(session, attempt_id)
    rebuilt = asdict(rebuild(log, max((row["turn"] for row in said), default=-1)))
    happened: list[dict[str, Any]] = [{"at": row["at"], "kind": row["kind"], **row["details"]} for row in log]
    happened += ({"at": row["at"], "kind": "turn", "turn": row["turn"], "signal": row["signal"]} for row in said)
    return {
        **_row(attempt),
        "differs": sorted(name for name, value in rebuilt.items() if value != getattr(attempt, name)),
        "events": sorted(happened, key=_moment_of),
    }


def _moment_of(event: Mapping[str, Any]) -> datetime:
    return event["at"]


def _row(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt_id": attempt.id,
        "case_id": attempt.case_id,
        "number_in_case": attempt.number_in_case,
        "direction": attempt.direction,
        "state": attempt.state,
        "outcome": attempt.outcome,
        "holds_slot": attempt.holds_slot,
        "call_sid": attempt.call_sid,
        "call_status": attempt.call_status,
        "answered_by": attempt.answered_by,
        "rang": attempt.rang,
        "duration_seconds": attempt.duration_seconds,
        "turn": attempt.turn,
        "interview_id": attempt.interview_id,
        "planned_at": attempt.planned_at,
        "not_before": attempt.not_before,
        "not_after": attempt.not_after,
        "dialing_at": attempt.dialing_at,
        "placed_at": attempt.placed_at,
        "answered_at": attempt.answered_at,
        "ended_at": attempt.ended_at,
    }
