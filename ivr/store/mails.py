"""The outbox of the mail, and the counts that a mail tells.

Decides nothing about when and to whom: `fieldwork/mailing.py` does. A round is claimed by its row, a mail by its state,
so that of two that do the same work one finds nothing left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.store.session import Session
from ivr.store.tables import attempts, interviews
from ivr.store.tables_accounts import users
from ivr.store.tables_mail import mail_rounds, mails


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the outbox. `to` is the address that its account has now."""

    id: int
    kind: str
    span: str
    to: str
    subject: str
    body: str
    made_at: datetime
    state: str
    tries: int
    not_before: datetime
    error: str | None


_COLUMNS = (
    mails.c.id,
    mails.c.kind,
    mails.c.span,
    users.c.email.label("to"),
    mails.c.subject,
    mails.c.body,
    mails.c.made_at,
    mails.c.state,
    mails.c.tries,
    mails.c.not_before,
    mails.c.error,
)
_SELECT = sa.select(*_COLUMNS).select_from(mails.join(users, mails.c.user_id == users.c.id))


def is_made(session: Session, kind: str, span: str) -> bool:
    """Whether this round was made, by whomever."""
    where = (mail_rounds.c.kind == kind, mail_rounds.c.span == span)
    return session.execute(sa.select(sa.literal(1)).where(*where)).first() is not None


def claim_round(session: Session, kind: str, span: str, now: datetime, count: int) -> bool:
    """Make this round ours; False when somebody made it."""
    insert = (sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert)(mail_rounds)
    row = insert.values(kind=kind, span=span, made_at=now, mails=count).on_conflict_do_nothing()
    return session.execute(row.returning(mail_rounds.c.kind)).scalar_one_or_none() is not None


def add(session: Session, kind: str, span: str, user_id: int, subject: str, body: str, now: datetime) -> None:
    """Put a mail into the outbox, to be sent at once."""
    row = {"kind": kind, "span": span, "user_id": user_id, "subject": subject, "body": body, "state": "waiting"}
    session.execute(mails.insert().values(row | {"made_at": now, "not_before": now, "changed_at": now}))


def waiting(session: Session, now: datetime) -> list[int]:
    """Mails that may be tried now, oldest first."""
    query = sa.select(mails.c.id).where(mails.c.state == "waiting", mails.c.not_before <= now).order_by(mails.c.id)
    return list(session.execute(query).scalars())


def claim(session: Session, mail_id: int, now: datetime) -> Mail | None:
    """Take a mail that waits in hand; None when it is not waiting (any more)."""
    taken = session.execute(
        mails.update()
        .where(mails.c.id == mail_id, mails.c.state == "waiting", mails.c.not_before <= now)
        .values(state="sending", tries=mails.c.tries + 1, changed_at=now)
    )
    return _one(session, mail_id) if taken.rowcount == 1 else None


def settle(
    session: Session,
    mail_id: int,
    state: str,
    now: datetime,
    *,
    error: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """What became of a mail that was in hand."""
    values = {"state": state, "changed_at": now, "error": error}
    if not_before is not None:
        values["not_before"] = not_before
    session.execute(mails.update().where(mails.c.id == mail_id, mails.c.state == "sending").values(values))


def lose(session: Session, before: datetime, now: datetime) -> int:
    """Mails in hand since before then, whose sender was killed: perhaps they went out. How many."""
    lost = mails.update().where(mails.c.state == "sending", mails.c.changed_at < before)
    return session.execute(lost.values(state="unknown", error="interrupted", changed_at=now)).rowcount


def wait_again(session: Session, mail_id: int, now: datetime) -> bool:
    """Send a mail (again) that is unknown or was given up, because somebody wants it; False when it is neither."""
    again = mails.update().where(mails.c.id == mail_id, mails.c.state.in_(("unknown", "given_up")))
    return session.execute(again.values(state="waiting", not_before=now, made_at=now, changed_at=now)).rowcount == 1


def latest(session: Session, limit: int = 50) -> list[Mail]:
    """The newest mails."""
    return [Mail(**row._mapping) for row in session.execute(_SELECT.order_by(mails.c.id.desc()).limit(limit))]


def by_state(session: Session) -> dict[str, int]:
    """How many mails are in each state."""
    return {
        row[0]: row[1] for row in session.execute(sa.select(mails.c.state, sa.func.count()).group_by(mails.c.state))
    }


def forget(session: Session, before: datetime) -> None:
    """Erase mails of long ago; their rounds stay."""
    session.execute(mails.delete().where(mails.c.changed_at < before, mails.c.state.not_in(("waiting", "sending"))))


def _one(session: Session, mail_id: int) -> Mail | None:
    row = session.execute(_SELECT.where(mails.c.id == mail_id)).one_or_none()
    return None if row is None else Mail(**row._mapping)


# -- what a mail tells ------------------------------------------------------------------------------------------


def outcomes_between(session: Session, first: datetime, last: datetime) -> dict[str, int]:
    """Outcomes of the calls planned from `first` until before `last`, without test calls."""
    query = (
        sa.select(attempts.c.outcome, sa.func.count())
        .where(
            attempts.c.state == "closed",
            attempts.c.planned_at >= first,
            attempts.c.planned_at < last,
            attempts.c.is_test.is_(sa.false()),
            attempts.c.outcome.is_not(None),
        )
        .group_by(attempts.c.outcome)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def last_calls(session: Session) -> dict[int, datetime]:
    """Cell → when its last call was planned."""
    last = sa.type_coerce(sa.func.max(attempts.c.planned_at), attempts.c.planned_at.type)
    query = sa.select(attempts.c.cell_id, last).where(
        attempts.c.cell_id.is_not(None), attempts.c.is_test.is_(sa.false())
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(attempts.c.cell_id))}


def last_successes(session: Session) -> dict[int, datetime]:
    """Cell → when its last interview began to count."""
    last = sa.type_coerce(sa.func.max(interviews.c.usable_at), interviews.c.usable_at.type)
    query = sa.select(interviews.c.cell_id, last).where(
        interviews.c.cell_id.is_not(None), interviews.c.successful.is_(sa.true())
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(interviews.c.cell_id))}
