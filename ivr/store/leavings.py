"""The end state of a fieldwork, for whoever compares it with what really happened (`ivr rehearse`).

Decides nothing; every row is there, also one that should not be.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from ivr.store.attempts import SITTING_ON_SLOTS
from ivr.store.cases import BUSY_WITHOUT_CALL
from ivr.store.cells import MISCOUNTED
from ivr.store.open_calls import OPEN_STATES
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, cases, cells, interviews, providers, responses, samples


@dataclass(frozen=True, slots=True)
class KeptInterview:
    """An interview: whose it is, the attempts that led to it, its answers as (question, value)."""

    provider: str
    respondent: str
    attempts: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]


def kept_interviews(session: Session) -> list[KeptInterview]:
    """Every interview by telephone, in the order in which they began."""
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for id, interview_id in session.execute(
        sa.select(attempts.c.id, attempts.c.interview_id)
        .where(attempts.c.interview_id.is_not(None))
        .order_by(attempts.c.planned_at)
    ):
        calls[interview_id].append(id)
    answers: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for interview_id, question, value in session.execute(
        sa.select(responses.c.interview_id, responses.c.question, responses.c.value)
        .where(responses.c.mode == "telephone")
        .order_by(responses.c.question)
    ):
        answers[interview_id].append((question, value))
    rows = session.execute(
        sa.select(interviews.c.id, providers.c.name, cases.c.respondent)
        .select_from(interviews.join(cases, cases.c.id == interviews.c.case_id).join(samples).join(providers))
        .where(interviews.c.mode == "telephone")
        .order_by(interviews.c.started_at, cases.c.id)
    )
    return [KeptInterview(name, respondent, tuple(calls[id]), tuple(answers[id])) for id, name, respondent in rows]


def inbound_calls(session: Session) -> dict[str, str]:
    """The sid of each call by which somebody rang us → its attempt."""
    query = sa.select(attempts.c.call_sid, attempts.c.id).where(attempts.c.direction == "inbound")
    return {sid: id for sid, id in session.execute(query) if sid is not None}


def stuck_attempts(session: Session) -> int:
    """Attempts that are still reserved, dialling or placed, and people who are marked as in a call."""
    open_ = session.execute(
        sa.select(sa.func.count()).select_from(attempts).where(attempts.c.state.in_(OPEN_STATES))
    ).scalar_one()
    busy = session.execute(sa.select(sa.func.count()).select_from(cases).where(cases.c.is_busy.is_(True))).scalar_one()
    return max(open_, busy)


def held_slots(session: Session) -> int:
    """Slots that count as in flight, and attempts that hold one: the larger of the two."""
    counted = session.execute(sa.select(sa.func.coalesce(sa.func.sum(cells.c.in_flight), 0))).scalar_one()
    held = session.execute(
        sa.select(sa.func.count()).select_from(attempts).where(attempts.c.holds_slot.is_(True))
    ).scalar_one()
    return max(counted, held)


_ANY_LEAK = Prepared(
    sa.select(
        sa.or_(
            sa.exists(SITTING_ON_SLOTS),
            sa.exists(MISCOUNTED),
            sa.exists(BUSY_WITHOUT_CALL),
        )
    )
)


def any_leak(session: Session) -> bool:
    """Whether a slot is held by a call that is over, a cell is miscounted, or somebody busy without a call."""
    return bool(_ANY_LEAK.value(session, {}))


def phone_cases(session: Session) -> int:
    """People who belong to a cell."""
    return session.execute(
        sa.select(sa.func.count()).select_from(cases).where(cases.c.cell_id.is_not(None))
    ).scalar_one()
