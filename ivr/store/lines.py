"""The line to the carrier: pace, back-off, and whether it is down. One row per account, shared by all workers.

Decides nothing about calls: `fieldwork/planning.py` reads it before it admits anybody, `fieldwork/dialling.py`
writes what the carrier answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import Moment, lines

CLOCKS_DIFFER = timedelta(seconds=10)
"""As far as the clocks of two hosts may stand apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """is_down: the carrier cannot be reached. not_before: back-off. next_at: calls per second. failures: in a row."""

    is_down: bool
    not_before: datetime | None
    next_at: datetime | None
    failures: int


_ONE = sa.select(lines.c.is_down, lines.c.not_before, lines.c.next_at, lines.c.failures).where(
    lines.c.account == sa.bindparam("line")
)
_GET, _GET_LOCKED = Prepared(_ONE), Prepared(_ONE.with_for_update())
_MAKE = {
    name: Prepared(
        insert(lines).values(account=sa.bindparam("line"), changed_at=sa.bindparam("now")).on_conflict_do_nothing()
    )
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_PACE = Prepared(
    sa.update(lines).where(lines.c.account == sa.bindparam("line")).values(next_at=sa.bindparam("next_at"))
)
_TAKE_TURN = Prepared(
    sa.update(lines)
    .where(
        lines.c.account == sa.bindparam("line"),
        sa.or_(
            lines.c.dial_at.is_(None),
            lines.c.dial_at <= sa.bindparam("now", type_=Moment),
            lines.c.dial_at > sa.bindparam("never", type_=Moment),
        ),
    )
    .values(dial_at=sa.bindparam("after", type_=Moment))
)
_TURN = Prepared(sa.select(lines.c.dial_at).where(lines.c.account == sa.bindparam("line")))
_RECOVER = Prepared(
    sa.update(lines)
    .where(lines.c.account == sa.bindparam("line"), lines.c.failures > 0)
    .values(failures=0, is_down=False, not_before=None, changed_at=sa.bindparam("changed_at"))
)


def get(session: Session, account: str, now: datetime, *, lock: bool = False) -> Line:
    """The line of this account, made if there is none. With `lock` planners wait for each other."""
    get, values = _GET_LOCKED if lock else _GET, {"line": account, "now": now}
    row = get.row(session, values)
    if row is None and lock:
        _MAKE[session.dialect.name].change(session, values)
        row = get.row(session, values)
    return Line(False, None, None, 0) if row is None else Line(*row)


def pace(session: Session, account: str, next_at: datetime) -> None:
    """The next call may start at `next_at`."""
    _PACE.change(session, {"line": account, "next_at": next_at})


def take_turn(session: Session, account: str, now: datetime, pause_seconds: float) -> datetime | None:
    """Take the turn to ask for a call: None, it is taken; or the moment of the next turn.

    Taken by one of any number of workers, and the next not before `pause_seconds` later. Nobody ever has to wait
    longer than that, so a much later moment is that of a clock which was put back, and counts for nothing.
    """
    after = now + timedelta(seconds=pause_seconds)
    turn = {"line": account, "now": now, "after": after, "never": after + CLOCKS_DIFFER}
    if _TAKE_TURN.change(session, turn) == 1:
        return None
    return _TURN.value(session, turn)


def fail(session: Session, account: str, now: datetime, *, not_before: datetime, is_down: bool) -> int:
    """The carrier could not take a call: none before `not_before`. How often that happened in a row."""
    get(session, account, now, lock=True)
    return session.execute(
        sa.update(lines)
        .where(lines.c.account == account)
        .values(
            failures=lines.c.failures + 1,
            is_down=is_down,
            not_before=not_before,
            changed_at=sa.case((lines.c.is_down != is_down, now), else_=lines.c.changed_at),
        )
        .returning(lines.c.failures)
    ).scalar_one()


def recover(session: Session, account: str, now: datetime) -> bool:
    """A call was taken: back-off and line-down end. True when there was something to end."""
    return _RECOVER.change(session, {"line": account, "changed_at": now}) == 1


def down(session: Session) -> list[str]:
    """Accounts whose line is down."""
    return list(session.execute(sa.select(lines.c.account).where(lines.c.is_down.is_(True))).scalars())
