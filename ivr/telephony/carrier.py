"""What the house asks of a carrier; Twilio and every Twilio-compatible service answer it.

The protocol keeps the three endings of a dial apart, because they decide whether somebody may be called
again: it was refused (certainly no call), it was never sent (certainly no call, the line is down), nobody
knows (perhaps a call: look it up, never repeat).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr.survey.disposition import CallReport


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to place. Numbers are E.164; URLs carry the attempt's id and nothing of the person."""

    attempt_id: str
    to: str
    from_: str
    voice_url: str
    fallback_url: str
    status_url: str
    machine_url: str | None
    ring_seconds: int
    limit_seconds: int


class Carrier(Protocol):
    """Places and looks up calls. Every request has a time-out."""

    def place(self, request: CallRequest) -> CallReport:
        """Ask for the call.

        CarrierError (4xx) and CarrierBusyError (429): certainly no call. CarrierUnreachableError: no connection
        was made, certainly no call. CarrierUnknownError (time-out, 5xx): perhaps a call was made.
        """
        ...

    def fetch(self, call_sid: str) -> CallReport | None:
        """How the call stands; None when the carrier does not know it."""
        ...

    def find(self, to: str, since: datetime) -> list[CallReport]:
        """Calls to this number that began at or after `since`, newest first."""
        ...

    def end(self, call_sid: str) -> None:
        """Hang up a call that is still up; no error when it has ended already."""
        ...
