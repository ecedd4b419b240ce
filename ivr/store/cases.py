"""Cases: the person being worked. Disposition, next call, and what frees or ends them.

Decides nothing: which change is legal is `survey/disposition.py`, when the next call is `survey/callplan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.open_calls import IS_OPEN, IS_OUTBOUND
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, case_phones, cases, interviews, opt_outs


@dataclass(frozen=True, slots=True)
class Case:
    """What the stages of fieldwork need of a case; nothing of the person."""

    id: int
    cell_id: int | None
    disposition: str
    is_final: bool
    is_busy: bool
    consent: str | None
    next_call_at: datetime | None
    priority: int


_COLUMNS = [cases.c[name] for name in Case.__dataclass_fields__]
_ONE = sa.select(*_COLUMNS).where(cases.c.id == sa.bindparam("case"))
_GET, _GET_LOCKED = Prepared(_ONE), Prepared(_ONE.with_for_update())
_LEFT_IN_CELL = sa.select(*_COLUMNS).where(
    cases.c.cell_id == sa.bindparam("cell"), cases.c.is_final.is_(False), cases.c.is_busy.is_(False)
)
_HAS_NUMBER = sa.select(
    sa.exists().where(case_phones.c.case_id == sa.bindparam("case"), case_phones.c.is_dead.is_(False))
)
_IS_OPTED_OUT = sa.select(
    sa.exists(
        sa.select(case_phones.c.rank)
        .join(opt_outs, opt_outs.c.phone_hash == case_phones.c.phone_hash)
        .where(case_phones.c.case_id == sa.bindparam("case"))
    )
)
_HAS_ANSWERED = sa.select(
    sa.exists().where(
        interviews.c.case_id == sa.bindparam("case"),
        interviews.c.usable.is_(True),
        interviews.c.is_superseded.is_(False),
    )
)
_IS_IN_CALL = sa.select(
    sa.exists().where(
        attempts.c.case_id == sa.bindparam("case"),
        IS_OUTBOUND,
        IS_OPEN,
    )
)
_OF_INTERVIEW = Prepared(sa.select(interviews.c.case_id).where(interviews.c.id == sa.bindparam("interview")))
BUSY_WITHOUT_CALL = sa.select(cases.c.id).where(
    cases.c.is_busy.is_(True),
    ~sa.exists().where(attempts.c.case_id == cases.c.id, IS_OPEN),
)
_EXPIRED = Prepared(
    sa.select(cases.c.id).where(
        # In the words of the index of those who may be called: SQLite knows it by them.
        sa.text("cases.is_final = false AND cases.is_busy = false AND cases.next_call_at IS NOT NULL"),
        cases.c.announced_on < sa.bindparam("announced_from"),
        sa.or_(cases.c.consent.is_(None), cases.c.consent != "ja"),
    )
)


def get(session: Session, case_id: int, *, lock: bool = False) -> Case:
    """The case. NotFoundError."""
    row = (_GET_LOCKED if lock else _GET).row(session, {"case": case_id})
    if row is None:
        raise NotFoundError(f"There is no case {case_id}.")
    return Case(*row)


@lru_cache(maxsize=64)
def _write(names: tuple[str, ...]) -> Prepared:
    values = {name: sa.bindparam(name) for name in names}
    return Prepared(sa.update(cases).where(cases.c.id == sa.bindparam("b_id")).values(values))


def write(session: Session, case_id: int, **values: Any) -> None:
    """Write these columns of the case."""
    _write(tuple(values)).change(session, {"b_id": case_id} | values)


def bury_number(session: Session, case_id: int, rank: int) -> bool:
    """The number of this rank is dead or somebody else's. Whether the case has another that is not."""
    session.execute(
        sa.update(case_phones).where(case_phones.c.case_id == case_id, case_phones.c.rank == rank).values(is_dead=True)
    )
    return has_number(session, case_id)


def has_number(session: Session, case_id: int) -> bool:
    """Whether the case has a number that has not proved dead."""
    return bool(session.execute(_HAS_NUMBER, {"case": case_id}).scalar_one())


def is_opted_out(session: Session, case_id: int) -> bool:
    """Whether one of the person's numbers is on the list of those never called."""
    return bool(session.execute(_IS_OPTED_OUT, {"case": case_id}).scalar_one())


def has_answered(session: Session, case_id: int) -> bool:
    """Whether the person has given a usable answer, by any mode."""
    return bool(session.execute(_HAS_ANSWERED, {"case": case_id}).scalar_one())


@dataclass(frozen=True, slots=True)
class Standing:
    """What may stand in the way of the next call: see the functions of these names."""

    is_in_call: bool
    has_answered: bool
    is_opted_out: bool
    has_number: bool


_STANDING = Prepared(
    sa.select(
        *(
            query.scalar_subquery().label(name)
            for name, query in zip(
                Standing.__dataclass_fields__, (_IS_IN_CALL, _HAS_ANSWERED, _IS_OPTED_OUT, _HAS_NUMBER), strict=True
            )
        )
    )
)


def standing(session: Session, case_id: int) -> Standing:
    """All four at once."""
    row = _STANDING.row(session, {"case": case_id})
    assert row is not None
    return Standing(*map(bool, row))


def left_in_cell(session: Session, cell_id: int) -> list[Case]:
    """The people of the cell who are not final and in no call."""
    return [Case(**row._mapping) for row in session.execute(_LEFT_IN_CELL, {"cell": cell_id})]


def with_disposition(session: Session, cell_id: int, disposition: str) -> list[Case]:
    """The people of the cell who have this disposition."""
    rows = session.execute(
        sa.select(*_COLUMNS).where(cases.c.cell_id == cell_id, cases.c.disposition == disposition).order_by(cases.c.id)
    )
    return [Case(**row._mapping) for row in rows]


def busy_without_call(session: Session) -> list[int]:
    """Cases that are marked as in a call although no attempt of theirs is open."""
    return list(session.execute(BUSY_WITHOUT_CALL).scalars())


def is_in_call(session: Session, case_id: int) -> bool:
    """Whether a call to this person is planned or under way."""
    return bool(session.execute(_IS_IN_CALL, {"case": case_id}).scalar_one())


def of_interview(session: Session, interview_id: str) -> int | None:
    """Whose interview it is."""
    return _OF_INTERVIEW.value(session, {"interview": interview_id})


def expired(session: Session, announced_from: date) -> list[int]:
    """People who wait for a call although their announcement is too long ago, and who have not said yes to it."""
    return [row[0] for row in _EXPIRED.rows(session, {"announced_from": announced_from})]
