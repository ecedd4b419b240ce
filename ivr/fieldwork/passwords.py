"""Passwords: which will do, and how they are kept (argon2id)."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ivr.errors import RefusedError

PASSWORD_MIN, PASSWORD_MAX = 12, 256
_ON_EVERYBODYS_LIST = (
    "wachtwoord",
    "password",
    "passwort",
    "welkom",
    "welcome",
    "qwerty",
    "azerty",
    "letmein",
    "geheim",
    "blikopwerk",
    "toets",
    "abcdef",
    "iloveyou",
    "admin",
    "inloggen",
    "provider",
    "aanbieder",
)
_WORTH_OF_THE_REST = 6
"""Signs that must be left of a password without such words and without digits and dots."""

# argon2id as OWASP's password storage sheet asks at least: 19 MiB, two passes, one lane. The web threads share two
# cores with calls in progress, and a heavier hash would let anyone who tries passwords slow those down.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def password_fault(password: str, email: str) -> str | None:
    """What is wrong with a password, as a code: too_short, too_long, too_easy; None when it will do.

    As NIST SP 800-63B has it: length counts, no rules about capitals and signs, but nothing that everybody tries.
    """
    if len(password) < PASSWORD_MIN:
        return "too_short"
    if len(password) > PASSWORD_MAX:
        return "too_long"
    plain = password.casefold()
    own = email.split("@")[0]
    if len(set(plain)) < 5 or (len(own) > 3 and own in plain):
        return "too_easy"
    for word in _ON_EVERYBODYS_LIST:
        plain = plain.replace(word, "")
    return "too_easy" if sum(sign.isalpha() for sign in plain) < _WORTH_OF_THE_REST else None


def hash_of_new(password: str, email: str) -> str:
    """The hash of a password that somebody chose; RefusedError with its fault as the code."""
    fault = password_fault(password, email)
    if fault is not None:
        raise RefusedError("The password will not do.", code=fault)
    return _hasher.hash(password)


def hashed(password: str) -> str:
    """The hash as it is kept."""
    return _hasher.hash(password)


def is_outdated(held: str) -> bool:
    """Whether a hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(held)


def matches(hashed: str, password: str) -> bool:
    """Whether this is the password of that hash."""
    try:
        return _hasher.verify(hashed, password[:PASSWORD_MAX])
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobodys_hash() -> str:
    """Something to compare with when there is no account, so that the answer takes as long."""
    return _hasher.hash(secrets.token_urlsafe(16))
