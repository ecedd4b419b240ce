"""Accounts, sessions, invitations and throttles, as they lie in the database.

Decides nothing about passwords or roles: `fieldwork/accounts.py` does. Tokens come in as hashes already; an
address is casefolded here, so that there is one account per address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ivr.errors import RefusedError
from ivr.store.samples import TRIAL_KEY
from ivr.store.session import Session
from ivr.store.tables import providers
from ivr.store.tables_accounts import invitations, throttles, users, web_sessions

Role = Literal["viewer", "fieldwork", "admin", "provider"]


@dataclass(frozen=True, slots=True)
class User:
    """An account. `provider_id` and `provider` are set for role `provider` only."""

    id: int
    email: str
    role: Role
    provider_id: int | None
    provider: str | None
    password_hash: str | None
    totp_sealed: bytes | None
    totp_last_step: int | None
    is_active: bool
    is_demo: bool
    wants_mail: bool = True

    @property
    def has_password(self) -> bool:
        return self.password_hash is not None

    @property
    def has_totp(self) -> bool:
        return self.totp_sealed is not None


def email_key(email: str) -> str:
    """The spelling under which an address is kept; without NUL, which PostgreSQL takes in no text."""
    return email.replace("\x00", "").strip().casefold()


_SELECT = sa.select(
    users.c.id,
    users.c.email,
    users.c.role,
    users.c.provider_id,
    providers.c.name.label("provider"),
    users.c.password_hash,
    users.c.totp_sealed,
    users.c.totp_last_step,
    users.c.is_active,
    users.c.is_demo,
    users.c.wants_mail,
).select_from(users.outerjoin(providers))


def _user(row: sa.Row | None) -> User | None:
    return User(**row._mapping) if row is not None else None


def find(session: Session, email: str) -> User | None:
    """The account of this address, whatever its capitals."""
    return _user(session.execute(_SELECT.where(users.c.email == email_key(email))).one_or_none())


def get(session: Session, user_id: int) -> User | None:
    return _user(session.execute(_SELECT.where(users.c.id == user_id)).one_or_none())


def all_users(session: Session) -> list[User]:
    """All accounts by address."""
    return [cast(User, _user(row)) for row in session.execute(_SELECT.order_by(users.c.email))]


def add(
    session: Session, email: str, role: Role, now: datetime, *, provider_id: int | None = None, is_demo: bool = False
) -> int:
    """Make an account without a password. RefusedError (`user_exists`) when the address has one."""
    if find(session, email) is not None:
        raise RefusedError(
            "This address has an account already. `ivr user invite` makes a new link.", code="user_exists"
        )
    row = users.insert().values(
        email=email_key(email), role=role, provider_id=provider_id, is_demo=is_demo, created_at=now
    )
    return session.execute(row.returning(users.c.id)).scalar_one()


def set_password(session: Session, user_id: int, password_hash: str) -> None:
    session.execute(users.update().where(users.c.id == user_id).values(password_hash=password_hash))


def set_totp(session: Session, user_id: int, sealed: bytes | None, step: int | None) -> None:
    """Keep the sealed secret and the step that proved it; None switches the second factor off."""
    session.execute(users.update().where(users.c.id == user_id).values(totp_sealed=sealed, totp_last_step=step))


def spend_totp_step(session: Session, user_id: int, step: int) -> bool:
    """Note that the code of this half minute was used; False when it, or a later one, was used before."""
    unused = sa.or_(users.c.totp_last_step.is_(None), users.c.totp_last_step < step)
    return (
        session.execute(users.update().where(users.c.id == user_id, unused).values(totp_last_step=step)).rowcount == 1
    )


def set_active(session: Session, user_id: int, is_active: bool) -> None:
    session.execute(users.update().where(users.c.id == user_id).values(is_active=is_active))


def set_mail(session: Session, user_id: int, wants_mail: bool) -> None:
    session.execute(users.update().where(users.c.id == user_id).values(wants_mail=wants_mail))


# --- sessions ---------------------------------------------------------------------------------------------------


def open_session(session: Session, token_hash: str, user_id: int, now: datetime, expires_at: datetime) -> None:
    """Keep a session; those that have ended are swept on the way."""
    session.execute(web_sessions.delete().where(web_sessions.c.expires_at <= now))
    session.execute(
        web_sessions.insert().values(token_hash=token_hash, user_id=user_id, created_at=now, expires_at=expires_at)
    )


def session_user(session: Session, token_hash: str, now: datetime) -> User | None:
    """Who holds this session; None when it ended or the account was closed."""
    held = _SELECT.join(web_sessions, web_sessions.c.user_id == users.c.id).where(
        web_sessions.c.token_hash == token_hash, web_sessions.c.expires_at > now, users.c.is_active
    )
    return _user(session.execute(held).one_or_none())


def close_session(session: Session, token_hash: str) -> None:
    session.execute(web_sessions.delete().where(web_sessions.c.token_hash == token_hash))


def close_sessions(session: Session, user_id: int) -> None:
    """End every session of this account."""
    session.execute(web_sessions.delete().where(web_sessions.c.user_id == user_id))


# --- invitations ------------------------------------------------------------------------------------------------


def invite(session: Session, token_hash: str, user_id: int, now: datetime, expires_at: datetime) -> None:
    """Keep an invitation; earlier ones of this account stop working."""
    session.execute(invitations.delete().where(invitations.c.user_id == user_id))
    session.execute(
        invitations.insert().values(token_hash=token_hash, user_id=user_id, created_at=now, expires_at=expires_at)
    )


def invited(session: Session, token_hash: str, now: datetime) -> User | None:
    """For whom this invitation is, while it works."""
    held = _SELECT.join(invitations, invitations.c.user_id == users.c.id).where(
        invitations.c.token_hash == token_hash, invitations.c.expires_at > now, users.c.is_active
    )
    return _user(session.execute(held).one_or_none())


def spend_invitation(session: Session, token_hash: str) -> bool:
    """Use the invitation up; False when somebody was first."""
    return session.execute(invitations.delete().where(invitations.c.token_hash == token_hash)).rowcount == 1


# --- throttles --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often something was tried, and until when it is refused."""

    tries: int
    locked_until: datetime | None
    changed_at: datetime


def throttle(session: Session, key: str, now: datetime) -> Throttle:
    """How `key` stands, made when it is new; the row stays locked until the caller's write transaction ends."""
    insert = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(throttles).values(key=key, tries=0, changed_at=now).on_conflict_do_nothing())
    columns = (throttles.c.tries, throttles.c.locked_until, throttles.c.changed_at)
    row = session.execute(sa.select(*columns).where(throttles.c.key == key).with_for_update()).one()
    return Throttle(*row)


def set_throttle(session: Session, key: str, tries: int, locked_until: datetime | None, now: datetime) -> None:
    """Keep the count of a throttle that was read in this transaction."""
    changed = {"tries": tries, "locked_until": locked_until, "changed_at": now}
    session.execute(throttles.update().where(throttles.c.key == key).values(changed))


def clear_throttle(session: Session, key: str) -> None:
    session.execute(throttles.delete().where(throttles.c.key == key))


def sweep_throttles(session: Session, before: datetime) -> None:
    """Forget what nobody tried since `before`."""
    session.execute(throttles.delete().where(throttles.c.changed_at < before))


# --- whose pages ------------------------------------------------------------------------------------------------


def provider_id(session: Session, name: str) -> int | None:
    """The provider of this name, whatever its capitals and spaces."""
    key = " ".join(name.casefold().split())
    return session.execute(sa.select(providers.c.id).where(providers.c.name_key == key)).scalar_one_or_none()


def first_provider_id(session: Session) -> int | None:
    """Some provider, always the same one: whose pages the demo shows."""
    query = sa.select(sa.func.min(providers.c.id)).where(providers.c.name_key != TRIAL_KEY)
    return session.execute(query).scalar_one_or_none()
