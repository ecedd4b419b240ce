"""Everything that people open in a browser: `register(app, house)` hangs it on the app.

The order of a request: `access.guard` (who are you, may you, is the form ours) → a view, which reads, calls one stage
and answers → `headers.harden`. A view without a declared access is closed to everyone.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from ivr.logs import get_logger
from ivr.web import echt, privacy, signin, softphone
from ivr.web.pages import access, assets, faults, headers, words
from ivr.web.pages.keys import session_key
from ivr.web.provider import blueprint as provider_blueprint
from ivr.web.staff import blueprint as staff_blueprint
from ivr.web.staff.board import shared_board

if TYPE_CHECKING:
    from ivr.bootstrap import House

log = get_logger(__name__)

_BLUEPRINTS = (
    assets.blueprint,
    signin.blueprint,
    echt.blueprint,
    privacy.blueprint,
    staff_blueprint,
    provider_blueprint,
    softphone.blueprint,
)
for _blueprint in _BLUEPRINTS:  # once per process: a blueprint that hangs on an app takes no further handlers
    faults.handle(_blueprint)


class _Id(IntegerConverter):
    """A number that a database can hold: a larger one is no address, instead of an error further down."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": 2**31 - 1, **options})


def register(app: Flask, house: House) -> None:
    """Add the pages of staff and providers, signing in and `/echt` to `app`. Call it once, before the first request."""
    is_https = house.settings.public_base_url.startswith("https://")
    app.secret_key = session_key(house.settings)
    app.config.update(
        SESSION_COOKIE_NAME="__Host-toets" if is_https else "toets",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=app.config.get("MAX_CONTENT_LENGTH") or 20 * 1024 * 1024,
        MAX_FORM_PARTS=200,
    )
    app.extensions["house"] = house
    app.url_map.converters["int"] = _Id
    app.before_request(access.guard)
    app.after_request(headers.harden)
    app.context_processor(access.template_words)
    words.register(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)


def make_ready(app: Flask) -> None:
    """Do what staff would wait for before the first of them comes: compile the templates, count the board. In a thread
    of its own, because webhooks wait for nothing."""
    threading.Thread(target=_ahead, args=(app,), name="ahead", daemon=True).start()


def _ahead(app: Flask) -> None:
    for name in ("board", "board_part", "cell", "people_table", "log_table", "questionnaire"):
        app.jinja_env.get_template(f"staff/{name}.html")
    for name in ("base", "parts"):
        app.jinja_env.get_template(f"{name}.html")
    count_ahead(app)


def count_ahead(app: Flask) -> None:
    """Count the board. Whatever is wrong (no database yet) is not this thread's to tell: whoever asks next hears it."""
    with app.app_context():
        try:
            shared_board().get()
        except Exception as error:
            log.warning("board_not_counted", error=type(error).__name__)
