"""Attempts: one row per call, `reserved → dialing → placed → closed`; `void`: certainly not called; `unknown`: perhaps.

    reserved ──dial──▶ dialing ──2xx, first webhook, any status──▶ placed ──ended──▶ closed
       │                  ├── 4xx, 429, never sent ──▶ void
       └── too late ─▶ void └── the carrier knows of no call ──▶ unknown ──answered after all──▶ placed

Every step is one conditional UPDATE: a step that was taken already changes nothing and says so. What a step means
for the case is decided in `fieldwork/`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store import quotas
from ivr.store.columns import KeptState
from ivr.store.open_calls import IS_OPEN, IS_OUTBOUND, OPEN_STATES, is_in
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, interviews

Adoption = Literal["go", "full", "gone"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt's row, as the stages of fieldwork need it."""

    id: str
    case_id: int
    cell_id: int | None
    number_in_case: int
    phone_rank: int
    phone_hash: str | None
    state: str
    holds_slot: bool
    direction: str
    is_test: bool
    planned_at: datetime
    not_before: datetime
    not_after: datetime
    dialing_at: datetime | None
    placed_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    checked_at: datetime | None
    call_sid: str | None
    call_status: str | None
    sequence_number: int | None
    answered_by: str | None
    rang: bool
    outcome: str | None
    duration_seconds: int | None
    turn: int
    dialogue: Mapping[str, Any] | None
    interview_id: str | None


_DIALOGUE = sa.type_coerce(attempts.c.dialogue, KeptState).label("dialogue")
_COLUMNS = [_DIALOGUE if name == "dialogue" else attempts.c[name] for name in Attempt.__dataclass_fields__]

# Built once: these run several times in every call, and building costs more than running.
_ONE = sa.select(*_COLUMNS).where(attempts.c.id == sa.bindparam("attempt"))
_GET, _GET_LOCKED = Prepared(_ONE), Prepared(_ONE.with_for_update())
_TOUCHED = sa.func.coalesce(attempts.c.checked_at, attempts.c.placed_at, attempts.c.dialing_at, attempts.c.not_before)
_IN_FLIGHT = Prepared(sa.select(sa.func.count()).where(IS_OPEN, IS_OUTBOUND))
_OVERDUE = Prepared(
    sa.select(*_COLUMNS)
    .where(
        sa.or_(
            IS_OPEN,
            # An unknown call that the carrier spoke of after all: its ending may have been lost too.
            sa.and_(attempts.c.state == "unknown", attempts.c.call_sid.is_not(None), attempts.c.call_status.is_(None)),
        ),
        sa.bindparam("before", type_=attempts.c.not_before.type) >= _TOUCHED,
    )
    .order_by(attempts.c.planned_at, attempts.c.not_before)
    .limit(sa.bindparam("most"))
)
_FLYING = Prepared(
    sa.select(
        sa.func.count(sa.case((IS_OUTBOUND, 1))), sa.type_coerce(sa.func.min(_TOUCHED), attempts.c.not_before.type)
    ).where(IS_OPEN)
)
_BEGINNINGS = sa.select(attempts.c.id, attempts.c.not_before).where(
    attempts.c.id.in_(sa.bindparam("ids", expanding=True))
)
# The ordinary ways of a call, each in one conditional statement; whatever else may be the case takes the longer way.
_TAKE = Prepared(
    sa.update(attempts)
    .where(
        attempts.c.id == sa.bindparam("b_id"),
        is_in(attempts.c.state, ("reserved", "dialing")),
        sa.or_(attempts.c.call_sid.is_(None), attempts.c.call_sid == sa.bindparam("b_sid")),
    )
    .values(
        state="placed",
        call_sid=sa.bindparam("b_sid"),
        placed_at=sa.bindparam("b_now"),
        checked_at=sa.bindparam("b_now"),
    )
)
_PROGRESSING = (
    sa.update(attempts)
    .where(
        attempts.c.id == sa.bindparam("b_id"),
        is_in(attempts.c.state, ("placed",)),
        attempts.c.call_sid == sa.bindparam("b_sid"),
        sa.or_(attempts.c.sequence_number.is_(None), attempts.c.sequence_number < sa.bindparam("b_number")),
    )
    .values(
        call_status=sa.bindparam("b_status"),
        sequence_number=sa.bindparam("b_number"),
        checked_at=sa.bindparam("b_now"),
    )
)
_PROGRESS = Prepared(_PROGRESSING)
_ANSWERED = Prepared(
    _PROGRESSING.where(attempts.c.answered_at.is_(None)).values(answered_at=sa.bindparam("b_now"), rang=True)
)
_HISTORY = Prepared(
    sa.select(
        attempts.c.id,
        attempts.c.state,
        sa.func.coalesce(attempts.c.placed_at, attempts.c.dialing_at, attempts.c.planned_at).label("at"),
        attempts.c.ended_at,
        attempts.c.outcome,
        attempts.c.rang,
        attempts.c.direction,
        sa.and_(interviews.c.case_id.is_not(None), interviews.c.case_id != sa.bindparam("case")).label("other"),
    )
    .select_from(attempts.outerjoin(interviews, interviews.c.id == attempts.c.interview_id))
    .where(
        attempts.c.case_id == sa.bindparam("case"),
        attempts.c.outcome.is_not(None),
        is_in(attempts.c.state, ("closed", "unknown")),
        attempts.c.is_test.is_(False),
    )
    .order_by(attempts.c.number_in_case)
)
_PAST = ("id", "state", "at", "ended_at", "outcome", "rang", "direction", "other")
SITTING_ON_SLOTS = sa.select(attempts.c.id).where(
    attempts.c.holds_slot.is_(True), is_in(attempts.c.state, ("closed", "void", "unknown"))
)


def get(session: Session, attempt_id: str, *, lock: bool = False) -> Attempt:
    """The attempt; with `lock` nobody else changes it until this transaction ends. NotFoundError."""
    row = (_GET_LOCKED if lock else _GET).row(session, {"attempt": attempt_id})
    if row is None:
        raise NotFoundError(f"There is no attempt {attempt_id}.")
    return Attempt(*row)


@lru_cache(maxsize=128)
def _write(before: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    """Writes these columns; with `before` only in one of these states."""
    here = [attempts.c.id == sa.bindparam("b_id"), *([is_in(attempts.c.state, before)] if before else [])]
    return Prepared(sa.update(attempts).where(*here).values({name: sa.bindparam(name) for name in names}))


def move(session: Session, attempt_id: str, before: Collection[str], after: str, **values: Any) -> bool:
    """Take the attempt from one of the states `before` to `after`. False when it is in none of them."""
    values["state"] = after
    return _write(tuple(before), tuple(values)).change(session, {"b_id": attempt_id} | values) == 1


def note(session: Session, attempt_id: str, **values: Any) -> None:
    """Write these columns of the attempt."""
    _write((), tuple(values)).change(session, {"b_id": attempt_id} | values)


def adopt(session: Session, attempt_id: str, call_sid: str, now: datetime) -> Adoption:
    """The carrier speaks of this attempt's call for the first time (or again).

    `go`: the call is ours, it holds its slot. `full`: it was thought lost, its slot went to others and none is left:
    say a friendly goodbye. `gone`: the attempt is over, was never placed, or belongs to another call.
    """
    if _TAKE.change(session, {"b_id": attempt_id, "b_sid": call_sid, "b_now": now}) == 1:
        return "go"
    attempt = get(session, attempt_id, lock=True)
    if attempt.call_sid is not None and attempt.call_sid != call_sid:
        return "gone"
    if attempt.state == "placed":
        if attempt.call_sid is None:
            note(session, attempt_id, call_sid=call_sid)
        return "go"
    if attempt.state != "unknown":
        return "gone"
    if _has_open_call(session, attempt):
        note(session, attempt_id, call_sid=call_sid)
        return "full"
    move(session, attempt_id, ["unknown"], "placed", call_sid=call_sid, placed_at=now, checked_at=now, ended_at=None)
    session.execute(sa.update(cases).where(cases.c.id == attempt.case_id).values(is_busy=True))
    if attempt.cell_id is None or attempt.is_test or quotas.reserve_again(session, attempt_id, attempt.cell_id):
        return "go"
    return "full"


def progress(
    session: Session, attempt_id: str, call_sid: str, status: str, sequence_number: int, now: datetime
) -> bool:
    """The call that is up goes on to this status. False, and nothing changed: another call, not up, or further."""
    answered = status == "in-progress"
    values = {"b_id": attempt_id, "b_sid": call_sid, "b_number": sequence_number, "b_status": status, "b_now": now}
    return (_ANSWERED if answered else _PROGRESS).change(session, values) == 1


def _has_open_call(session: Session, attempt: Attempt) -> bool:
    """Whether the person or the telephone is in another call of ours just now."""
    return (
        session.execute(
            sa.select(attempts.c.id)
            .where(
                attempts.c.id != attempt.id,
                attempts.c.direction == "outbound",
                attempts.c.state.in_(OPEN_STATES),
                sa.or_(attempts.c.case_id == attempt.case_id, attempts.c.phone_hash == attempt.phone_hash),
            )
            .limit(1)
        ).scalar_one_or_none()
        is not None
    )


def history(session: Session, case_id: int) -> list[Mapping[str, Any]]:
    """The calls to this case that were or may have been made, oldest first.

    Each: id, state, at, ended_at, outcome, rang, direction, and `other`: the call became an interview of somebody
    else who shares the number.
    """
    return [dict(zip(_PAST, row, strict=True)) for row in _HISTORY.rows(session, {"case": case_id})]


def in_flight(session: Session) -> int:
    """Calls that may be ringing or running now, of all workers (phone-ins are no calls of ours)."""
    return _IN_FLIGHT.value(session, {})


def overdue(session: Session, before: datetime, limit: int = 200) -> list[Attempt]:
    """Open attempts that nobody has touched since `before`, oldest first."""
    return [Attempt(*row) for row in _OVERDUE.rows(session, {"before": before, "most": limit})]


def met_by_machine(session: Session) -> list[Attempt]:
    """Calls that are up and that the carrier heard a machine or a fax answer."""
    heard = sa.or_(attempts.c.answered_by.startswith("machine"), attempts.c.answered_by == "fax")
    rows = session.execute(sa.select(*_COLUMNS).where(attempts.c.state == "placed", heard).order_by(attempts.c.id))
    return [Attempt(**row._mapping) for row in rows]


def flying(session: Session) -> tuple[int, datetime | None]:
    """`in_flight`, and when the open attempt that was left alone longest was last touched (None: nothing is open)."""
    row = _FLYING.row(session, {})
    assert row is not None
    return row[0], row[1]


def beginnings(session: Session, ids: Collection[str]) -> dict[str, datetime]:
    """When each of these attempts may be dialled."""
    return {row[0]: row[1] for row in session.execute(_BEGINNINGS, {"ids": list(ids)})}


def known_sids(session: Session, sids: Collection[str]) -> set[str]:
    """Which of these calls belong to an attempt already."""
    return set(session.execute(sa.select(attempts.c.call_sid).where(attempts.c.call_sid.in_(list(sids)))).scalars())


def reserved(session: Session) -> list[str]:
    """Attempts that wait to be dialled, in order."""
    return list(
        session.execute(
            sa.select(attempts.c.id).where(attempts.c.state == "reserved").order_by(attempts.c.not_before)
        ).scalars()
    )


def sitting_on_slots(session: Session) -> list[str]:
    """Attempts that are over and hold a slot all the same: leaks."""
    return list(session.execute(SITTING_ON_SLOTS).scalars())
