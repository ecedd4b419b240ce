"""Interviews and their responses: who answered what, once.

Decides that one question has one value per interview (a question put again replaces it) and that an interview
becomes usable once. Whether an interview *is* usable was decided by the engine; whether it counts for its cell
is decided in `quotas.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.ids import new_id
from ivr.store.open_calls import is_in
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import interviews, responses
from ivr.survey.turn import Answer


def _upsert(insert: Any) -> Any:
    changes = {name: insert.excluded[name] for name in ("value", "mode", "answered_at")}
    return insert.on_conflict_do_update(index_elements=["interview_id", "question"], set_=changes)


# Built once: a webhook runs them, and building a statement costs more than sending it.
_RECORD = {"sqlite": _upsert(sqlite.insert(responses)), "postgresql": _upsert(postgresql.insert(responses))}
_MARK_USABLE = Prepared(
    sa.update(interviews)
    .where(interviews.c.id == sa.bindparam("b_id"), interviews.c.usable.is_(False))
    .values(usable=True, usable_at=sa.bindparam("usable_at"))
)
_END = Prepared(
    sa.update(interviews)
    .where(interviews.c.id == sa.bindparam("b_id"), interviews.c.ended_at.is_(None))
    .values(disposition=sa.bindparam("disposition"), ended_at=sa.bindparam("ended_at"))
)


_START = sa.insert(interviews)
_UNFINISHED = Prepared(
    sa.select(interviews.c.id, interviews.c.questionnaire, interviews.c.version)
    .where(
        interviews.c.case_id == sa.bindparam("case"),
        is_in(interviews.c.mode, ("telephone", "web")),
        interviews.c.usable.is_(False),
        interviews.c.is_superseded.is_(False),
        sa.or_(interviews.c.disposition.is_(None), interviews.c.disposition == "break_off"),
    )
    .order_by(interviews.c.started_at.desc(), interviews.c.id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An interview that was broken off before it was usable, and what it holds so far."""

    id: str
    questionnaire: str
    version: int
    answers: tuple[tuple[str, str], ...]


def start(
    session: Session, *, case_id: int, cell_id: int | None, questionnaire: str, version: int, mode: str, now: datetime
) -> str:
    """A new interview of this person; gives its random id."""
    id = new_id()
    row = {"case_id": case_id, "cell_id": cell_id, "questionnaire": questionnaire, "version": version, "mode": mode}
    session.execute(_START, {"id": id, "started_at": now} | row)
    return id


def unfinished(session: Session, case_id: int) -> Unfinished | None:
    """The person's newest interview that may be gone on with: not usable, and not finished."""
    row = _UNFINISHED.row(session, {"case": case_id})
    if row is None:
        return None
    id, questionnaire, version = row
    return Unfinished(id, questionnaire, version, tuple(answers_of(session, id).items()))


def reopen(session: Session, interview_id: str, *, mode: str = "telephone", cell_id: int | None = None) -> None:
    """Go on with a broken-off interview, in this mode: one begun on the web may be finished by phone, and counts then.

    cell_id: for which cell; None leaves it as it was.
    """
    values: dict[str, object] = {"ended_at": None, "disposition": None, "mode": mode}
    if cell_id is not None:
        values["cell_id"] = cell_id
    session.execute(sa.update(interviews).where(interviews.c.id == interview_id).values(**values))


def answers_of(session: Session, interview_id: str) -> dict[str, str]:
    """What the interview holds: question → value, in the order in which they were answered."""
    rows = session.execute(
        sa.select(responses.c.question, responses.c.value)
        .where(responses.c.interview_id == interview_id)
        .order_by(responses.c.answered_at, responses.c.question)
    )
    return {row.question: row.value for row in rows}


def record(session: Session, interview_id: str, answers: Sequence[Answer], *, mode: str, now: datetime) -> None:
    """Keep these answers; one to a question that has a value already replaces it."""
    if not answers:
        return
    rows = [
        {
            "interview_id": interview_id,
            "question": answer.question,
            "value": answer.value,
            "mode": mode,
            "answered_at": now,
        }
        for answer in answers
    ]
    # One row, as in a call, goes without the detour of many.
    session.execute(_RECORD[session.dialect.name], rows if len(rows) > 1 else rows[0])


def mark_usable(session: Session, interview_id: str, now: datetime) -> bool:
    """The interview has become usable. True the first time, False ever after."""
    return _MARK_USABLE.change(session, {"b_id": interview_id, "usable_at": now}) == 1


def end(session: Session, interview_id: str, disposition: str, now: datetime) -> bool:
    """The interview is over with this disposition. False when it was over already: the first ending stands."""
    return _END.change(session, {"b_id": interview_id, "disposition": disposition, "ended_at": now}) == 1


def end_anew(session: Session, interview_id: str, disposition: str, now: datetime) -> None:
    """An answer came after the interview had ended: it ended like this. The moment of its first ending stands."""
    session.execute(
        sa.update(interviews)
        .where(interviews.c.id == interview_id)
        .values(
            disposition=disposition,
            ended_at=sa.func.coalesce(interviews.c.ended_at, sa.bindparam("now", now, interviews.c.ended_at.type)),
        )
    )
