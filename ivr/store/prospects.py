"""All that is asked of the store right before a call is placed, in one statement.

Decides nothing: whether the call is placed is `fieldwork/dialling.py`'s decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ivr.errors import NotFoundError
from ivr.store.prepared import Prepared
from ivr.store.session import Session
from ivr.store.tables import attempts, case_phones, cases, cells, contacts, interviews, lines, opt_outs


@dataclass(frozen=True, slots=True)
class Prospect:
    """An attempt that is about to be dialled, and how its person, cell and line stand.

    cell_state, is_beyond_target: None and False without a cell. sealed: the contact; None when it was erased.
    """

    id: str
    case_id: int
    cell_id: int | None
    phone_rank: int
    state: str
    not_before: datetime
    not_after: datetime
    is_final: bool
    consent: str | None
    cell_state: str | None
    is_beyond_target: bool
    sealed: bytes | None
    line_not_before: datetime | None
    is_opted_out: bool
    has_answered: bool


_GET = Prepared(
    sa.select(
        attempts.c.id,
        attempts.c.case_id,
        attempts.c.cell_id,
        attempts.c.phone_rank,
        attempts.c.state,
        attempts.c.not_before,
        attempts.c.not_after,
        cases.c.is_final,
        cases.c.consent,
        cells.c.state.label("cell_state"),
        sa.func.coalesce(cells.c.successful + cells.c.in_flight > cells.c.target, sa.false()).label("is_beyond_target"),
        contacts.c.sealed,
        lines.c.not_before.label("line_not_before"),
        sa.exists(
            sa.select(case_phones.c.rank)
            .join(opt_outs, opt_outs.c.phone_hash == case_phones.c.phone_hash)
            .where(case_phones.c.case_id == attempts.c.case_id)
        ).label("is_opted_out"),
        sa.exists()
        .where(
            interviews.c.case_id == attempts.c.case_id,
            interviews.c.usable.is_(True),
            interviews.c.is_superseded.is_(False),
        )
        .label("has_answered"),
    )
    .select_from(
        attempts.join(cases, cases.c.id == attempts.c.case_id)
        .outerjoin(cells, cells.c.id == attempts.c.cell_id)
        .outerjoin(contacts, contacts.c.case_id == attempts.c.case_id)
        .outerjoin(lines, lines.c.account == sa.bindparam("line"))
    )
    .where(attempts.c.id == sa.bindparam("attempt"))
    .with_for_update(of=attempts)
)


def get(session: Session, account: str, attempt_id: str) -> Prospect:
    """The attempt, locked until this transaction ends, with all that stands around it. NotFoundError.

    On PostgreSQL who waited for the lock sees the attempt as it is now, the rest as it was when the wait began: that
    is no longer ago than the request for a call takes.
    """
    row = _GET.row(session, {"attempt": attempt_id, "line": account})
    if row is None:
        raise NotFoundError(f"There is no attempt {attempt_id}.")
    return Prospect(*row)
