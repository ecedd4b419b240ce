"""Response headers of every page: nothing but our own scripts and styles, no framing, no sniffing, no keeping."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.wrappers import Response

from ivr.web.pages.access import MACHINE_DOORS

_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_HTML = {
    "Content-Security-Policy": _CSP,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def harden(response: Response) -> Response:
    """Add what is missing; a view that set one of these itself keeps its own."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.blueprint == "voice":
        return response  # the carrier is no browser, and every microsecond here is one of silence
    if request.blueprint not in MACHINE_DOORS:
        response.headers.setdefault("Cache-Control", "no-store")
    if response.mimetype == "text/html":
        for name, value in _HTML.items():
            response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
