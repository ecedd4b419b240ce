"""What the REST side accepts: each documented parameter of `/Calls`, its range, and the error for anything else.

Error numbers are those of Twilio's error dictionary where it has one for the parameter, else 20001.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ivr.rehearsal.calls import EVENTS
from ivr.rehearsal.transport import is_loopback
from ivr.rehearsal.twiml import DocumentError, parse

Fields = Mapping[str, Sequence[str]]
"""A form or a query: each name with all its values."""

E164 = re.compile(r"\+[1-9]\d{6,14}\Z")
SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}\Z")
STATUSES = ("queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled")
BAD_PARAMETER = 20001

_URLS = {
    "Url": 21205,
    "FallbackUrl": 21205,
    "StatusCallback": 21609,
    "AsyncAmdStatusCallback": 21205,
    "RecordingStatusCallback": 21205,
    "ClientNotificationUrl": 21205,
}
_METHODS = (
    "Method",
    "FallbackMethod",
    "StatusCallbackMethod",
    "AsyncAmdStatusCallbackMethod",
    "RecordingStatusCallbackMethod",
)
_NUMBERS = {
    "Timeout": (1, 600),
    "TimeLimit": (1, 14400),
    "MachineDetectionTimeout": (3, 59),
    "MachineDetectionSpeechThreshold": (1000, 6000),
    "MachineDetectionSpeechEndThreshold": (500, 5000),
    "MachineDetectionSilenceTimeout": (2000, 10000),
}
_BOOLEANS = ("Record", "AsyncAmd")
_CHOICES = {
    "MachineDetection": ("Enable", "DetectMessageEnd"),
    "Trim": ("trim-silence", "do-not-trim"),
    "RecordingChannels": ("mono", "dual"),
    "RecordingTrack": ("inbound", "outbound", "both"),
}
_SIDS = {"Byoc": "BY", "ApplicationSid": "AP", "ParentCallSid": "CA"}
MOMENTS = ("StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>")


class RestError(Exception):
    """An answer other than success: HTTP status, Twilio's number and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def first(fields: Fields, name: str) -> str | None:
    """The value of a parameter; None when it is absent or blank."""
    values = fields.get(name)
    return values[0] if values and values[0] != "" else None


def check_fields(fields: Fields) -> None:
    """RestError 400 for the first documented parameter that cannot be meant. Unknown names are ignored."""
    for name, code in _URLS.items():
        if (url := first(fields, name)) is not None:
            _check_url(name, url, code)
    for name in _METHODS:
        if (method := first(fields, name)) is not None and method not in {"GET", "POST"}:
            raise RestError(400, 21209, f"{name} must be GET or POST.")
    for name, (least, most) in _NUMBERS.items():
        if (text := first(fields, name)) is not None:
            number(name, text, least, most)
    for name in _BOOLEANS:
        if (text := first(fields, name)) is not None and text not in {"true", "false"}:
            raise RestError(400, BAD_PARAMETER, f"{name} must be true or false.")
    for name, choices in _CHOICES.items():
        if (text := first(fields, name)) is not None and text not in choices:
            raise RestError(400, BAD_PARAMETER, f"{name} must be one of {', '.join(choices)}.")
    for name, prefix in _SIDS.items():
        if (text := first(fields, name)) is not None and not (SID.match(text) and text.startswith(prefix)):
            raise RestError(400, BAD_PARAMETER, f"{name} must be a {prefix} sid.")
    for event in fields.get("StatusCallbackEvent", ()):
        if unknown := set(event.split()) - set(EVENTS):
            raise RestError(400, 21626, f"StatusCallbackEvent does not know {', '.join(sorted(unknown))}.")
    if (twiml := first(fields, "Twiml")) is not None:
        try:
            parse(twiml.encode())
        except DocumentError as error:
            raise RestError(400, 12100, f"Twiml is no usable document ({error}).") from error


def check_numbers(fields: Fields) -> tuple[str, str]:
    """(To, From) of a call. RestError 400 when one is missing or is no E.164 number."""
    to, from_ = first(fields, "To"), first(fields, "From")
    if to is None:
        raise RestError(400, 21201, "No 'To' number is specified.")
    if not E164.match(to):
        raise RestError(400, 21211, "The 'To' number is not a valid phone number.")
    if from_ is None:
        raise RestError(400, 21213, "No 'From' number is specified.")
    if not E164.match(from_):
        raise RestError(400, 21212, "The 'From' number is not a valid phone number.")
    return to, from_


def number(name: str, text: str, least: int, most: int) -> int:
    """`text` as a whole number in its range. RestError 400."""
    if not re.fullmatch(r"-?[0-9]{1,12}", text) or not least <= int(text) <= most:
        raise RestError(400, BAD_PARAMETER, f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def moments(fields: Fields) -> dict[str, tuple[float, float]]:
    """The time filters of a list: name → (first, last) epoch second that the given text covers."""
    found: dict[str, tuple[float, float]] = {}
    for name in MOMENTS:
        text = first(fields, name)
        if text is None:
            continue
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                day = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
                found[name] = (day, day + 86399.999)
            else:
                moment = datetime.fromisoformat(text)
                second = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
                found[name] = (second, second + 0.999)
        except (ValueError, OverflowError) as error:
            raise RestError(400, BAD_PARAMETER, f"{name} must be a date or an ISO 8601 moment.") from error
    return found


def _check_url(name: str, url: str, code: int) -> None:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not url.isascii() or re.search(r"[\s<>\"{}|\\^`]", url):
        raise RestError(400, code, f"{name} is not a valid URL.")
    if not is_loopback(url):
        raise RestError(400, code, f"{name}: the local carrier requests addresses of this machine only.")
