"""Passes: how the house lets somebody who is signed in use the softphone of the local carrier.

A pass is a claim, signed and short-lived, that the house writes and the carrier carries back; both have the same key
(made from IVR_SECRET_KEY, or outside production from a file beside the database). Decides nothing else: who gets a
pass is the pages' business, what may be done with it `fieldwork/trying.py`'s. Also says which telephone numbers the
softphone may have, so that it can never pass for a person.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.errors import RefusedError
from ivr.settings import Settings

NUMBERS = "+3100000"
"""The softphone's numbers: six digits more. No Dutch number has a 0 there, so no person and no list can have one."""

LIFETIME_SECONDS = 2 * 3600.0


def is_softphone(number: str) -> bool:
    """Whether a number is one of the softphone's."""
    rest = number.removeprefix(NUMBERS)
    return rest != number and len(rest) == 6 and rest.isascii() and rest.isdigit()


def load_key(settings: Settings) -> bytes:
    """The key of this house's passes: the same in every process of it."""
    if settings.secret_key is not None:
        return hashlib.sha256(b"softphone " + settings.secret_key.get_secret_value().encode()).digest()
    return _kept(settings.var_dir / "softphone.key")


def issue(key: bytes, claim: Mapping[str, Any], *, now: float | None = None) -> str:
    """A pass for this claim, good for LIFETIME_SECONDS. Letters, digits, `-`, `_` and one point."""
    until = (time.time() if now is None else now) + LIFETIME_SECONDS
    body = _text(json.dumps({**claim, "until": until}, separators=(",", ":")).encode())
    return f"{body}.{_sign(key, body)}"


def read(key: bytes, text: str, *, now: float | None = None) -> dict[str, Any]:
    """The claim of a pass. RefusedError (code `pass`) when it is not ours or its time is over."""
    body, _, signature = text.partition(".")
    if not hmac.compare_digest(_sign(key, body).encode(), signature.encode()):
        raise RefusedError("This pass was not written here. Open /softphone again.", code="pass")
    claim: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if claim.pop("until") < (time.time() if now is None else now):
        raise RefusedError("This pass is no longer valid. Open /softphone again.", code="pass")
    return claim


def _sign(key: bytes, body: str) -> str:
    return _text(hmac.new(key, body.encode("utf-8", "replace"), hashlib.sha256).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _kept(path: Path) -> bytes:
    """The key in this file, made at first use. Written aside and linked: the first process wins, none reads half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(32).encode())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
