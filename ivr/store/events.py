"""Events: what happened to an attempt or a case, in order, never changed or removed afterwards.

Decides that nothing of the person gets in: details are checked here, whoever writes them. From an attempt's events
its state can be told (`ivr attempt show`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.logs import mask_numbers
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import audit, events

_WITHHELD = frozenset({"digits", "to", "from", "caller", "called", "name", "value", "answer", "phone", "email"})


_ADD = Prepared(
    sa.insert(events).values({name: sa.bindparam(name) for name in ("attempt_id", "case_id", "kind", "at", "details")})
)


def add(
    session: Session,
    kind: str,
    now: datetime,
    *,
    attempt_id: str | None = None,
    case_id: int | None = None,
    **details: Any,
) -> None:
    """Write one event. Details that could hold a person's number or answer are withheld."""
    row = {"attempt_id": attempt_id, "case_id": case_id, "kind": kind, "at": now, "details": _redacted(details)}
    _ADD.change(session, row)


def of_attempt(session: Session, attempt_id: str) -> list[Mapping[str, Any]]:
    """The attempt's events, oldest first: kind, at, details."""
    rows = session.execute(
        sa.select(events.c.kind, events.c.at, events.c.details)
        .where(events.c.attempt_id == attempt_id)
        .order_by(events.c.id)
    )
    return [dict(row._mapping) for row in rows]


def last_of_case(session: Session, case_id: int, kind: str) -> Mapping[str, Any]:
    """The details of the case's last event of this kind; empty when there is none."""
    query = sa.select(events.c.details).where(events.c.case_id == case_id, events.c.kind == kind)
    return session.execute(query.order_by(events.c.id.desc()).limit(1)).scalar_one_or_none() or {}


def write_audit(
    session: Session, now: datetime, *, who: str, what: str, subject: str, reason: str = "", **details: Any
) -> None:
    """A member of staff did something that has to be answered for."""
    session.execute(
        sa.insert(audit).values(at=now, who=who, what=what, subject=subject, reason=reason, details=_redacted(details))
    )


def _redacted(details: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in details.items():
        if value is None:
            continue
        if key.lower() in _WITHHELD:
            kept[key] = "‹withheld›"
        elif isinstance(value, str) and key not in {"call_sid", "interview_id"}:
            kept[key] = mask_numbers(value)
        else:
            kept[key] = value.isoformat() if isinstance(value, datetime) else value
    return kept
