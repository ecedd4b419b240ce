"""The second factor: six digits of an authenticator, from a secret that it shares with us (TOTP, RFC 6238).

Decides that a code works once, and that it takes a code to switch it off; the secret lies sealed. A lost telephone is
staff's to mend (`ivr user drop-code`).
"""

from __future__ import annotations

import secrets
from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP

from ivr.errors import NotFoundError
from ivr.fieldwork.throttling import count_try
from ivr.store import Database, Session, users
from ivr.store.sealing import Sealer
from ivr.store.users import User

FREE_TRIES = 5


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


def spend_code(session: Session, sealer: Sealer, user: User, code: str, now: datetime) -> bool:
    """Whether `code` is right and was not used before; then it is used up."""
    if user.totp_sealed is None:
        return False
    step = totp_step(str(sealer.open(user.totp_sealed)["totp"]), code, now)
    return step is not None and users.spend_totp_step(session, user.id, step)


def confirm_totp(database: Database, sealer: Sealer, user: User, secret: str, code: str, now: datetime) -> bool:
    """Switch the second factor on, once a code shows that the authenticator has the secret.

    Never in the place of one that is on: a page that was left open must not replace it.
    """
    step = totp_step(secret, code, now)
    if step is None:
        return False
    with database.write() as session:
        held = users.get(session, user.id)
        if held is None or held.has_totp:
            return False
        users.set_totp(session, user.id, sealer.seal({"totp": secret}), step)
    return True


def drop_totp(database: Database, sealer: Sealer, user: User, code: str, now: datetime) -> bool:
    """Switch the second factor off; it takes a code, so that an open browser alone is not enough. Tries are counted."""
    key = f"code:{sealer.hash('sign-in', str(user.id))}"
    with database.write() as session:
        if count_try(session, key, FREE_TRIES, now) or not spend_code(session, sealer, user, code, now):
            return False
        users.clear_throttle(session, key)
        users.set_totp(session, user.id, None, None)
    return True


def take_totp_off(database: Database, email: str) -> None:
    """Staff switch it off for somebody who lost the telephone: the next sign-in takes the password alone."""
    with database.write() as session:
        user = users.find(session, email)
        if user is None:
            raise NotFoundError("There is no account with this address.")
        users.set_totp(session, user.id, None, None)
