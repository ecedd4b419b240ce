"""Who may open the pages: accounts, passwords, sessions and invitations.

Decides: a session is a random token of which only the hash is kept, so that closing an account closes its browsers;
tries are counted *before* a password is looked at, so that guessing in parallel gains nothing, and every failure looks
the same from outside. Leaves what a password is to `passwords.py`, the code of an authenticator to `second_factor.py`,
how tries are counted to `throttling.py`, cookies and forms to `web/signin.py`.

Works on the wall clock, not on the house's clock, which leaps in a demo: people and their browsers live in real time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork import passwords
from ivr.fieldwork.second_factor import spend_code
from ivr.fieldwork.throttling import count_try
from ivr.store import Database, users
from ivr.store.sealing import Sealer
from ivr.store.users import Role, User

ROLES: tuple[Role, ...] = ("viewer", "fieldwork", "admin", "provider")
SESSION_HOURS = 12
INVITATION_DAYS = 7
FREE_TRIES = 5
ADDRESS_FREE_TRIES = 30


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a try to sign in ended: a `token` for the cookie, or none; `locked_seconds` when it was one too many."""

    token: str | None
    locked_seconds: int = 0


def wall_clock() -> datetime:
    return datetime.now(UTC)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# --- making accounts --------------------------------------------------------------------------------------------


def add(database: Database, email: str, role: str, *, provider: str | None = None) -> str:
    """Make an account and return the token of its invitation.

    UsageError for an unknown role, a bad address, or a provider where there should (not) be one; NotFoundError for
    an unknown provider; RefusedError when the address has an account.
    """
    if role not in ROLES:
        raise UsageError(f"A role is one of {', '.join(ROLES)}, not {role!r}.")
    if email.count("@") != 1 or email.strip() != email or email.startswith("@") or email.endswith("@"):
        raise UsageError("An account needs an e-mail address.")
    if (role == "provider") != (provider is not None):
        raise UsageError("--provider goes with the role provider, and only with that.")
    now = wall_clock()
    with database.write() as session:
        provider_id = None
        if provider is not None:
            provider_id = users.provider_id(session, provider)
            if provider_id is None:
                raise NotFoundError(
                    f"There is no provider {provider!r} yet: one exists once a list was imported or an order made."
                )
        user_id = users.add(session, email, role, now, provider_id=provider_id)
        return _invite(session, user_id, now)


def invite(database: Database, email: str) -> str:
    """A new invitation for an account that exists (a forgotten password): earlier links stop working."""
    with database.write() as session:
        user = users.find(session, email)
        if user is None:
            raise NotFoundError("There is no account with this address. `ivr user add` makes one.")
        return _invite(session, user.id, wall_clock())


def _invite(session: users.Session, user_id: int, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    users.invite(session, token_hash(token), user_id, now, now + timedelta(days=INVITATION_DAYS))
    return token


def set_active(database: Database, email: str, is_active: bool) -> None:
    """Close an account (its sessions end at once) or open it again."""
    with database.write() as session:
        user = users.find(session, email)
        if user is None:
            raise NotFoundError("There is no account with this address.")
        users.set_active(session, user.id, is_active)
        if not is_active:
            users.close_sessions(session, user.id)


def set_mail(database: Database, user: User, wants_mail: bool) -> None:
    """Whether a provider's account gets the weekly mail. Staff cannot switch theirs off: it comes when something is
    wrong."""
    with database.write() as session:
        users.set_mail(session, user.id, wants_mail)


def everyone(database: Database) -> list[User]:
    with database.read() as session:
        return users.all_users(session)


# --- invitations ------------------------------------------------------------------------------------------------


def invited(database: Database, token: str) -> User | None:
    """For whom an invitation is; None when it was used, replaced or has run out."""
    with database.read() as session:
        return users.invited(session, token_hash(token), wall_clock())


def accept(database: Database, token: str, password: str) -> str | None:
    """Set the password of an invitation; RefusedError when the link or the password fails.

    Gives the token of a session, or None for an account with a second factor: a link that came by mail proves one thing
    only. Every other session of the account ends: whoever forgot a password may have lost more than that.
    """
    user = invited(database, token)
    if user is None:
        raise RefusedError("This invitation has been used or has run out.", code="invitation_gone")
    hashed = passwords.hash_of_new(password, user.email)
    with database.write() as session:
        if not users.spend_invitation(session, token_hash(token)):
            raise RefusedError("This invitation has been used or has run out.", code="invitation_gone")
        users.set_password(session, user.id, hashed)
        users.close_sessions(session, user.id)
        return None if user.has_totp else _open(session, user.id)


def change_password(database: Database, sealer: Sealer, user: User, old: str, new: str) -> str:
    """Replace one's own password; the token of a new session, all others end. RefusedError: `wrong`, or its fault.

    A wrong old password counts as a try: an open browser is no proof of who sits before it.
    """
    if not knows_password(database, sealer, user, old):
        raise RefusedError("The old password is wrong, or was wrong too often.", code="wrong")
    hashed = passwords.hash_of_new(new, user.email)
    with database.write() as session:
        users.set_password(session, user.id, hashed)
        users.close_sessions(session, user.id)
        return _open(session, user.id)


def knows_password(database: Database, sealer: Sealer, user: User, password: str) -> bool:
    """Whether whoever is signed in knows the password of the account; tries are counted."""
    key = f"own:{sealer.hash('sign-in', str(user.id))}"
    with database.write() as session:
        if count_try(session, key, FREE_TRIES, wall_clock()):
            return False
    if user.password_hash is None or not passwords.matches(user.password_hash, password):
        return False
    with database.write() as session:
        users.clear_throttle(session, key)
    return True


# --- signing in -------------------------------------------------------------------------------------------------


def sign_in(
    database: Database,
    sealer: Sealer,
    email: str,
    password: str,
    code: str,
    address: str,
    now: datetime | None = None,
    *,
    browser: str | None = None,
) -> SignIn:
    """Check password and, where one is set, the authenticator's code.

    `address` is where the request came from; `browser` names a browser that signed in to this very account before. Such
    a browser has tries of its own: a stranger who keeps guessing can lock out strangers, not the owner. Unknown
    account, wrong password, wrong code, closed account: all the same answer, after the same work.
    """
    now = now or wall_clock()
    account = sealer.hash("sign-in", users.email_key(email))
    keys = {f"account:{account}": FREE_TRIES, f"address:{sealer.hash('sign-in', address)}": ADDRESS_FREE_TRIES}
    if browser is not None:
        keys = {f"browser:{sealer.hash('sign-in', f'{account} {browser}')}": FREE_TRIES}
    with database.write() as session:
        users.sweep_throttles(session, now - timedelta(days=2))
        locked = max(count_try(session, key, free, now) for key, free in keys.items())
        user = users.find(session, email)
    if locked:
        return SignIn(None, locked)
    held = user.password_hash if user is not None and user.is_active and not user.is_demo else None
    if not passwords.matches(held or passwords.nobodys_hash(), password) or held is None or user is None:
        return SignIn(None)
    with database.write() as session:
        if user.totp_sealed is not None and not spend_code(session, sealer, user, code, now):
            return SignIn(None)
        users.clear_throttle(session, next(iter(keys)))
        if passwords.is_outdated(held):
            users.set_password(session, user.id, passwords.hashed(password))
        return SignIn(_open(session, user.id, now))


def sign_in_demo(database: Database, role: Role) -> str | None:
    """A session of the demo account of this role, made when missing; None when no provider exists to be one.

    The caller has made sure that this is a demo on this very machine.
    """
    now = wall_clock()
    with database.write() as session:
        provider_id = users.first_provider_id(session) if role == "provider" else None
        if role == "provider" and provider_id is None:
            return None
        email = f"{role}@demo.invalid"
        user = users.find(session, email)
        user_id = user.id if user else users.add(session, email, role, now, provider_id=provider_id, is_demo=True)
        return _open(session, user_id, now)


def _open(session: users.Session, user_id: int, now: datetime | None = None) -> str:
    now = now or wall_clock()
    token = secrets.token_urlsafe(32)
    users.open_session(session, token_hash(token), user_id, now, now + timedelta(hours=SESSION_HOURS))
    return token


def whose(database: Database, token: str) -> User | None:
    """Whose session this is; None when it ended."""
    with database.read() as session:
        return users.session_user(session, token_hash(token), wall_clock())


def sign_out_everywhere(database: Database, user: User) -> None:
    """End every session of this account, also the one that asks."""
    with database.write() as session:
        users.close_sessions(session, user.id)


def sign_out(database: Database, token: str) -> None:
    with database.write() as session:
        users.close_session(session, token_hash(token))
