"""Who may open what. Everything is closed until a view says otherwise.

A view says it with `@public` or `@allow("viewer", …)`; a route without either is answered 403 to everyone, so that a
forgotten decorator closes a page and never opens one. Doors for machines (webhooks, prompts, health) guard
themselves and are named here. Whoever may read, may not yet write: each unsafe request also carries the session's
own token (CSRF), and comes from a page of ours as far as the browser says where it comes from.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from ivr.fieldwork import accounts
from ivr.store.users import User

if TYPE_CHECKING:
    from ivr.bootstrap import House

MACHINE_DOORS = frozenset({"voice", "prompts", "health", "metrics", "softphone_line", "api"})
"""Blueprints that check their own callers (signature, pass, token, content address) or tell nothing (health)."""

STAFF = ("viewer", "fieldwork", "admin")
WORKERS = ("fieldwork", "admin")
"""Staff who may change something."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PUBLIC = frozenset({"public"})
FORM_BYTES = 64 * 1024
"""What a form may weigh: nobody needs more, and it is read before anything is known of who sends it."""
View = TypeVar("View", bound=Callable[..., Any])


def allow(*roles: str) -> Callable[[View], View]:
    """Open a view to these roles."""

    def mark(view: View) -> View:
        view.allowed = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Open a view to everyone."""
    view.allowed = _PUBLIC  # type: ignore[attr-defined]
    return view


def takes(size: int) -> Callable[[View], View]:
    """Let a view take a body of so many bytes; without this FORM_BYTES is the most."""

    def mark(view: View) -> View:
        view.takes_bytes = size  # type: ignore[attr-defined]
        return view

    return mark


def allowed_roles(endpoint: str) -> frozenset[str]:
    """Who may open this endpoint: roles, {"public"}, or nobody."""
    if endpoint.split(".")[0] in MACHINE_DOORS or endpoint == "static" or endpoint.endswith(".static"):
        return _PUBLIC
    view = current_app.view_functions.get(endpoint)
    return getattr(view, "allowed", frozenset())


def the_house() -> House:
    return cast("House", current_app.extensions["house"])


def user() -> User:
    """Who is signed in; only for views that are not public."""
    signed_in = current_user()
    assert signed_in is not None
    return signed_in


def current_user() -> User | None:
    """Who is signed in, looked up once per request. Demo accounts mean nothing in production."""
    if "user" not in g:
        token = session.get("token")
        found = accounts.whose(the_house().database, token) if isinstance(token, str) else None
        if found is not None and found.is_demo and not is_demo_door():
            found = None
        g.user = found
    return cast("User | None", g.user)


def guard() -> Response | None:
    """Before each request: None lets it through."""
    endpoint = request.endpoint
    if endpoint is None or endpoint.split(".")[0] in MACHINE_DOORS:
        return None
    roles = allowed_roles(endpoint)
    if roles != _PUBLIC:
        signed_in = current_user()
        if signed_in is None:
            return _to_sign_in()
        if signed_in.role not in roles:
            abort(403)
    if request.method not in _SAFE:
        if is_from_elsewhere():
            abort(400, description="origin")
        request.max_content_length = getattr(current_app.view_functions[endpoint], "takes_bytes", FORM_BYTES)
        _check_form()
    return None


def _to_sign_in() -> Response:
    if request.method not in _SAFE:
        abort(401)
    here = request.full_path.rstrip("?") if request.query_string else request.path
    if request.headers.get("HX-Request"):
        # A board that lost its session must not swap a sign-in form into a table.
        response = Response(status=204)
        response.headers["HX-Redirect"] = url_for("signin.sign_in")
        return response
    return cast(Response, redirect(url_for("signin.sign_in", verder=here)))


def _check_form() -> None:
    given = request.form.get("csrf") or request.headers.get("X-CSRF-Token") or ""
    held = session.get("csrf")
    if not isinstance(held, str) or not hmac.compare_digest(given.encode(), held.encode()):
        abort(400, description="csrf")


def is_from_elsewhere() -> bool:
    """Whether the browser says that another site made this request. One that says nothing is judged by its token.

    Ours are the host that was asked (a browser does not let a page choose it, and behind a proxy it may be the inner
    name) and IVR_PUBLIC_BASE_URL. The scheme is left aside: a proxy takes the TLS off. `null` is said by whoever hides
    where it comes from: our respondents' pages do (no-referrer: their address is a secret), those with a menu never.
    """
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched == "cross-site":
        return True
    if origin is None:
        return False
    if origin == "null":
        return fetched != "same-origin" and allowed_roles(request.endpoint or "") != _PUBLIC
    ours = {request.host.lower(), urlsplit(the_house().settings.public_base_url).netloc.lower()}
    try:
        return urlsplit(origin).netloc.lower() not in ours
    except ValueError:
        return True  # no browser says that


def csrf_token() -> str:
    """This browser's token, made when a form first needs one."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return cast(str, session["csrf"])


def start_session(token: str) -> None:
    """Begin a browser session: everything from before signing in is thrown away (no fixation)."""
    session.clear()
    session["token"] = token
    session["csrf"] = secrets.token_urlsafe(24)
    g.pop("user", None)


def local_path(path: str | None) -> str | None:
    """`path` if it is one of our own pages; None otherwise, so that nobody is sent elsewhere after signing in."""
    if not path or "\\" in path or any(ord(sign) < 32 for sign in path):
        return None
    if "/.." in (way := path.partition("?")[0]) or "//" in way:
        return None  # what looks like one of ours may be taken for another address on the way
    own = ("/staff", "/aanbieder", "/account", "/softphone")
    return path if any(path == door or path.startswith((f"{door}/", f"{door}?")) for door in own) else None


def is_demo_door() -> bool:
    """Whether one may sign in with one click: never in production, and only from and to this very machine."""
    return is_on_this_machine(the_house())


def is_on_this_machine(house: House) -> bool:
    """Whether this request surely comes from a program on this machine; in production nothing is sure of that.

    The Host header is looked at too (a page elsewhere that rebinds its name to 127.0.0.1), and a proxy's header
    closes the door: behind a proxy every visitor comes from loopback.
    """
    if house.settings.env == "production" or any(
        header in request.headers for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
    ):
        return False
    host = request.host.rsplit(":", 1)[0] if not request.host.startswith("[") else request.host.split("]")[0][1:]
    return _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))


def caller_address() -> str:
    """Where a request comes from, for counting tries: the peer, or what our own proxies say of it.

    X-Forwarded-For is believed as far as IVR_TRUSTED_PROXIES says (`app.py` hangs werkzeug's ProxyFix before
    everything); otherwise it is somebody's invention. Of IPv6 the /64 counts, because one household has all of it.
    """
    peer = request.remote_addr or ""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def home(role: str) -> str:
    """The first page of a role."""
    return url_for("provider.overview") if role == "provider" else url_for("staff.board")


def template_words() -> dict[str, Any]:
    """What every template may use."""
    signed_in = current_user() if request.endpoint and request.blueprint not in MACHINE_DOORS else None
    return {
        "user": signed_in,
        "may_change": signed_in is not None and signed_in.role in WORKERS,
        "csrf_token": csrf_token,
        "settings": the_house().settings,
    }
