"""Who changed what, as the pages show it, and what is taken out again. Writing a line is `events.write_audit`'s."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import audit

_OF_NOBODY = frozenset({"cell"})
"""Details of a line about a person that tell nothing of them."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Somebody changed something. `details` holds the values before and after."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    details: Mapping[str, Any]


_LINES = sa.select(audit.c.at, audit.c.who, audit.c.what, audit.c.subject, audit.c.reason, audit.c.details).order_by(
    audit.c.id.desc()
)


def audit_lines(session: Session, *, subject: str | None = None, limit: int = 100, offset: int = 0) -> list[AuditLine]:
    """What was changed, newest first; of one subject (`cell 7`, `case 12`), or of all."""
    query = _LINES if subject is None else _LINES.where(audit.c.subject == subject)
    return [AuditLine(**row._mapping) for row in session.execute(query.limit(limit).offset(offset))]


def of_cell(session: Session, cell_id: int, limit: int) -> list[AuditLine]:
    """What was changed of a cell and of its people, newest first."""
    mine = sa.or_(audit.c.subject == f"cell {cell_id}", audit.c.details["cell"].as_integer() == cell_id)
    return [AuditLine(**row._mapping) for row in session.execute(_LINES.where(mine).limit(limit))]


def forget_reasons(session: Session, case_ids: Collection[int]) -> None:
    """Blank what staff said about these people: their own words, and how a person stood before and after (`ill`).

    Who did something, when, of what kind and in which cell stays to be answered for.
    """
    mine = audit.c.subject.in_([f"case {id}" for id in case_ids])
    for row in session.execute(sa.select(audit.c.id, audit.c.details).where(mine)).all():
        kept = {name: value for name, value in row.details.items() if name in _OF_NOBODY}
        session.execute(sa.update(audit).where(audit.c.id == row.id).values(reason="", details=kept))
