"""Who may come in at the voice door: requests that the carrier signed, and nobody else.

Decides how a request is read before it is trusted: without a signature not at all, with one up to a limit and
for nothing but the check. What a signature is, `ivr.telephony.webhooks` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, request

from ivr.errors import UsageError
from ivr.telephony.webhooks import MAX_BODY_BYTES, SETTINGS_HEADER, SIGNATURE_HEADER, SignatureCheck, parse_form
from ivr.web.problems import Alarms, plain

# As WSGI names these headers: this is read for every webhook, and looking a header up by its own name takes longer.
_SIGNATURE, _SETTINGS = (f"HTTP_{name.upper().replace('-', '_')}" for name in (SIGNATURE_HEADER, SETTINGS_HEADER))
_LENGTH_DIGITS = 19
"""More are no length of anything, and of thousands Python makes no number."""


def signed_form(check: SignatureCheck, alarms: Alarms) -> dict[str, list[str]]:
    """The form of this request, once it is certain that the carrier sent it.

    Aborts with 403 (no signature: the body stays unread; or a wrong one: an alarm), 411, 413 or 400.
    """
    environ = request.environ
    signature = environ.get(_SIGNATURE, "")
    if not signature:
        alarms.sound("unsigned")
        abort(plain("This address is for the carrier.", 403))
    length = _length(environ)
    if length is None:
        abort(plain("The length of the body is missing.", 411))
    if length > MAX_BODY_BYTES:
        abort(plain("The body is too large.", 413))
    try:
        form = parse_form(environ["wsgi.input"].read(length) if length else b"")
    except UsageError as error:
        abort(plain(error.message, 400))
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if not check.accepts(path, query, form, signature, environ.get(_SETTINGS, "")):
        alarms.sound("bad_signature")
        abort(plain("The signature does not match.", 403))
    return form


def _length(environ: Mapping[str, Any]) -> int | None:
    """What the request says its body is long, in bytes; None when it does not say, in pieces, or in nonsense."""
    text = environ.get("CONTENT_LENGTH", "")
    if "HTTP_TRANSFER_ENCODING" in environ or not (text.isascii() and text.isdigit()) or len(text) > _LENGTH_DIGITS:
        return None
    return int(text)
