"""The calls a carrier knows: their state, and how Twilio's webhooks and REST interface show them.

Decides nothing about time; `exchange.py` moves a call from state to state, `carrier_api.py` lets others look.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from ivr.rehearsal.waiting import Bell

API_VERSION = "2010-04-01"
Status = Literal["queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"]
FINAL: frozenset[str] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
EVENTS = ("initiated", "ringing", "answered", "completed")
SUBRESOURCES = (
    "events",
    "notifications",
    "payments",
    "recordings",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


def rfc2822(moment: float) -> str:
    """`Mon, 05 Oct 2026 09:00:00 +0000`, as the REST interface and status callbacks write moments."""
    return format_datetime(datetime.fromtimestamp(moment, UTC))


@dataclass(slots=True)
class Target:
    """Where a call's TwiML comes from, and what to do when it doesn't."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    fallback_url: str | None = None
    fallback_method: str = "POST"


@dataclass(eq=False, slots=True)
class Call:
    """One call. Moments are epoch seconds of the rehearsal's clock."""

    sid: str
    account_sid: str
    to: str
    from_: str
    target: Target
    created_at: float
    status_callback: str | None = None
    status_method: str = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    ring_seconds: int = 60
    limit_seconds: int = 14400
    machine_detection: bool = False
    machine_async: bool = False
    machine_callback: str | None = None
    machine_method: str = "POST"
    direction: Literal["outbound-api", "inbound"] = "outbound-api"
    status: Status = "queued"
    updated_at: float = 0.0
    started_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    answered_by: str | None = None
    sequence: int = 0
    documents: int = 0
    """How many documents were asked for, with or without success."""
    bell: Bell = field(default_factory=Bell)
    wish: Literal["cancel", "hang up", "redirect"] | None = None
    """What the REST side asked of a live call; the exchange carries it out at the next bell."""
    keys: deque[str] = field(default_factory=deque)
    """Keys from outside the rehearsal (a softphone): put here, then ring the bell."""
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)
    has_no_ring: bool = False
    """A fault: everything up to the first webhook happens before the REST side answers."""

    @property
    def is_over(self) -> bool:
        return self.status in FINAL

    @property
    def duration(self) -> int | None:
        """Whole seconds from the answer to the end; 0 for a call that was never answered; None while it lives."""
        if self.ended_at is None:
            return None
        return round(self.ended_at - self.answered_at) if self.answered_at is not None else 0

    def parameters(self) -> dict[str, str | list[str]]:
        """What every voice webhook of this call carries; blank ones too, as Twilio sends them."""
        params: dict[str, str | list[str]] = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.to,
            "CalledCity": "",
            "CalledCountry": "NL",
            "Caller": self.from_,
            "CallerCountry": "NL",
            "Direction": self.direction,
            "From": self.from_,
            "FromCity": "",
            "To": self.to,
            "ToCity": "",
        }
        if self.answered_by and not self.machine_async:
            params["AnsweredBy"] = self.answered_by
        return params

    def as_json(self) -> dict[str, Any]:
        """The Call resource."""
        root = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        duration = self.duration
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "parent_call_sid": None,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.from_,
            "from_formatted": self.from_,
            "phone_number_sid": None,
            "status": self.status,
            "start_time": None if self.started_at is None else rfc2822(self.started_at),
            "end_time": None if self.ended_at is None else rfc2822(self.ended_at),
            "duration": None if duration is None else str(duration),
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0" if self.started_at is None else str(round((self.started_at - self.created_at) * 1000)),
            "trunk_sid": None,
            "uri": f"{root}.json",
            "subresource_uris": {name: f"{root}/{name.title().replace('_', '')}.json" for name in SUBRESOURCES},
        }


class CallBook:
    """All calls of this carrier, newest last; looked up by sid and by number."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._calls: dict[str, Call] = {}
        self._by_number: dict[str, list[Call]] = {}
        self._live: set[str] = set()

    def new_sid(self) -> str:
        """The same seed names the same calls."""
        return "CA" + hashlib.md5(f"{self._seed}/{len(self._calls)}".encode(), usedforsecurity=False).hexdigest()

    def add(self, call: Call) -> None:
        self._calls[call.sid] = call
        self._by_number.setdefault(call.to, []).append(call)
        self._live.add(call.sid)

    def get(self, sid: str) -> Call | None:
        return self._calls.get(sid)

    def over(self, call: Call) -> None:
        """The call is over: it no longer counts among the live ones."""
        self._live.discard(call.sid)

    @property
    def live(self) -> int:
        """Calls that are queued, ringing or up."""
        return len(self._live)

    @property
    def total(self) -> int:
        return len(self._calls)

    def newest_first(self, number: str | None = None) -> Iterator[Call]:
        calls = list(self._calls.values()) if number is None else self._by_number.get(number, [])
        return reversed(calls)
