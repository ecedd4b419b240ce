"""Leases: who holds a task that only one process may do, such as the clock of the fieldwork.

A lease runs out by itself when its holder is killed. Its moments are real time, never the leaping clock's: a night
that passes in a second must not cost the holder its lease.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store.session import Session
from ivr.store.tables import leases


def acquire(session: Session, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or renew the lease until `seconds` after `now`. False while somebody else holds it."""
    until = now + timedelta(seconds=seconds)
    insert = (sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert)(leases)
    taken = session.execute(
        insert.values(name=name, holder=holder, until=until)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": until},
            where=sa.or_(leases.c.holder == holder, leases.c.until <= now),
        )
        .returning(leases.c.holder)
    )
    return taken.scalar_one_or_none() is not None


def give_up(session: Session, name: str, holder: str) -> None:
    """Let the lease go, so that another need not wait for it to run out."""
    session.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def holder_of(session: Session, name: str, now: datetime) -> str | None:
    """Who holds the lease; None: nobody."""
    return session.execute(
        sa.select(leases.c.holder).where(leases.c.name == name, leases.c.until > now)
    ).scalar_one_or_none()
