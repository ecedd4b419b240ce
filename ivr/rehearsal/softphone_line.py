"""One softphone: a line of the local carrier with somebody real beside it.

To the carrier it is a handset and a listener, to its window (a browser page) a stream of messages: what is heard,
what was brought to the house, how the attempt stands. Decides which wish means what at which moment of a call.
Knows no HTTP: the window and the house are given as functions (`softphone.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from ivr.rehearsal.calls import Call
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.listeners import Act, Delivery, Reception, Sound

KEYS = frozenset("0123456789*#")
_LOOK_AGAIN = (0.3, 1.0, 3.0)
"""Seconds after the end of a call: by then the house has heard of it."""

Standing = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""How the house says a call (by its sid) stands; None when it cannot be asked or knows nothing of it."""


class Line:
    """A telephone on a number of its own. `outbox`: messages for its window, in order."""

    def __init__(self, standing: Standing) -> None:
        self.outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.number = ""
        self.decision: Literal["answers", "declines"] | None = None
        self._standing = standing
        self._call: Call | None = None
        self._exchange: Exchange | None = None
        self._look = asyncio.Event()

    @property
    def is_free(self) -> bool:
        """No call rings or runs here."""
        return self._call is None

    def tell(self, type: str, **what: Any) -> None:
        """Put a message for the window into the outbox."""
        self.outbox.put_nowait({"type": type, **what})

    # -- what the carrier does --------------------------------------------------------------------------------

    def rings(self, exchange: Exchange, call: Call) -> Reception:
        """The house calls this number."""
        self._take(exchange, call)
        self.tell("ringing", caller=call.from_, seconds=call.ring_seconds)
        return Reception("human", listener=self, handset=self)

    def dials(self, exchange: Exchange, call: Call) -> None:
        """This number calls the house."""
        self._take(exchange, call)
        self.tell("dialling", called=call.to)
        exchange.ring_in(call, self)

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        heard = [{"text": sound.text, "url": sound.url, "seconds": sound.seconds} for sound in sounds]
        self.tell("hear", sounds=heard, keys=keys_count)
        self._look.set()
        return ()

    def submitted(self, digits: str, delivery: Delivery) -> None:
        self.tell("brought", keys=digits, delivery=delivery)
        self._look.set()

    def ended(self, how: str, at: float) -> None:
        call, self._call = self._call, None
        self.tell("over", how=how, answered=call is not None and call.answered_at is not None)
        self._look.set()

    # -- what somebody does -----------------------------------------------------------------------------------

    def decide(self, decision: Literal["answers", "declines"]) -> None:
        """Pick up or turn down while it rings; at any other moment it means nothing."""
        if self._call is not None and self._call.status in {"queued", "ringing"} and self.decision is None:
            self.decision = decision
            self._call.bell.ring()
            if decision == "answers":
                self.tell("answered")

    def press(self, key: str) -> None:
        """A key of the telephone. Outside a call it means nothing."""
        if key in KEYS and self._call is not None and self._call.status == "in-progress":
            self._call.keys.append(key)
            self._call.bell.ring()

    def hang_up(self) -> None:
        """End the call, whatever it is at."""
        if self._call is None or self._exchange is None:
            return
        if self._call.status in {"queued", "ringing"} and self._call.direction != "inbound":
            self.decide("declines")
        else:
            self._exchange.change(self._call, "hang up")

    # -- how it stands ----------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Tell the window, after each thing that happens, how the attempt stands. Runs until it is cancelled."""
        sid = ""
        while True:
            await self._look.wait()
            self._look.clear()
            if self._call is not None:
                sid = self._call.sid
            await self._report(sid)
            for seconds in _LOOK_AGAIN if self._call is None else ():
                await asyncio.sleep(seconds)
                if self._look.is_set():
                    break
                await self._report(sid)

    async def _report(self, sid: str) -> None:
        stands = await self._standing(sid) if sid else None
        if stands is not None:
            self.tell("standing", **stands)

    def _take(self, exchange: Exchange, call: Call) -> None:
        self._exchange, self._call, self.decision = exchange, call, None
