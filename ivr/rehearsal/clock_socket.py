"""The timekeeper's socket: one connection for each thread of the house that waits or promises.

The words of the protocol stand in `ivr/clock.py`. A connection is at work from its first answer to a sleep until
its next sleep, and holds nothing any more once it is gone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ivr.logs import get_logger

if TYPE_CHECKING:
    from ivr.rehearsal.timekeeper import Timekeeper

log = get_logger("timekeeper")


class ClockClient(asyncio.Protocol):
    """One connection of a LeapingClock: a thread of a worker, the planner, the demo."""

    numbers = itertools.count(1)

    def __init__(self, keeper: Timekeeper) -> None:
        self.keeper = keeper
        self.is_at_work = False
        self.number = next(ClockClient.numbers)
        self._buffer = b""
        self._forget: Callable[[], None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.keeper.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.keeper.clients.discard(self)
        self.is_at_work = False
        if self._forget is not None:
            self._forget()
        self.keeper.consider()

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            try:
                self._serve(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("clock_client_misunderstood", error=repr(error))
                self.leave()
                return

    def _serve(self, question: dict[str, Any]) -> None:
        match question["op"]:
            case "sleep":
                self._sleep(float(question["until"]))
            case "promise":
                self.keeper.promise(str(question["token"]), float(question.get("grace", 3.0)))
                self._answer()
            case "keep":
                self.keeper.keep(str(question["token"]))
                self._answer()
            case other:
                raise ValueError(f"unknown op {other!r}")

    def _sleep(self, until: float) -> None:
        if self._forget is not None:
            raise ValueError("a connection sleeps once at a time")
        self.is_at_work = False
        if until <= self.keeper.now():
            self._woken()
        else:
            self._forget = self.keeper.wake_at(until, self._woken)

    def _woken(self) -> None:
        self._forget = None
        self.is_at_work = True
        self._answer()

    def _answer(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(json.dumps({"now": self.keeper.now()}).encode() + b"\n")
