"""The last calls that went wrong for a technical reason: refused, unreachable, failed or lost.

Decides what counts as one. A call that was given up because it was not needed any more, or too late, is no trouble.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ivr.store.session import Session
from ivr.store.tables import attempts, cells, events, providers, samples

FAILED, LOST = "failed", "lost"
_OURS = ("carrier", "account", "unreachable")
"""How the reasons of `fieldwork/dialling.py` begin that are the line's or the account's fault."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A call that went wrong. what: `failed`, `lost`, or why it was never placed (`carrier_error_21220`, …)."""

    at: datetime
    what: str
    cell_id: int | None
    provider: str | None


def technical() -> sa.ColumnElement[bool]:
    """Closed calls that failed for a technical reason, said so that both databases take the index of just these: a
    parameter would not tell them that it holds them all, and `state = 'closed'` has SQLite take the index of states."""
    return sa.and_(attempts.c.outcome == sa.literal_column("'technical'"), attempts.c.state != "unknown")


def latest(session: Session, since: datetime, limit: int) -> list[Trouble]:
    """The newest since then, newest first; test calls left aside."""
    reason = events.c.details["reason"].as_string()
    closed = sa.select(attempts.c.planned_at, sa.literal(FAILED), attempts.c.cell_id).where(technical())
    lost = sa.select(attempts.c.planned_at, sa.literal(LOST), attempts.c.cell_id).where(attempts.c.state == "unknown")
    never = (
        sa.select(attempts.c.planned_at, reason, attempts.c.cell_id)
        .join(events, sa.and_(events.c.attempt_id == attempts.c.id, events.c.kind == "void"))
        .where(attempts.c.state == "void", sa.or_(*(reason.startswith(word) for word in _OURS)))
    )
    found: list[tuple[datetime, str, int | None]] = []
    for query in (closed, lost, never):
        # A statement each: together the index on state and moment would not be used for any of them.
        query = query.where(attempts.c.planned_at >= since, attempts.c.is_test.is_(sa.false()))
        found += [
            (at, what, cell_id)
            for at, what, cell_id in session.execute(query.order_by(attempts.c.planned_at.desc()).limit(limit))
        ]
    newest = sorted(found, key=lambda row: row[0], reverse=True)[:limit]
    names = _providers(session, {cell_id for _, _, cell_id in newest if cell_id is not None})
    return [Trouble(at, what, cell_id, names.get(cell_id or 0)) for at, what, cell_id in newest]


def _providers(session: Session, cell_ids: set[int]) -> dict[int, str]:
    rows = session.execute(
        sa.select(cells.c.id, providers.c.name)
        .select_from(
            cells.join(samples, samples.c.id == cells.c.sample_id).join(
                providers, providers.c.id == samples.c.provider_id
            )
        )
        .where(cells.c.id.in_(cell_ids))
    )
    return {row.id: row.name for row in rows}
