"""Whom a cell offers now, and the one statement that reserves a slot for that person.

    successful + in_flight ≤ target, always: person, slot and attempt are taken together or not at all, by any number
    of planners; a CHECK on the cell and two unique indexes on open attempts are the last line of defence.

Decides who of a cell goes next: appointments, broken-off interviews, then the open random replicate, which is worked
out before the next opens. Which cells are served and how many calls may run is decided in `fieldwork/planning.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from ivr.ids import new_id
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import Moment, attempts


@dataclass(frozen=True, slots=True)
class Bounds:
    """What `reserve` and `blocked` check: all moments of one tick, worked out once from rules and calendar.

    now … the tick · spaced_from: no call that rang may have ended after it · midnight: of today in Amsterdam ·
    rested_from: no other interview on the number may have begun after it · announced_from/to: first and last
    announcement dates that may be called today.
    """

    now: datetime
    spaced_from: datetime
    midnight: datetime
    rested_from: datetime
    announced_from: date
    announced_to: date
    max_per_day: int
    consent_only: bool

    def parameters(self) -> dict[str, Any]:
        return {
            "now": self.now,
            "spaced_from": self.spaced_from,
            "midnight": self.midnight,
            "rested_from": self.rested_from,
            "announced_from": self.announced_from,
            "announced_to": self.announced_to,
            "per_day": self.max_per_day,
            "consent_only": self.consent_only,
        }


# Who may be called on this day at all. `announced_to` keeps the two days' notice, whatever next_call_at says. Never
# NULL: `blocked` asks for its opposite, and NOT NULL would hide those whom nobody puts off.
_PERMITTED = """
    (c.consent IS NULL OR c.consent <> 'nee')
    AND (COALESCE(c.consent, '') = 'ja' OR (NOT :consent_only
         AND COALESCE(c.announced_on BETWEEN :announced_from AND :announced_to, false)))
"""

# The replicate that a cell works on: the first in which somebody is left. Somebody whose letter is still too fresh
# is left too; somebody who was never announced, or refused consent, is not. It names the cell, not the row `c`:
# looked up row by row it made a planner's statement thirty times slower.
_OPEN_REPLICATE = """
    SELECT min(r.replicate) FROM cases r
    WHERE r.cell_id = :cell AND r.is_final = false AND (r.is_busy = true OR r.next_call_at IS NOT NULL)
      AND (r.consent IS NULL OR r.consent <> 'nee')
      AND (r.consent = 'ja' OR (NOT :consent_only AND r.announced_on >= :announced_from))
"""

# Whose case shares a telephone with mine may be myself in another list, where another number of mine comes first: their
# calls and interviews hold for me too, also on numbers that I did not give here.
_SIBLINGS = "case_phones q JOIN case_phones s ON s.phone_hash = q.phone_hash AND s.case_id <> q.case_id"
_IS_FRESH = """
    (a.state IN ('reserved', 'dialing', 'placed')
     OR (a.rang = true AND COALESCE(a.ended_at, a.planned_at) > :spaced_from))
"""
_RINGS_TODAY = f"""
    ((SELECT count(DISTINCT a.id) FROM case_phones q JOIN attempts a ON a.phone_hash = q.phone_hash
      WHERE q.case_id = c.id AND a.rang = true AND a.planned_at >= :midnight)
     + (SELECT count(DISTINCT a.id) FROM {_SIBLINGS} JOIN attempts a ON a.case_id = s.case_id
        WHERE q.case_id = c.id AND a.rang = true AND a.planned_at >= :midnight
            AND a.phone_hash NOT IN (SELECT m.phone_hash FROM case_phones m WHERE m.case_id = q.case_id)))
"""  # noqa: S608 - put together from constants

_QUIET_NUMBER = f"""
    NOT EXISTS (SELECT 1 FROM case_phones q JOIN opt_outs o ON o.phone_hash = q.phone_hash WHERE q.case_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM interviews i WHERE i.case_id = c.id AND i.usable = true)
    AND NOT EXISTS (
        SELECT 1 FROM case_phones q JOIN attempts a ON a.phone_hash = q.phone_hash
        WHERE q.case_id = c.id AND {_IS_FRESH})
    AND {_RINGS_TODAY} < :per_day
    AND NOT EXISTS (
        SELECT 1 FROM {_SIBLINGS} WHERE q.case_id = c.id AND (
            EXISTS (SELECT 1 FROM interviews i WHERE i.case_id = s.case_id AND i.started_at > :rested_from)
            OR EXISTS (SELECT 1 FROM attempts a WHERE a.case_id = s.case_id AND {_IS_FRESH})))
"""  # noqa: S608

_DUE = f"""
    c.cell_id = :cell AND c.is_final = false AND c.is_busy = false AND c.next_call_at <= :now AND c.exclusion IS NULL
    AND (c.priority < 2 OR c.replicate = ({_OPEN_REPLICATE}))
"""

# Appointments first, then broken-off interviews, then the open replicate in its random order.
_ORDER = "{0}.priority, {0}.promised_at, {0}.replicate, {0}.position, {0}.id"
_LINE = f"""
    SELECT c.id, c.priority, c.replicate, c.position,
        CASE WHEN c.priority < 2 THEN c.next_call_at END AS promised_at
    FROM cases c WHERE {_DUE} AND {_PERMITTED}
    ORDER BY {_ORDER.format("c").replace("c.promised_at", "promised_at")}
"""  # noqa: S608 - put together from constants

# In two steps, so that what stands about a number (five looks into attempts and interviews) is looked up of the first
# people in line only, not of all who are due: OFFSET and LATERAL keep the planner from turning that round, and the
# second ORDER BY, which costs nothing then, from having to be trusted. What may change under a lock is asked of `c`.
_CANDIDATE_POSTGRES = f"""
    SELECT c.id, c.cell_id, c.dialled, p.rank, p.phone_hash
    FROM ({_LINE} OFFSET 0) line
    JOIN cases c ON c.id = line.id AND c.is_final = false AND c.is_busy = false
    JOIN LATERAL (
        SELECT f.rank, f.phone_hash FROM case_phones f
        WHERE f.case_id = line.id AND f.is_dead = false ORDER BY f.rank LIMIT 1) p ON true
    JOIN LATERAL (SELECT 1 WHERE {_QUIET_NUMBER.replace("c.id", "line.id")} OFFSET 0) quiet ON true
    ORDER BY {_ORDER.format("line")} LIMIT 1
"""  # noqa: S608

# SQLite reads a subquery with a LIMIT as it is ordered, and a CROSS JOIN as it is written; asked to sort once more it
# would look up everybody first.
_CANDIDATE_SQLITE = f"""
    SELECT c.id, c.cell_id, c.dialled, p.rank, p.phone_hash
    FROM ({_LINE} LIMIT -1 OFFSET 0) line CROSS JOIN cases c CROSS JOIN case_phones p
    WHERE c.id = line.id AND p.case_id = c.id AND p.is_dead = false
        AND p.rank = (SELECT min(f.rank) FROM case_phones f WHERE f.case_id = c.id AND f.is_dead = false)
        AND {_QUIET_NUMBER}
    LIMIT 1
"""  # noqa: S608

_ROOM = "state = 'open' AND successful + in_flight < target"

_TYPES = [
    sa.bindparam("now", type_=Moment),
    sa.bindparam("spaced_from", type_=Moment),
    sa.bindparam("midnight", type_=Moment),
    sa.bindparam("rested_from", type_=Moment),
    sa.bindparam("announced_from", type_=sa.Date),
    sa.bindparam("announced_to", type_=sa.Date),
    sa.bindparam("consent_only", type_=sa.Boolean),
    sa.bindparam("cell", type_=sa.Integer),
    sa.bindparam("per_day", type_=sa.Integer),
]
_MORE = [sa.bindparam("not_before", type_=Moment), sa.bindparam("not_after", type_=Moment)]

# One statement: person (locked by nobody else), slot, attempt. A second planner skips a person who is being taken;
# a person whose row changed meanwhile is judged again by the UPDATE's own conditions.
_RESERVE_POSTGRES = Prepared(
    sa.text(f"""
    WITH person AS ({_CANDIDATE_POSTGRES} FOR UPDATE OF c SKIP LOCKED),
    slot AS (
        UPDATE cells SET in_flight = in_flight + 1, served_at = :now FROM person
        WHERE cells.id = person.cell_id AND {_ROOM} RETURNING cells.id),
    taken AS (
        UPDATE cases SET is_busy = true, dialled = cases.dialled + 1 FROM person, slot
        WHERE cases.id = person.id RETURNING cases.id, cases.dialled, person.rank, person.phone_hash)
    INSERT INTO attempts (id, case_id, cell_id, number_in_case, phone_rank, phone_hash, state, holds_slot,
                          planned_at, not_before, not_after)
    SELECT :attempt, taken.id, :cell, taken.dialled, taken.rank, taken.phone_hash, 'reserved', true,
           :now, :not_before, :not_after
    FROM taken RETURNING case_id
""").bindparams(*_TYPES, *_MORE)  # noqa: S608
)

_FIND = Prepared(sa.text(_CANDIDATE_SQLITE).bindparams(*_TYPES))
_SLOT = Prepared(
    sa.text(
        f"UPDATE cells SET in_flight = in_flight + 1, served_at = :now WHERE id = :cell AND {_ROOM}"  # noqa: S608
    ).bindparams(sa.bindparam("now", type_=Moment))
)
_NEW = ("id", "case_id", "cell_id", "number_in_case", "phone_rank", "phone_hash", "state", "holds_slot", "planned_at",
        "not_before", "not_after")  # fmt: skip
_ATTEMPT = Prepared(sa.insert(attempts).values({name: sa.bindparam(name) for name in _NEW}))
_TAKE = Prepared(sa.text("UPDATE cases SET is_busy = true, dialled = dialled + 1 WHERE id = :case"))


def reserve(
    session: Session, cell_id: int, bounds: Bounds, not_before: datetime, not_after: datetime
) -> tuple[str, int] | None:
    """Reserve a slot for the next person of this cell: (attempt id, case id), or None: nobody may be called, or full.

    On PostgreSQL one statement, safe among any number of planners; on SQLite three within BEGIN IMMEDIATE
    (`Database.write`), which lets one writer in at a time.
    """
    attempt_id = new_id()
    parameters = bounds.parameters() | {"cell": cell_id}
    if session.dialect.name == "postgresql":
        more = {"attempt": attempt_id, "not_before": not_before, "not_after": not_after}
        case_id = _RESERVE_POSTGRES.value(session, parameters | more)
        return None if case_id is None else (attempt_id, case_id)
    person = _FIND.row(session, parameters)
    if person is None or _SLOT.change(session, parameters) != 1:
        return None
    case_id, _, dialled, rank, phone_hash = person
    _TAKE.change(session, {"case": case_id})
    _ATTEMPT.change(
        session,
        {
            "id": attempt_id,
            "case_id": case_id,
            "cell_id": cell_id,
            "number_in_case": dialled + 1,
            "phone_rank": rank,
            "phone_hash": phone_hash,
            "state": "reserved",
            "holds_slot": True,
            "planned_at": bounds.now,
            "not_before": not_before,
            "not_after": not_after,
        },
    )
    return attempt_id, case_id


_BLOCKED_SQL = f"""
    SELECT c.id, c.announced_on, c.consent, c.priority,
        ({_PERMITTED}) AS permitted,
        EXISTS (SELECT 1 FROM case_phones q JOIN opt_outs o ON o.phone_hash = q.phone_hash
                WHERE q.case_id = c.id) AS opted_out,
        EXISTS (SELECT 1 FROM interviews i WHERE i.case_id = c.id AND i.usable = true) AS answered,
        EXISTS (SELECT 1 FROM case_phones q WHERE q.case_id = c.id AND q.is_dead = false) AS has_number,
        (SELECT max(COALESCE(a.ended_at, a.planned_at))
         FROM case_phones q JOIN attempts a ON a.phone_hash = q.phone_hash
         WHERE q.case_id = c.id AND a.rang = true) AS own_ring,
        (SELECT max(COALESCE(a.ended_at, a.planned_at)) FROM {_SIBLINGS} JOIN attempts a ON a.case_id = s.case_id
         WHERE q.case_id = c.id AND a.rang = true) AS sibling_ring,
        {_RINGS_TODAY} AS rings_today,
        (SELECT max(i.started_at) FROM {_SIBLINGS} JOIN interviews i ON i.case_id = s.case_id
         WHERE q.case_id = c.id) AS other_interview
    FROM cases c WHERE {_DUE} AND (NOT ({_PERMITTED}) OR NOT ({_QUIET_NUMBER})
        OR NOT EXISTS (SELECT 1 FROM case_phones q WHERE q.case_id = c.id AND q.is_dead = false))
"""  # noqa: S608 - put together from constants
_BLOCKED = (
    sa.text(_BLOCKED_SQL)
    .bindparams(*_TYPES)
    .columns(own_ring=Moment, sibling_ring=Moment, other_interview=Moment, announced_on=sa.Date)
)


def blocked(session: Session, cell_id: int, bounds: Bounds) -> list[Mapping[str, Any]]:
    """The people of this cell whose moment has come but who may not be called now, with what stands in the way."""
    rows = session.execute(_BLOCKED, bounds.parameters() | {"cell": cell_id})
    return [dict(row._mapping) for row in rows]
