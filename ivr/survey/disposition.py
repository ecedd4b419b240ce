"""What became of a call, and what that means for its case.

Decides which outcome a call had (from what the carrier reports and what the engine recorded) and which
changes between dispositions are legal. When to call again is decided in `callplan.py`.

    fresh ──call──▶ open: no_answer busy answering_machine no_interaction technical
      │             │     hung_up_introduction appointment break_off
      │             ├──call──▶ open
      │             ├──call──▶ done: complete partial unusable
      │             ├──call──▶ declined: refusal never_call_again
      │             ├──call──▶ unreachable: wrong_person not_in_service language_problem
      │             └──plan──▶ given up: attempts_used_up quota_full announcement_expired
      ├──plan, staff──▶ any of them, and: opted_out answered_elsewhere deceased ill deaf moved in_hospital complaint
    given up, unreachable ──phone-in, a new number, announcement or target──▶ fresh, open, done, declined
    declined ──▶ never_call_again complaint opted_out withdrawn          (never given up, never done)
    done, everything ──▶ withdrawn

The table `LEGAL` below is this drawing; a change that is not in it is refused and logged by its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ivr.errors import ConfigurationError

CallStatus = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]

FINAL_STATUSES: frozenset[str] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class CallReport:
    """What the carrier says of a call, from a status callback or from asking it.

    `at` is the carrier's own time stamp if it gave one. `duration_seconds` counts from the answer.
    """

    call_sid: str
    status: CallStatus
    sequence_number: int | None = None
    answered_by: str | None = None
    duration_seconds: int | None = None
    error_code: int | None = None
    at: datetime | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES


Next = Literal["none", "again", "another_day", "resume", "appointment", "other_number"]
_NEXT = ("none", "again", "another_day", "resume", "appointment", "other_number")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of config/outcomes.toml; the file explains the fields."""

    code: str
    label: str
    aapor: str
    group: str
    is_final: bool
    contacted: bool
    eligible: bool
    counts_as_attempt: bool
    delay_minutes: int
    next: Next
    repeats: int


def outcomes_from_mapping(data: Mapping[str, Any]) -> dict[str, Outcome]:
    """The outcomes of outcomes.toml by code. ConfigurationError names the row and what is wrong with it."""
    outcomes: dict[str, Outcome] = {}
    for code, row in data.items():
        allowed = {
            "label", "aapor", "group", "final", "contacted", "eligible", "counts_as_attempt", "delay_minutes", "next",
            "repeats",
        }  # fmt: skip
        unknown = set(row) - allowed
        missing = {"label", "aapor", "group", "final", "contacted", "eligible", "counts_as_attempt"} - set(row)
        if unknown or missing:
            raise ConfigurationError(
                f"outcomes.toml [{code}]: unknown {sorted(unknown)}, missing {sorted(missing)}. Compare [no_answer]."
            )
        following = row.get("next", "none")
        if following not in _NEXT:
            raise ConfigurationError(f"outcomes.toml [{code}]: next must be one of {', '.join(_NEXT)}.")
        if not row["final"] and following == "none":
            raise ConfigurationError(f"outcomes.toml [{code}]: an outcome that is not final needs `next`.")
        outcomes[code] = Outcome(
            code=code,
            label=row["label"],
            aapor=row["aapor"],
            group=row["group"],
            is_final=row["final"],
            contacted=row["contacted"],
            eligible=row["eligible"],
            counts_as_attempt=row["counts_as_attempt"],
            delay_minutes=int(row.get("delay_minutes", 0)),
            next=following,
            repeats=int(row.get("repeats", 0)),
        )
    lacking = ALL - outcomes.keys()
    if lacking:
        raise ConfigurationError(f"outcomes.toml lacks {', '.join(sorted(lacking))}: the code decides on these.")
    return outcomes


OPEN = frozenset(
    {
        "no_answer",
        "busy",
        "answering_machine",
        "no_interaction",
        "technical",
        "hung_up_introduction",
        "appointment",
        "break_off",
    }
)
DONE = frozenset({"complete", "partial", "unusable"})
DECLINED = frozenset({"refusal", "never_call_again"})
UNREACHABLE = frozenset({"wrong_person", "not_in_service", "language_problem"})
GIVEN_UP = frozenset({"attempts_used_up", "quota_full", "announcement_expired"})
BY_STAFF = frozenset({"deceased", "ill", "deaf", "moved", "in_hospital", "complaint"})
STOPPED = frozenset({"opted_out", "answered_elsewhere"})
ALL = frozenset({"fresh", "withdrawn"}) | OPEN | DONE | DECLINED | UNREACHABLE | GIVEN_UP | BY_STAFF | STOPPED

_LATER = frozenset({"withdrawn", "complaint", "opted_out"})
_CALLED = OPEN | DONE | DECLINED | UNREACHABLE


def _table() -> dict[str, frozenset[str]]:
    legal: dict[str, frozenset[str]] = {code: ALL - {"fresh"} for code in OPEN | {"fresh"}}
    for code in GIVEN_UP:
        legal[code] = ALL  # a raised target, a new announcement, somebody who phones in
    for code in UNREACHABLE:
        legal[code] = frozenset({"fresh"}) | _CALLED | _LATER | BY_STAFF | STOPPED
    for code in BY_STAFF - {"complaint", "deceased"}:
        legal[code] = frozenset({"fresh"}) | DONE | DECLINED | _LATER | BY_STAFF | STOPPED
    legal["deceased"] = legal["complaint"] = frozenset({"fresh", "withdrawn", "opted_out", "never_call_again"})
    legal["complete"] = _LATER | {"never_call_again"}
    legal["partial"] = legal["unusable"] = _LATER | {"never_call_again", "complete", "partial"}
    legal["refusal"] = _LATER | {"never_call_again", "deceased"}
    legal["never_call_again"] = _LATER | {"deceased"}
    legal["opted_out"] = frozenset({"withdrawn", "complaint", "never_call_again"})
    legal["answered_elsewhere"] = _LATER | {"never_call_again", "fresh"}
    legal["withdrawn"] = frozenset()
    return {code: allowed - {code} for code, allowed in legal.items()}


LEGAL: Mapping[str, frozenset[str]] = _table()
"""From which disposition a case may go to which. Staying where one is is always legal."""


def is_legal(before: str, after: str) -> bool:
    """Whether a case may go from `before` to `after`."""
    return before == after or after in LEGAL.get(before, frozenset())


NUMBER_ERRORS = frozenset({21211, 21214, 21217, 21401, 21421, 21614, 32009})
"""The carrier's words for a number that cannot be called by anyone: final for the number."""

_BY_STATUS: Mapping[str, str] = {"busy": "busy", "no-answer": "no_answer", "canceled": "technical"}


def is_machine(answered_by: str | None) -> bool:
    """Whether the carrier's verdict is a machine (or a fax). `unknown` and a person are not."""
    return answered_by is not None and (answered_by.startswith("machine") or answered_by == "fax")


def outcome_of_call(report: CallReport, engine_outcome: str | None, answered_by: str | None = None) -> str:
    """The outcome code of a call that has ended.

    engine_outcome: what the engine came to when it was told that the line is gone; None when no first webhook
    ever reached us. A key is the proof of a person: a machine verdict only speaks where nobody pressed a key.
    """
    machine = is_machine(answered_by or report.answered_by)
    if engine_outcome is not None:
        if machine and engine_outcome in {"no_interaction", "hung_up_introduction"}:
            return "answering_machine"
        return engine_outcome
    if report.status == "failed":
        # Without a code the network gave an intercept; with one, only some codes speak about the number.
        is_number = report.error_code is None or report.error_code in NUMBER_ERRORS
        return "not_in_service" if is_number else "technical"
    if report.status == "completed":
        return "answering_machine" if machine else "technical"
    return _BY_STATUS.get(report.status, "technical")


def did_ring(report: CallReport, was_answered: bool) -> bool:
    """Whether a telephone rang at somebody's home: answered, or not answered in time."""
    return was_answered or report.status in {"completed", "no-answer"}
