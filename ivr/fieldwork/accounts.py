"""Who may open the pages: accounts, passwords, the second factor, sessions, invitations, and lock-out.

Decides: argon2id for passwords; a session is a random token of which only the hash is kept, so that closing an
account closes its browsers; tries are counted *before* a password is looked at, so that guessing in parallel gains
nothing, and every failure looks the same from outside. Leaves to `web/signin.py`: cookies and forms.

Works on the wall clock, not on the house's clock, which leaps in a demo: people and their browsers live in real time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pyotp import random_base32
from pyotp.totp import TOTP

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.store import Database, users
from ivr.store.sealing import Sealer
from ivr.store.users import Role, User

ROLES: tuple[Role, ...] = ("viewer", "fieldwork", "admin", "provider")
SESSION_HOURS = 12
INVITATION_DAYS = 7
PASSWORD_MIN, PASSWORD_MAX = 12, 256
FREE_TRIES = 5
ADDRESS_FREE_TRIES = 30
LONGEST_LOCK = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)

# argon2id as OWASP's password storage sheet asks at least: 19 MiB, two passes, one lane. The web threads share two
# cores with calls in progress, and a heavier hash would let anyone who tries passwords slow those down.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


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


def everyone(database: Database) -> list[User]:
    with database.read() as session:
        return users.all_users(session)


# --- invitations ------------------------------------------------------------------------------------------------


def invited(database: Database, token: str) -> User | None:
    """For whom an invitation is; None when it was used, replaced or has run out."""
    with database.read() as session:
        return users.invited(session, token_hash(token), wall_clock())


def password_fault(password: str, email: str) -> str | None:
    """What is wrong with a password, as a code: too_short, too_long, too_easy; None when it will do."""
    if len(password) < PASSWORD_MIN:
        return "too_short"
    if len(password) > PASSWORD_MAX:
        return "too_long"
    plain = password.casefold()
    if len(set(plain)) < 5 or email.split("@")[0] in plain:
        return "too_easy"
    return None


def accept(database: Database, token: str, password: str) -> str:
    """Set the password of an invitation and sign in; the session's token. RefusedError when the link or password fails.

    Every other session of the account ends: whoever forgot a password may have lost more than that.
    """
    user = invited(database, token)
    if user is None:
        raise RefusedError("This invitation has been used or has run out.", code="invitation_gone")
    fault = password_fault(password, user.email)
    if fault is not None:
        raise RefusedError("The password will not do.", code=fault)
    hashed = _hasher.hash(password)
    with database.write() as session:
        if not users.spend_invitation(session, token_hash(token)):
            raise RefusedError("This invitation has been used or has run out.", code="invitation_gone")
        users.set_password(session, user.id, hashed)
        users.close_sessions(session, user.id)
        return _open(session, user.id)


# --- signing in -------------------------------------------------------------------------------------------------


def sign_in(
    database: Database, sealer: Sealer, email: str, password: str, code: str, address: str, now: datetime | None = None
) -> SignIn:
    """Check password and, where one is set, the authenticator's code.

    `address` is where the request came from. Unknown account, wrong password, wrong code, closed account: all the
    same answer, after the same work.
    """
    now = now or wall_clock()
    keys = {
        f"account:{sealer.hash('sign-in', users.email_key(email))}": FREE_TRIES,
        f"address:{sealer.hash('sign-in', address)}": ADDRESS_FREE_TRIES,
    }
    with database.write() as session:
        users.sweep_throttles(session, now - timedelta(days=2))
        locked = max(count_try(session, key, free, now) for key, free in keys.items())
        user = users.find(session, email)
    if locked:
        return SignIn(None, locked)
    held = user.password_hash if user is not None and user.is_active and not user.is_demo else None
    if not _matches(held or _nobodys_hash(), password[:PASSWORD_MAX]) or held is None or user is None:
        return SignIn(None)
    with database.write() as session:
        if user.totp_sealed is not None:
            step = totp_step(open_totp(sealer, user.totp_sealed), code, now)
            if step is None or not users.spend_totp_step(session, user.id, step):
                return SignIn(None)
        users.clear_throttle(session, next(iter(keys)))
        if _hasher.check_needs_rehash(held):
            users.set_password(session, user.id, _hasher.hash(password))
        return SignIn(_open(session, user.id, now))


def count_try(session: users.Session, key: str, free: int, now: datetime) -> int:
    """Count a try; the seconds that it is too early by, 0 when it may go on.

    `free` tries an hour cost nothing; each further one doubles the wait, from 2 seconds up to a quarter of an hour.
    A try while locked is not counted, so that nobody can be kept out for ever by someone who keeps trying.
    """
    held = users.throttle(session, key, now)
    if held.locked_until is not None and held.locked_until > now:
        return int((held.locked_until - now).total_seconds()) + 1
    tries = 1 if now - held.changed_at > FORGET_AFTER else held.tries + 1
    over = tries - free
    wait = min(timedelta(seconds=2 ** min(over + 1, 20)), LONGEST_LOCK) if over >= 0 else None
    users.set_throttle(session, key, tries, now + wait if wait else None, now)
    return 0


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    """Something to compare with when there is no account, so that the answer takes as long."""
    return _hasher.hash(secrets.token_urlsafe(16))


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


def sign_out(database: Database, token: str) -> None:
    with database.write() as session:
        users.close_session(session, token_hash(token))


# --- the second factor ------------------------------------------------------------------------------------------


def new_totp_secret() -> str:
    """A secret for an authenticator, base32; nothing is kept until `confirm_totp`."""
    return random_base32()


def totp_address(secret: str, email: str) -> str:
    """The otpauth:// address that an authenticator reads."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name="Toets")


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """Which half minute `code` belongs to, one either side of now; None when it is wrong."""
    totp, digits = TOTP(secret), "".join(code.split())
    current = int(now.timestamp()) // totp.interval
    for step in (current, current - 1, current + 1):
        if digits and secrets.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None


def open_totp(sealer: Sealer, sealed: bytes) -> str:
    return str(sealer.open(sealed)["totp"])


def confirm_totp(database: Database, sealer: Sealer, user: User, secret: str, code: str) -> bool:
    """Switch the second factor on, once a code shows that the authenticator has the secret."""
    step = totp_step(secret, code, wall_clock())
    if step is None:
        return False
    with database.write() as session:
        users.set_totp(session, user.id, sealer.seal({"totp": secret}), step)
    return True


def drop_totp(database: Database, sealer: Sealer, user: User, code: str) -> bool:
    """Switch the second factor off; it takes a code, so that an open browser alone is not enough."""
    if user.totp_sealed is None or totp_step(open_totp(sealer, user.totp_sealed), code, wall_clock()) is None:
        return False
    with database.write() as session:
        users.set_totp(session, user.id, None, None)
    return True
