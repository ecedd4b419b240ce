"""The mark of a browser that signed in to an account before: a signed cookie, which proves nothing else.

It gives its owner tries of its own while a stranger is guessing (OWASP's "device cookies"); without it nobody is worse
off than anybody. It names the account by a keyed hash, lasts half a year, and opens no page.
"""

from __future__ import annotations

import secrets

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from ivr.store.users import email_key
from ivr.web.pages.access import the_house

_SECONDS = 180 * 24 * 3600


def _name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-browser"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="known-browser")


def _account(email: str) -> str:
    return the_house().sealer.hash("known-browser", email_key(email))


def known_browser(email: str) -> str | None:
    """The name of this browser if it signed in to this account before."""
    try:
        held = _signer().loads(request.cookies.get(_name(), ""), max_age=_SECONDS)
    except BadSignature:
        return None
    return held["browser"] if held["account"] == _account(email) else None


def remember_browser(response: Response, email: str) -> None:
    """Mark the browser that gets this response; one that is known keeps its name."""
    mark = {"account": _account(email), "browser": known_browser(email) or secrets.token_urlsafe(16)}
    response.set_cookie(
        _name(),
        _signer().dumps(mark),
        max_age=_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
