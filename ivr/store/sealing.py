"""Seals contact data and keys the hashes of numbers, names and addresses.

Decides how a contact lies in the database (AES-256-GCM over JSON, a fresh nonce each time) and how two rows
can be found to share a number without the number standing there (HMAC-SHA256, keyed, one namespace per kind).
One secret of 32 bytes feeds both, each through its own derived key. Who may open a contact is decided by the
callers. Losing the key means losing the contacts: in production it is set by people who keep it safe
(`IVR_ENCRYPTION_KEY`); elsewhere one is made and kept beside the database.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import json
import os
import secrets
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.errors import ConfigurationError
from ivr.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class Sealer:
    """Seals, opens and hashes under one key. Cheap, stateless, safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigurationError(f"The encryption key has {len(key)} bytes; it must have {KEY_BYTES}.")
        self._box = AESGCM(_derive(key, b"toets contact sealing"))
        self._hash_key = _derive(key, b"toets keyed hashes")

    def seal(self, contact: dict[str, Any]) -> bytes:
        """`contact` (JSON-safe) as bytes that only this key opens; two seals of one contact differ."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = json.dumps(contact, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return _VERSION + nonce + self._box.encrypt(nonce, text.encode(), _VERSION)

    def open(self, sealed: bytes) -> dict[str, Any]:
        """What was sealed. ConfigurationError when the key is another one or the bytes were changed."""
        sealed = bytes(sealed)
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise InvalidTag
            return json.loads(self._box.decrypt(nonce, body, _VERSION))
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "A contact cannot be opened: it was sealed with another key, or its bytes were changed. "
                "Set IVR_ENCRYPTION_KEY (or put back the key file beside the database) as it was at the import."
            ) from error

    def hash(self, kind: str, text: str) -> str:
        """Keyed hash of `text`, 64 hex digits; the same text under another `kind` hashes differently."""
        return hmac.new(self._hash_key, f"{kind}\x00{text}".encode(), sha256).hexdigest()


def load_key(settings: Settings) -> bytes:
    """The 32 bytes of `IVR_ENCRYPTION_KEY`; outside production made at first use and kept beside the database.

    The file is `<database>.key` for SQLite, `encryption.key` in `var_dir` otherwise, readable by its owner only.
    Two processes that make it at once end up with the same key. Raises ConfigurationError for a key of another
    form, or none in production.
    """
    if settings.encryption_key is not None:
        return _decode(settings.encryption_key.get_secret_value(), "IVR_ENCRYPTION_KEY")
    if settings.env == "production":
        raise ConfigurationError("IVR_ENV=production needs IVR_ENCRYPTION_KEY: 32 random bytes in base64.")
    path = key_file(settings)
    with contextlib.suppress(FileNotFoundError):
        return _decode(path.read_text(encoding="ascii"), str(path))
    return _make(path)


def key_file(settings: Settings) -> Path:
    """Where a made key is kept."""
    url = sa.make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return Path(f"{url.database}.key")
    return settings.var_dir / "encryption.key"


def _make(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and never replaces the key another process has just made.
        os.link(draft, path)
        print(  # noqa: T201  (stderr: stdout belongs to the command's JSON)
            f"ivr: no IVR_ENCRYPTION_KEY is set; made a key and keep it in {path}. "
            "Keep this file with the database: without it the contacts cannot be opened.",
            file=sys.stderr,
        )
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _decode(path.read_text(encoding="ascii"), str(path))


def _decode(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(f"{source} is not base64. Make one with: openssl rand -base64 32") from error
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{source} holds {len(key)} bytes; it must hold {KEY_BYTES}. Make one with: openssl rand -base64 32"
        )
    return key


def _derive(key: bytes, purpose: bytes) -> bytes:
    # HMAC as a key derivation function: the secret is uniformly random, so one expansion step is enough.
    return hmac.new(key, purpose, sha256).digest()
