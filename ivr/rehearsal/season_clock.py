"""The clock of a season that runs in one process: calls and planner take turns, and no time passes while one works.

Decides the order of things: whoever waits for the earliest moment goes on first, and of the same moment whoever
began to wait first. There is no event loop and no thread, so the same season takes the same course in every run,
and a leap costs microseconds. The carrier's coroutines see the same face as that of `timekeeper.py`.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.waiting import Bell


@dataclass(eq=False, slots=True)
class _Pause:
    """What a waiting coroutine hands up: until when, and which bell may end it."""

    until: float
    bell: Bell | None

    def __await__(self) -> Generator[_Pause, None, None]:
        yield self


@dataclass(eq=False, slots=True)
class _Turn:
    """Somebody's place in the queue; `work` is None once it was called up or gave its place up."""

    work: Coroutine[Any, Any, Any] | None


class SeasonClock(Timekeeper):
    """Runs coroutines in virtual time. start: aware. speed: virtual seconds per real second; None: as fast as it goes.

    What is spawned must wait by this clock only. An exception in it ends `run`: in a rehearsal nothing may break.
    """

    def __init__(self, start: datetime, *, speed: float | None = None) -> None:
        super().__init__(start=start, leaping=True)
        self._queue: list[tuple[float, int, _Turn]] = []
        self._numbers = itertools.count()
        self._pace = speed
        self._is_at_once = False

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Let `work` begin: at this moment, but after whoever is at work now (or before, within `at_once`)."""
        if self._is_at_once:
            self._is_at_once = False
            self._step(work)
        else:
            self._enqueue(self._now, _Turn(work))

    def at_once(self, begin: Callable[[], None]) -> None:
        """Call `begin`; what it spawns first goes on until it waits before anything else happens."""
        self._is_at_once = True
        try:
            begin()
        finally:
            self._is_at_once = False

    async def sleep_until(self, until: float, bell: Bell | None = None) -> bool:
        """Wait for a moment (epoch seconds); at once when it has passed. True when the bell ended the wait."""
        if bell is not None and bell.has_rung:
            return True
        if until <= self._now:
            return False
        try:
            await _Pause(until, bell)
        finally:
            if bell is not None:
                bell.wake = None
        return bell is not None and bell.has_rung

    def run(self, until: float = float("inf")) -> None:
        """Go on until nobody waits any more, or until that moment (epoch seconds) has come."""
        while self._queue and self._queue[0][0] <= until:
            moment, _, turn = heapq.heappop(self._queue)
            if turn.work is None:
                continue
            if moment > self._now:
                if self._pace is not None:
                    time.sleep((moment - self._now) / self._pace)
                self._now = moment
                self.leaps += 1
            work, turn.work = turn.work, None
            self._step(work)

    def stop(self) -> None:
        """Whoever still waits never goes on."""
        for _, _, turn in self._queue:
            if turn.work is not None:
                with suppress(RuntimeError):
                    turn.work.close()
        self._queue.clear()

    def _enqueue(self, moment: float, turn: _Turn) -> None:
        heapq.heappush(self._queue, (moment, next(self._numbers), turn))

    def _step(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            pause = work.send(None)
        except StopIteration:
            return
        assert isinstance(pause, _Pause), "in a season everybody waits by the season's clock"
        turn = _Turn(work)
        self._enqueue(pause.until, turn)
        if pause.bell is not None:
            pause.bell.wake = lambda: self._wake(turn)

    def _wake(self, turn: _Turn) -> None:
        """A bell rang: this one goes on at this moment, and not a second time when its wait would have been over."""
        if turn.work is not None:
            work, turn.work = turn.work, None
            self._enqueue(self._now, _Turn(work))
