"""The key that signs browser sessions: from the settings, or outside production made once and kept."""

from __future__ import annotations

import os
import secrets

from ivr.errors import ConfigurationError
from ivr.settings import Settings


def session_key(settings: Settings) -> str:
    """The key; several web processes that start at once get the same one."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if settings.env == "production":  # the settings refuse this already; a second lock costs nothing
        raise ConfigurationError("IVR_ENV=production needs IVR_SECRET_KEY.")
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    path = settings.var_dir / "secret.key"
    if not path.exists():
        # Written aside and then linked, so that no process ever reads a half-written key, and the first one wins.
        fresh = path.with_name(f"secret.key.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("ascii").strip()
