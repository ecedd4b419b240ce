"""The Flask application: `granian --interface wsgi --factory ivr.web.app:create_app`.

Decides which doors there are. What each does stands in its own module; errors are mapped in `problems.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from ivr import logs
from ivr.bootstrap import House, open_house
from ivr.web import api, health, metrics, pages, problems, prompts, softphone, spoken, voice
from ivr.web.counts import Counts

_VOICE = "/voice/"
_WITHOUT_COOKIES = (_VOICE, "/prompts/", "/healthz", "/readyz", "/metrics", "/api/")


_NOBODYS = NullSession()


class SessionsOfPages(SecureCookieSessionInterface):
    """Sessions for people's pages only: the carrier's webhooks and their recordings neither read nor set a cookie."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The page's session; for the carrier one that nothing can be written into."""
        if request.environ.get("PATH_INFO", "").startswith(_WITHOUT_COOKIES):
            return _NOBODYS
        return super().open_session(app, request)


class Door(Flask):
    """Flask, spared what this house never needs: its views are plain functions, none of them a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is. Flask looks each one of a request through for coroutines, every time."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What matches a request's path with a view.

        A webhook's is made directly: nothing hangs on the name under which the carrier reached us, and no URL is
        built there. (Flask looks the host through three times over.)
        """
        if request is not None:
            environ = request.environ
            path = environ.get("PATH_INFO", "")
            if path.startswith(_VOICE) and path.isascii():
                method, scheme = environ["REQUEST_METHOD"], environ["wsgi.url_scheme"]
                return MapAdapter(self.url_map, "", environ.get("SCRIPT_NAME") or "/", "", scheme, path, method)
        return super().create_url_adapter(request)


def create_app(house: House | None = None) -> Flask:
    """The web door of this house, or of the one that the environment describes. Safe to make more than once."""
    is_server = house is None
    if house is None:
        house = open_house()
        logs.configure_logs(json_lines=house.settings.env == "production", level=house.settings.log_level)
    app = Door(__name__)
    app.session_interface = SessionsOfPages()
    # A doubled slash is another path to whoever computed a signature: no redirect that hides it.
    app.url_map.merge_slashes = False
    if house.settings.trusted_proxies:
        hops = house.settings.trusted_proxies
        # Host and prefix stay as they came: what they name is IVR_PUBLIC_BASE_URL's to say.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_prefix=0)
    counts = Counts(house.settings.metrics_dir)
    alarms = problems.Alarms(counts.alarm)
    app.extensions["house"] = house
    app.extensions["alarms"] = alarms

    door, apology = voice.make_blueprint(house, alarms)
    counts.watch(door)
    app.register_blueprint(door)
    app.register_blueprint(prompts.make_blueprint(house))
    app.register_blueprint(health.make_blueprint(house, alarms))
    app.register_blueprint(metrics.make_blueprint(house, counts))
    app.register_blueprint(softphone.make_line(house))
    api.register(app, house)
    pages.register(app, house)
    spoken.register(app, house)
    problems.register(app, alarms, apology)

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        logs.clear()

    if is_server:
        pages.make_ready(app)
    return app
