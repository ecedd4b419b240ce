"""People who call us: who has this number, and a call of theirs without a plan.

Decides that a phone-in holds a slot like any other call, so that it can never pass the target. What the caller hears
is decided in `fieldwork/phoning_in.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ivr.ids import new_id
from ivr.store.session import Session
from ivr.store.tables import attempts, case_phones, cases, cells, order_prompts


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls us. case_id: the person who may be interviewed now, None when there is none on this number.

    is_answered: somebody here has taken part. is_full: somebody here could, but the telephone has no more room.
    is_waiting: somebody here will be rung, only not at this moment (a call of ours is going on, or the cell is paused).
    is_by_web: somebody here is asked by letter or e-mail, not by telephone, and has not answered yet.
    """

    case_id: int | None
    is_answered: bool
    is_full: bool
    is_waiting: bool
    is_by_web: bool


def caller(session: Session, phone_hash: str) -> Caller | None:
    """Who is known by this number; None when nobody is. What was begun goes before what is fresh, new before old."""
    rows = session.execute(
        sa.select(cases.c.id, cases.c.is_final, cases.c.is_busy, cases.c.disposition, cells.c.state)
        .join(case_phones, case_phones.c.case_id == cases.c.id)
        .outerjoin(cells, cells.c.id == cases.c.cell_id)
        .where(case_phones.c.phone_hash == phone_hash, cases.c.respondent_group == "client")
        .order_by(cases.c.priority, cases.c.sample_id.desc(), cases.c.id)
    ).all()
    if not rows:
        return None
    able = [row.id for row in rows if row.state == "open" and not row.is_final and not row.is_busy]
    return Caller(
        able[0] if able else None,
        any(row.disposition in ("complete", "partial", "answered_elsewhere") for row in rows),
        any(row.disposition == "quota_full" for row in rows),
        any(row.state in ("open", "paused") and not row.is_final for row in rows),
        any(row.state is None and not row.is_final for row in rows),
    )


def attempt_with(session: Session, call_sid: str) -> str | None:
    """The attempt that has this CallSid."""
    return session.execute(sa.select(attempts.c.id).where(attempts.c.call_sid == call_sid)).scalar_one_or_none()


def anybodys_sound(session: Session, prompt: str) -> str | None:
    """A rendering of this prompt for any order: for what is said before it is known whose call it is."""
    return session.execute(
        sa.select(order_prompts.c.sha256)
        .where(order_prompts.c.prompt == prompt, order_prompts.c.is_slow.is_(False))
        .order_by(order_prompts.c.order_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def begin_inbound(session: Session, case_id: int, phone_hash: str, call_sid: str, now: datetime) -> str | None:
    """An attempt, placed, for the call that this person made; gives its id. None when the cell has no room left.

    It is numbered among the person's calls but dialled nobody; whether it counts as an attempt, closing decides.
    """
    person = session.execute(
        sa.select(cases.c.cell_id, cases.c.dialled).where(cases.c.id == case_id).with_for_update()
    ).one()
    slot = session.execute(
        sa.update(cells)
        .where(
            cells.c.id == person.cell_id,
            cells.c.state == "open",
            cells.c.successful + cells.c.in_flight < cells.c.target,
        )
        .values(in_flight=cells.c.in_flight + 1)
    )
    if slot.rowcount != 1:
        return None
    taken = session.execute(
        sa.update(cases)
        .where(cases.c.id == case_id, cases.c.is_busy.is_(False), cases.c.is_final.is_(False))
        .values(is_busy=True, dialled=cases.c.dialled + 1)
    )
    if taken.rowcount != 1:
        session.execute(sa.update(cells).where(cells.c.id == person.cell_id).values(in_flight=cells.c.in_flight - 1))
        return None
    attempt_id = new_id()
    session.execute(
        sa.insert(attempts).values(
            id=attempt_id,
            case_id=case_id,
            cell_id=person.cell_id,
            number_in_case=person.dialled + 1,
            phone_hash=phone_hash,
            state="placed",
            holds_slot=True,
            direction="inbound",
            planned_at=now,
            not_before=now,
            not_after=now,
            placed_at=now,
            answered_at=now,
            checked_at=now,
            call_sid=call_sid,
            call_status="in-progress",
        )
    )
    return attempt_id
