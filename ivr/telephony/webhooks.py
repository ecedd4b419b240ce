"""What the carrier sends us: its URLs, its forms, its signature.

Decides which URLs a call gets, whether a request was signed by the carrier, and what a form means (a signal
for the engine, a report for closing). Leaves HTTP to the web room and the reply to `twiml.py`.

The signature follows Twilio's document "Validating requests": the full URL as the carrier requested it, then
the POST parameters sorted by name, name and value appended; HMAC with the account's token; base64. For https
the port is dropped, for http it is kept; Twilio's own validators accept both forms, so this one tries the
documented form first and the other only when that fails.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from ivr.errors import UsageError
from ivr.survey.disposition import CallReport, CallStatus
from ivr.survey.turn import Keypress, Signal, Silence

Form = Mapping[str, Sequence[str]]
"""A POST body: each name with all its values, blank ones too, in the order in which they came."""

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
MAX_BODY_BYTES = 32 * 1024
"""A TwiML request is about 1 kB; what is larger did not come from a carrier."""
MAX_FIELDS = 200

PUBLIC_PATH = re.compile(r"/[A-Za-z0-9_/-]*\Z")
"""The server hands over a decoded path; only these characters are the same decoded and raw."""

_STATUSES: dict[str, CallStatus] = {
    "queued": "queued",
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "in-progress",
    "answered": "in-progress",
    "completed": "completed",
    "busy": "busy",
    "failed": "failed",
    "no-answer": "no-answer",
    "canceled": "canceled",
}
_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_KEYS = frozenset("0123456789*#")
_MOST_KEYS = 32
_KEPT = (
    "CallSid",
    "CallStatus",
    "SequenceNumber",
    "Timestamp",
    "CallDuration",
    "AnsweredBy",
    "MachineDetectionDuration",
    "ErrorCode",
    "SipResponseCode",
    "Direction",
)


@dataclass(frozen=True, slots=True)
class Urls:
    """The URLs of one call. They carry the attempt's id and nothing of the person."""

    voice: str
    fallback: str
    status: str
    machine: str


def urls_for(base_url: str, attempt_id: str, overrides: str = "") -> Urls:
    """The URLs of the call of this attempt, under the configured public base URL.

    overrides: "connection overrides", such as `rc=2&rp=all`; they stand in the fragment, which is neither sent nor
    signed.
    """
    root = f"{base_url.rstrip('/')}/voice/{attempt_id}"
    end = fragment(overrides)
    return Urls(
        voice=f"{root}/0{end}",
        fallback=f"{root}/fallback{end}",
        status=f"{root}/status{end}",
        machine=f"{root}/machine{end}",
    )


def fragment(overrides: str) -> str:
    """What stands at the end of each URL that the carrier gets."""
    return f"#{overrides}" if overrides else ""


def turn_path(attempt_id: str, turn: int) -> str:
    """Where the keys of this turn go; `/silence` behind it is where its silence goes."""
    return f"/voice/{attempt_id}/{turn}"


def prompt_path(sha256: str) -> str:
    """Where a prompt is served."""
    return f"/prompts/{sha256}.wav"


class SignatureCheck:
    """Whether requests were signed by the carrier.

    base_url: as configured at the carrier, never as a request claims it. token: signs by HMAC-SHA1.
    shared_keys: secrets by id, for requests that name one in `X-Twilio-Webhooks-Signature-Settings`
    (`key=…,algorithm=HMAC_SHA256`); a request that names an unknown key or algorithm is refused.
    """

    def __init__(self, base_url: str, token: str, shared_keys: Mapping[str, str] | None = None) -> None:
        self._bases = _bases(base_url.rstrip("/"))
        self._token = token.encode()
        self._shared_keys = {name: secret.encode() for name, secret in (shared_keys or {}).items()}

    def accepts(self, path: str, query: str, form: Form, signature: str, settings: str = "") -> bool:
        """Whether `signature` is the carrier's over this request.

        path: decoded, as in WSGI's PATH_INFO; query: raw, without the question mark; form: all parameters;
        signature, settings: the two headers. Constant time in the comparison.
        """
        if not PUBLIC_PATH.match(path):
            return False
        key, algorithm = self._token, "HMAC_SHA1"
        if settings:
            named: dict[str, str] = {}
            for part in settings.split(","):
                name, _, value = part.strip().partition("=")
                named[name] = value
            algorithm = named.get("algorithm", "").upper() or algorithm
            if algorithm != "HMAC_SHA1":
                key = self._shared_keys.get(named.get("key", ""), b"")
        if not key or algorithm not in _HASHES:
            return False
        target = f"{path}?{query}" if query else path
        given = signature.strip().encode("latin-1", "replace")
        signed = target + _joined(form)
        return any(hmac.compare_digest(_signed(key, base + signed, algorithm), given) for base in self._bases)


def sign(url: str, form: Form, secret: str, algorithm: str = "HMAC_SHA1") -> str:
    """The signature of a request to exactly this URL. For tests and `ivr doctor`; the carrier has its own signer."""
    return _signed(secret.encode(), url + _joined(form), algorithm).decode()


def parse_form(body: bytes) -> dict[str, list[str]]:
    """All parameters of a form body, blank and repeated ones too. UsageError when it is no such form."""
    form: dict[str, list[str]] = {}
    try:
        parts = body.decode("ascii").split("&")
        if len(parts) > MAX_FIELDS:
            raise ValueError("too many fields")
        # Most fields of a webhook have nothing to decode; the standard library's parser looks at each twice.
        for part in parts:
            if part:
                name, _, value = part.partition("=")
                if "%" in part or "+" in part:
                    name, value = _plain(name), _plain(value)
                if name in form:
                    form[name].append(value)
                else:
                    form[name] = [value]
    except ValueError as error:
        raise UsageError("The body is not a URL-encoded form in UTF-8.", code="bad_form") from error
    return form


def _plain(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    # The plus of a telephone number is all that most webhooks have to decode.
    if text.count("%") == text.count("%2B"):
        return text.replace("%2B", "+")
    return unquote(text, "utf-8", "strict") if "%" in text else text


def first(form: Form, name: str) -> str:
    """The first value of a parameter, or an empty string."""
    values = form.get(name)
    return values[0] if values else ""


def signal_of(form: Form) -> Signal:
    """What the person did in a Gather. No digits, or none that a keypad has, is silence."""
    digits = "".join(key for key in first(form, "Digits") if key in _KEYS)[:_MOST_KEYS]
    return Keypress(digits) if digits else Silence()


def report_of(form: Form) -> CallReport:
    """A status callback or a machine verdict. UsageError when it names no call or a status that does not exist.

    A machine verdict carries no CallStatus; it is a report of a call in progress and never ends one.
    """
    call_sid, name = first(form, "CallSid"), first(form, "CallStatus")
    answered_by = first(form, "AnsweredBy") or None
    status = _STATUSES.get(name) if name else ("in-progress" if answered_by else None)
    if not call_sid or status is None:
        raise UsageError("A status callback needs CallSid and a known CallStatus.", code="bad_status")
    return CallReport(
        call_sid=call_sid,
        status=status,
        sequence_number=_whole(first(form, "SequenceNumber")),
        answered_by=answered_by,
        duration_seconds=_whole(first(form, "CallDuration")),
        error_code=_whole(first(form, "ErrorCode")),
        at=_moment(first(form, "Timestamp")),
    )


def redacted(form: Form) -> dict[str, str]:
    """What of a form may be kept: no number, no key, no place."""
    return {name: first(form, name) for name in _KEPT if name in form}


def call_status(name: str) -> CallStatus:
    """A status as the carrier spells it. UsageError when there is no such status."""
    try:
        return _STATUSES[name]
    except KeyError:
        raise UsageError(f"The carrier reported the unknown call status {name!r}.", code="bad_status") from None


def _bases(base_url: str) -> tuple[str, ...]:
    """The base URL in the form that Twilio signs, then in the form that it sometimes signs."""
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    bare = re.sub(r":\d+\Z", "", host)
    with_port = host if parts.port else f"{bare}:{443 if parts.scheme == 'https' else 80}"
    order = (bare, with_port) if parts.scheme == "https" or not parts.port else (with_port, bare)
    return tuple(f"{parts.scheme}://{netloc}{parts.path}" for netloc in order)


def _joined(form: Form) -> str:
    # Twilio's libraries sign equal values of one name once, and sort the rest.
    parts: list[str] = []
    for name in sorted(form):
        values = form[name]
        if len(values) == 1:
            parts += (name, values[0])
        elif values:
            parts += (name, name.join(sorted(set(values))))
    return "".join(parts)


def _signed(key: bytes, text: str, algorithm: str) -> bytes:
    # SHA-1 is what the carrier's protocol prescribes; as an HMAC it still holds.
    return base64.b64encode(hmac.digest(key, text.encode(), _HASHES[algorithm]))


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
