"""What an appointment needs to know: how often a telephone rang since a moment, and which appointments have lapsed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, cases

_RINGS = Prepared(
    sa.select(sa.func.count()).where(
        attempts.c.phone_hash == sa.bindparam("phone"),
        attempts.c.rang.is_(True),
        attempts.c.planned_at >= sa.bindparam("since"),
        attempts.c.id != sa.bindparam("but_not"),
    )
)
_IS_LAPSED = sa.and_(
    cases.c.priority == sa.bindparam("appointment"),
    cases.c.is_final.is_(False),
    cases.c.is_busy.is_(False),
    cases.c.next_call_at < sa.bindparam("before"),
)
_ANY_LAPSED = sa.select(sa.exists(sa.select(cases.c.id).where(_IS_LAPSED)))
_LAPSE = sa.update(cases).where(_IS_LAPSED).values(priority=sa.bindparam("ordinary"))


def rings_since(session: Session, phone_hash: str, since: datetime, but_not: str) -> int:
    """How many calls of ours but this one rang the telephone since then, as admission counts them."""
    return _RINGS.value(session, {"phone": phone_hash, "since": since, "but_not": but_not})


def any_lapsed(session: Session, agreed_before: datetime, appointment: int) -> bool:
    """Whether any appointment was agreed for before then and not kept."""
    return bool(session.execute(_ANY_LAPSED, {"before": agreed_before, "appointment": appointment}).scalar_one())


def lapse(session: Session, agreed_before: datetime, appointment: int, ordinary: int) -> int:
    """Give appointments that were agreed for before then the priority of an ordinary call; how many."""
    moment = {"before": agreed_before, "appointment": appointment, "ordinary": ordinary}
    return session.execute(_LAPSE, moment).rowcount
