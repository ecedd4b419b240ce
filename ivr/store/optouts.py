"""Numbers that are never called again. Only their keyed hashes are kept.

A number on the list is final for everyone who has it, in all lists, also those delivered later.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store import events
from ivr.store.session import Session
from ivr.store.tables import case_phones, cases, opt_outs

Source = Literal["key", "web", "staff"]

_WHICH = sa.select(opt_outs.c.phone_hash).where(opt_outs.c.phone_hash.in_(sa.bindparam("hashes", expanding=True)))


def add(session: Session, phone_hash: str, source: Source, now: datetime) -> bool:
    """Put a number on the list and close the open cases that have it; False when it was there already.

    A case with a call in the air is closed when that call ends; its number is on the list from now on.
    """
    insert = postgresql.insert if session.dialect.name == "postgresql" else sqlite.insert
    statement = insert(opt_outs).values(phone_hash=phone_hash, at=now, source=source).on_conflict_do_nothing()
    is_new = session.execute(statement.returning(opt_outs.c.phone_hash)).first() is not None
    on_number = sa.select(case_phones.c.case_id).where(case_phones.c.phone_hash == phone_hash)
    session.execute(
        sa.update(cases).where(cases.c.id.in_(on_number), cases.c.is_final.is_(sa.false())).values(next_call_at=None)
    )
    free = sa.and_(cases.c.id.in_(on_number), cases.c.is_final.is_(sa.false()), cases.c.is_busy.is_(sa.false()))
    stood = session.execute(sa.select(cases.c.id, cases.c.disposition).where(free).with_for_update()).all()
    for case_id, before in stood:
        # Legal from wherever an open case stands (`survey/disposition.py`); the event tells how that was.
        events.add(session, "disposition", now, case_id=case_id, before=before, after="opted_out", by=source)
    session.execute(sa.update(cases).where(free).values(disposition="opted_out", is_final=True))
    return is_new


def which(session: Session, phone_hashes: Collection[str]) -> set[str]:
    """Those of these numbers that are on the list."""
    return set(session.execute(_WHICH, {"hashes": list(phone_hashes)}).scalars()) if phone_hashes else set()


def any_opted_out(session: Session, phone_hashes: Collection[str]) -> bool:
    """Whether one of these numbers is on the list."""
    return bool(which(session, phone_hashes))


def count(session: Session) -> int:
    """How many numbers are on the list."""
    return int(session.execute(sa.select(sa.func.count()).select_from(opt_outs)).scalar_one())
