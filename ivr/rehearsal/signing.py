"""How a webhook of Twilio is signed, written from Twilio's documents and not from anybody's validator.

The rule ("Validating signatures from Twilio"): take the full URL as requested through the end of the query;
for a form POST append each parameter, sorted by name, name and value without any separator; HMAC-SHA1 with the
auth token; base64. A voice request over https is signed without user, password and port; over http without
user and password but with the port. A fragment never travels, so it is not signed.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

Params = Mapping[str, str | list[str]]
"""Form parameters; a repeated one has a list of values."""


def signed_url(url: str) -> str:
    """`url` as it enters the signature."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https":
        # [::1]:443 → [::1]; a name or an IPv4 address has at most one colon
        head, colon, port = host.rpartition(":")
        if colon and port.isdigit():
            host = head
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def compute(token: str, url: str, params: Params | None = None) -> str:
    """HMAC-SHA1 over exactly this URL and the sorted parameters, base64."""
    text = url
    for name in sorted(params or {}):
        values = (params or {})[name]
        # A repeated parameter enters once per distinct value, in order.
        for value in sorted(set(values)) if isinstance(values, list) else [values]:
            text += name + value
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def sign(token: str, url: str, params: Params | None = None) -> str:
    """The value of `X-Twilio-Signature` of a voice webhook. `params` are those of a form POST; none for GET."""
    return compute(token, signed_url(url), params)
