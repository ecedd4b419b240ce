"""Slots of a quota cell: release them, spend them. A call in flight holds one; `admission.py` reserves them.

Order of locks, so that nobody waits in a circle: attempt, case, then the cell, at most one cell per transaction
(the planner holds several cells, but waits for no attempt and no case).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ivr.store import ledger
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, cells, interviews

# Built once: building a statement costs more than sending it, and every interview that counts runs these.
_INTERVIEW = (
    sa.select(interviews.c.case_id, interviews.c.successful, interviews.c.is_superseded)
    .where(interviews.c.id == sa.bindparam("b_id"))
    .with_for_update()
)
_ELSEWHERE = (
    sa.select(interviews.c.id)
    .where(
        interviews.c.case_id == sa.bindparam("b_case"),
        interviews.c.id != sa.bindparam("b_id"),
        interviews.c.usable.is_(True),
        interviews.c.is_superseded.is_(False),
    )
    .limit(1)
)
_LET_GO = Prepared(
    sa.update(attempts)
    .where(attempts.c.id == sa.bindparam("b_id"), attempts.c.holds_slot.is_(True))
    .values(holds_slot=False)
    .returning(attempts.c.cell_id)
)
_SPEND = Prepared(
    sa.update(cells)
    .where(cells.c.id == sa.bindparam("b_id"))
    .values(in_flight=cells.c.in_flight - 1, successful=cells.c.successful + 1)
)
_RELEASE = Prepared(sa.update(cells).where(cells.c.id == sa.bindparam("b_id")).values(in_flight=cells.c.in_flight - 1))
_COUNTS = (
    sa.update(interviews)
    .where(interviews.c.id == sa.bindparam("b_id"))
    .values(successful=True, cell_id=sa.bindparam("cell_id"))
)


def reserve_again(session: Session, attempt_id: str, cell_id: int) -> bool:
    """A slot for a call that was thought lost and is answered after all. False: none is left."""
    taken = session.execute(
        sa.update(cells)
        .where(
            cells.c.id == cell_id, cells.c.state != "closed", cells.c.successful + cells.c.in_flight < cells.c.target
        )
        .values(in_flight=cells.c.in_flight + 1)
    )
    if taken.rowcount != 1:
        return False
    session.execute(sa.update(attempts).where(attempts.c.id == attempt_id).values(holds_slot=True))
    return True


def release(session: Session, attempt_id: str) -> bool:
    """Give the attempt's slot back. False when it holds none (any more): twice is harmless."""
    cell_id = _LET_GO.value(session, {"b_id": attempt_id})
    if cell_id is None:
        return False
    _RELEASE.change(session, {"b_id": cell_id})
    return True


def spend(session: Session, attempt_id: str, interview_id: str, now: datetime) -> bool:
    """The interview became usable: it counts for its cell, exactly once, with its line in the ledger.

    True if it counts now. False: it counted already, the person had answered elsewhere before, or the attempt held
    no slot and the cell is full (an interview beyond the order is kept, not counted, and never billed).
    """
    interview = session.execute(_INTERVIEW, {"b_id": interview_id}).one_or_none()
    if interview is None or interview.successful or interview.is_superseded:
        return False
    elsewhere = session.execute(_ELSEWHERE, {"b_case": interview.case_id, "b_id": interview_id}).scalar_one_or_none()
    if elsewhere is not None:
        session.execute(sa.update(interviews).where(interviews.c.id == interview_id).values(is_superseded=True))
        return False
    held = _LET_GO.value(session, {"b_id": attempt_id})
    if held is not None:
        cell_id = held
        _SPEND.change(session, {"b_id": cell_id})
    else:
        found = session.execute(
            sa.select(sa.func.coalesce(interviews.c.cell_id, attempts.c.cell_id))
            .select_from(interviews.outerjoin(attempts, attempts.c.id == attempt_id))
            .where(interviews.c.id == interview_id)
        ).scalar_one_or_none()
        if found is None or not _count_without_slot(session, found):
            return False
        cell_id = int(found)
    session.execute(_COUNTS, {"b_id": interview_id, "cell_id": cell_id})
    ledger.enter(session, cell_id, interview_id, now)
    return True


def _count_without_slot(session: Session, cell_id: int) -> bool:
    counted = session.execute(
        sa.update(cells)
        .where(
            cells.c.id == cell_id, cells.c.state != "closed", cells.c.successful + cells.c.in_flight < cells.c.target
        )
        .values(successful=cells.c.successful + 1)
    )
    return counted.rowcount == 1
