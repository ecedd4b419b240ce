"""The carrier's REST side without HTTP: what `carrier_api.py` does for a request, for a house in the same process.

Decides, by the same faults, how the request for a call ends: refused, broken, lost, or taken, perhaps with the
first webhook before the answer. Calls live in `exchange.py`, as with the local carrier.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivr.errors import CarrierBusyError, CarrierUnknownError
from ivr.rehearsal.calls import EVENTS, Call, Target
from ivr.rehearsal.carrier_api import ACCOUNT
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.faults import Faults
from ivr.rehearsal.season_clock import SeasonClock


class SeasonLine:
    """Takes calls and lets them be looked up."""

    def __init__(self, clock: SeasonClock, exchange: Exchange, faults: Faults) -> None:
        self._clock = clock
        self._exchange = exchange
        self._faults = faults
        self._asked = 0

    def place(
        self,
        *,
        to: str,
        from_: str,
        voice_url: str,
        fallback_url: str,
        status_url: str,
        machine_url: str | None,
        ring_seconds: int,
        limit_seconds: int,
    ) -> Call:
        """The call, queued. CarrierBusyError: no call was made. CarrierUnknownError: perhaps one was."""
        self._asked += 1
        occasion = str(self._asked)
        if self._faults.strikes("rest_429", occasion):
            raise CarrierBusyError("Too many requests.", status=429, carrier_code=20429)
        is_broken = self._faults.strikes("rest_500", occasion)
        if is_broken and self._faults.dice("rest_500 when", occasion).random() < 0.5:
            raise CarrierUnknownError("The carrier answered HTTP 500, and made no call.")
        now = self._clock.now()
        call = Call(
            sid=self._exchange.book.new_sid(),
            account_sid=ACCOUNT,
            to=to,
            from_=from_,
            target=Target(url=voice_url, fallback_url=fallback_url),
            created_at=now,
            updated_at=now,
            status_callback=status_url,
            status_events=frozenset(EVENTS),
            ring_seconds=ring_seconds,
            limit_seconds=limit_seconds,
            machine_detection=machine_url is not None,
            machine_async=machine_url is not None,
            machine_callback=machine_url,
        )
        if self._faults.strikes("early_webhook", occasion):
            call.has_no_ring = True
            self._clock.at_once(lambda: self._exchange.place(call))
        else:
            self._exchange.place(call)
        if is_broken:
            raise CarrierUnknownError("The carrier answered HTTP 500, after it had made the call.")
        if self._faults.strikes("rest_lost", occasion):
            raise CarrierUnknownError("The connection broke before the answer.")
        return call

    def fetch(self, sid: str) -> Call | None:
        """The call of this sid; None when there is none."""
        return self._exchange.book.get(sid)

    def find(self, to: str) -> Iterator[Call]:
        """The calls to this number, newest first."""
        return self._exchange.book.newest_first(to)

    def end(self, sid: str) -> None:
        """Hang up this call, if it is up."""
        call = self._exchange.book.get(sid)
        if call is not None and not call.is_over:
            self._exchange.change(call, "hang up")
