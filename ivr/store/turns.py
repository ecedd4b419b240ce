"""What the voice door reads and writes at each webhook: the call, its last turn, the replies given.

One statement loads all that a webhook needs, and locks the attempt's row where the database knows row locks:
two webhooks of one call wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.errors import InvariantError
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import (
    attempts,
    case_phones,
    cases,
    cells,
    orders,
    turns,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the store has it. turn: the last one that was replied to, -1 before the first webhook."""

    attempt_id: str
    case_id: int
    cell_id: int | None
    state: str
    direction: str
    is_test: bool
    call_sid: str | None
    answered_by: str | None
    phone_hash: str | None
    phone_rank: int
    turn: int
    dialogue: dict[str, Any] | None
    interview_id: str | None
    service: int
    sample_id: int
    order_id: int | None
    track: str | None
    voiced_at: datetime | None
    reply: dict[str, Any] | None


# A try-out order has no cell (`trials.py`): its test calls find it by their sample.
_TRYOUT = (
    sa.select(sa.func.min(orders.c.id))
    .where(orders.c.sample_id == cases.c.sample_id)
    .correlate(cases)
    .scalar_subquery()
)

_CALL = Prepared(
    sa.select(
        attempts.c.id.label("attempt_id"),
        attempts.c.case_id,
        attempts.c.cell_id,
        attempts.c.state,
        attempts.c.direction,
        attempts.c.is_test,
        attempts.c.call_sid,
        attempts.c.answered_by,
        attempts.c.phone_hash,
        attempts.c.phone_rank,
        attempts.c.turn,
        attempts.c.dialogue,
        attempts.c.interview_id,
        sa.func.coalesce(cases.c.service, 0).label("service"),
        cases.c.sample_id,
        orders.c.id.label("order_id"),
        orders.c.track,
        orders.c.voiced_at,
        turns.c.reply,
    )
    .select_from(
        attempts.join(cases, cases.c.id == attempts.c.case_id)
        .outerjoin(cells, cells.c.id == sa.func.coalesce(attempts.c.cell_id, cases.c.cell_id))
        .outerjoin(orders, orders.c.id == sa.func.coalesce(cells.c.order_id, sa.case((attempts.c.is_test, _TRYOUT))))
        .outerjoin(turns, sa.and_(turns.c.attempt_id == attempts.c.id, turns.c.turn == attempts.c.turn))
    )
    .where(attempts.c.id == sa.bindparam("id"))
    .with_for_update(of=attempts)
)


# Built once: a webhook runs them, and building a statement costs more than sending it.
_MOVE = Prepared(
    sa.update(attempts)
    .where(attempts.c.id == sa.bindparam("b_id"), attempts.c.turn == sa.bindparam("b_before"))
    .values({name: sa.bindparam(name) for name in ("turn", "dialogue", "interview_id")})
)
_REPLIED = Prepared(
    sa.insert(turns).values({name: sa.bindparam(name) for name in ("attempt_id", "turn", "signal", "reply", "at")})
)


def load_call(session: Session, attempt_id: str) -> Call | None:
    """The call of this attempt, its last reply with it; None when there is no such attempt."""
    row = _CALL.row(session, {"id": attempt_id})
    if row is None:
        return None
    call = Call(*row)
    if call.turn >= 0 and call.reply is None:
        # PostgreSQL: whoever waited for the lock sees the attempt as it is now, but what was joined to it as it was
        # before. Another statement sees the reply.
        call = replace(call, reply=reply_to(session, attempt_id, call.turn))
    return call


def reply_to(session: Session, attempt_id: str, turn: int) -> dict[str, Any] | None:
    """What was replied to this turn; None when it never came."""
    return session.execute(
        sa.select(turns.c.reply).where(turns.c.attempt_id == attempt_id, turns.c.turn == turn)
    ).scalar_one_or_none()


_LAST_REPLY = Prepared(
    sa.select(turns.c.reply)
    .select_from(attempts.join(turns, sa.and_(turns.c.attempt_id == attempts.c.id, turns.c.turn == attempts.c.turn)))
    .where(attempts.c.id == sa.bindparam("id"))
)


def last_reply(session: Session, attempt_id: str) -> dict[str, Any] | None:
    """What was replied to the call's last turn; None before its first."""
    return _LAST_REPLY.value(session, {"id": attempt_id})


def of_attempt(session: Session, attempt_id: str) -> list[Mapping[str, Any]]:
    """The turns of this attempt's call, in order: turn, signal, at. Never what was pressed."""
    rows = session.execute(
        sa.select(turns.c.turn, turns.c.signal, turns.c.at)
        .where(turns.c.attempt_id == attempt_id)
        .order_by(turns.c.turn)
    )
    return [dict(row._mapping) for row in rows]


def save(
    session: Session,
    attempt_id: str,
    *,
    turn: int,
    signal: str,
    reply: Mapping[str, Any],
    dialogue: Mapping[str, Any] | None,
    interview_id: str | None,
    now: datetime,
) -> None:
    """Keep that this turn was replied to. InvariantError when another webhook came in between."""
    values = {"dialogue": None if dialogue is None else dict(dialogue), "interview_id": interview_id}
    if _MOVE.change(session, {"b_id": attempt_id, "b_before": turn - 1, "turn": turn} | values) != 1:
        raise InvariantError(f"Turn {turn} of attempt {attempt_id} was replied to twice.")
    _REPLIED.change(
        session, {"attempt_id": attempt_id, "turn": turn, "signal": signal, "reply": dict(reply), "at": now}
    )


def phone_of(session: Session, case_id: int, rank: int) -> str | None:
    """The keyed hash of the person's number of this rank."""
    return session.execute(
        sa.select(case_phones.c.phone_hash).where(case_phones.c.case_id == case_id, case_phones.c.rank == rank)
    ).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class _Sharer:
    id: int
    code: str
    cell_id: int | None
    is_final: bool
    is_busy: bool
    name_hash: str | None
    service: int | None


_SHARERS = Prepared(
    sa.select(*(cases.c[name] for name in _Sharer.__dataclass_fields__))
    .where(
        cases.c.respondent_group == "client",
        cases.c.id.in_(sa.select(case_phones.c.case_id).where(case_phones.c.phone_hash == sa.bindparam("phone"))),
    )
    .order_by(cases.c.id)
)


def sharers(session: Session, call: Call, phone_hash: str) -> tuple[tuple[str, str], ...]:
    """The letters' codes of those who may be interviewed on this number, each with its case id as a text.

    Empty when nobody else has the number, in whatever provider's list: the same name there is the same person.
    Somebody who has been interviewed still makes the number a shared one, but has no part in this call any more;
    nor has somebody in another call just now, in another cell, or with another questionnaire.
    """
    rows = [_Sharer(*row) for row in _SHARERS.rows(session, {"phone": phone_hash})]
    own = next((row for row in rows if row.id == call.case_id), None)
    if own is None or not any(
        row.id != own.id and (own.name_hash is None or row.name_hash != own.name_hash) for row in rows
    ):
        return ()
    return tuple(
        (row.code, str(row.id))
        for row in rows
        if row.id == own.id
        or (
            row.cell_id == own.cell_id
            and (row.service == 11) == (own.service == 11)
            and not row.is_final
            and not row.is_busy
        )
    )
