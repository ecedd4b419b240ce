"""Whose turn it is in time: the one clock that the house, the carrier and the people share.

Leaping: the moment moves to the earliest wait, and only when nobody is at work. At work are: tasks of this
process inside `busy()` (or spawned by `spawn`) that are not sleeping; clients of the socket between two of
their sleeps; promises that are neither kept nor past their grace. So a request that is being answered holds
time still, and a time-out of 8 seconds is 8 seconds however slow the machine is.
Real: the moment follows the wall clock (times `speed`), sleeps are real, holding means nothing. The same API.

What it leaves to others: the protocol's client is `ivr/clock.py`, where the socket's words are written down;
what is worth waiting for is known by the carrier, the planner and the people.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import mmap
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ivr.clock import MOMENT
from ivr.logs import get_logger
from ivr.rehearsal.clock_socket import ClockClient
from ivr.rehearsal.waiting import Bell, Hold, Wait

STALL_SECONDS = 10.0
"""Real seconds that time may stand still, with somebody waiting, before the log says who holds it."""

LONGEST_GRACE_SECONDS = 600.0
"""No promise may hold the clock for longer, whatever its maker asked for."""

log = get_logger("timekeeper")


class Timekeeper:
    """The clock of one rehearsal. Make it, `await open()`, use it inside one event loop, `await close()`.

    start: the first moment (aware; default now). leaping: see the module. speed: real mode only, virtual seconds
    per real second. address: where to serve `ivr.clock.LeapingClock`; None serves nobody.
    """

    def __init__(
        self,
        *,
        start: datetime | None = None,
        leaping: bool = True,
        speed: float = 1.0,
        address: Path | None = None,
    ) -> None:
        self.is_leaping = leaping
        self.leaps = 0
        self._speed = speed
        self._address = address
        self._now = (start or datetime.now(UTC)).timestamp()
        self._origin = (self._now, time.monotonic())
        self._waits: list[tuple[float, int, Wait]] = []
        self._order = itertools.count()
        self._holds: set[Hold] = set()
        self._holds_of: dict[asyncio.Task[Any] | None, list[Hold]] = {}
        self.clients: set[ClockClient] = set()
        self._promises: dict[str, asyncio.TimerHandle] = {}
        self._is_considering = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._file: mmap.mmap | None = None
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Start serving: the moment's file and the socket (if there is an address), and the watch on stalls."""
        self._loop = asyncio.get_running_loop()
        if self._address is not None:
            self._address.parent.mkdir(parents=True, exist_ok=True)
            moment = Path(f"{self._address}.now")
            moment.write_bytes(MOMENT.pack(self.now()))
            with moment.open("r+b") as file:
                self._file = mmap.mmap(file.fileno(), MOMENT.size)
            self._address.unlink(missing_ok=True)
            self._server = await self._loop.create_unix_server(lambda: ClockClient(self), str(self._address))
        self._watch = asyncio.create_task(self._keep_watch())

    async def close(self) -> None:
        """Stop: tasks are cancelled, clients are let go, the socket is removed."""
        if self._watch is not None:
            self._watch.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *([self._watch] if self._watch else []), return_exceptions=True)
        for handle in self._promises.values():
            handle.cancel()
        self._promises.clear()
        if self._server is not None:
            self._server.close()
            for client in list(self.clients):
                client.leave()
            self._server = None
        if self._address is not None:
            self._address.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    # -- what the carrier and the people use ------------------------------------------------------------------

    def now(self) -> float:
        """The moment, epoch seconds."""
        if self.is_leaping:
            return self._now
        virtual, real = self._origin
        return virtual + (time.monotonic() - real) * self._speed

    def moment(self) -> datetime:
        """The moment, aware UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    @contextlib.contextmanager
    def busy(self, what: str = "work") -> Iterator[None]:
        """Hold time still, except while this task sleeps by this keeper. `what` is named when time stalls."""
        task = asyncio.current_task()
        hold = Hold(what)
        self._holds.add(hold)
        mine = self._holds_of.setdefault(task, [])
        mine.append(hold)
        try:
            yield
        finally:
            self._holds.discard(hold)
            mine.remove(hold)
            if not mine:
                self._holds_of.pop(task, None)
            self.consider()

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run `work` as a task that is busy from this very moment until it ends, except while it sleeps."""
        entry = Hold(f"{what} (starting)")
        self._holds.add(entry)

        async def run() -> Any:
            with self.busy(what):
                self._holds.discard(entry)
                return await work

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            self._holds.discard(entry)
            work.close()
            self.consider()
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("task_failed", what=what, error=repr(error), exc_info=error)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(ended)
        return task

    async def sleep(self, seconds: float, bell: Bell | None = None) -> bool:
        """Wait so many seconds of this clock. True when the bell ended the wait."""
        return await self.sleep_until(self.now() + seconds, bell)

    async def sleep_until(self, until: float, bell: Bell | None = None) -> bool:
        """Wait for a moment (epoch seconds); at once when it has passed. True when the bell ended the wait."""
        if bell is not None and bell.has_rung:
            return True
        if until <= self.now():
            return False
        loop = asyncio.get_running_loop()
        come: asyncio.Future[None] = loop.create_future()
        waking = Hold("waking")

        def wake() -> None:
            # The sleeper is at work from now on, also before the loop has come to resume it.
            if not come.done():
                self._holds.add(waking)
                come.set_result(None)

        forget = self.wake_at(until, wake)
        if bell is not None:
            bell.wake = wake
        mine = self._holds_of.get(asyncio.current_task(), [])
        self._holds.difference_update(mine)
        self.consider()
        try:
            await come
        finally:
            forget()
            if bell is not None:
                bell.wake = None
            self._holds.update(mine)
            self._holds.discard(waking)
            if not mine:
                self.consider()
        return bell is not None and bell.has_rung

    # -- what the socket uses ---------------------------------------------------------------------------------

    def promise(self, token: str, grace: float) -> None:
        """Hold the clock until `token` is kept, or for `grace` real seconds."""
        if (old := self._promises.pop(token, None)) is not None:
            old.cancel()
        grace = min(max(grace, 0.0), LONGEST_GRACE_SECONDS)
        self._promises[token] = asyncio.get_running_loop().call_later(grace, self._broken, token)

    def keep(self, token: str) -> None:
        """The promised work is done, by whomever; an unknown token is no error."""
        if (timer := self._promises.pop(token, None)) is not None:
            timer.cancel()
            self.consider()

    def _broken(self, token: str) -> None:
        self._promises.pop(token, None)
        log.warning("promise_not_kept", promise=token)
        self.consider()

    def wake_at(self, until: float, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when that moment has come; returns what forgets it. `wake` must mark somebody as at work."""
        if self.is_leaping:
            wait = Wait(until, wake)
            heapq.heappush(self._waits, (until, next(self._order), wait))
            self.consider()
            return wait.forget
        timer = asyncio.get_running_loop().call_later(max(0.0, until - self.now()) / self._speed, wake)
        return timer.cancel

    # -- leaping ----------------------------------------------------------------------------------------------

    def consider(self) -> None:
        """Leap at the next turn of the loop, if nobody is at work by then."""
        if self.is_leaping and not self._is_considering and not self._holds and self._loop is not None:
            self._is_considering = True
            self._loop.call_soon(self._leap)

    def holders(self) -> list[str]:
        """Who is at work, in words."""
        return (
            [f"{hold.what} for {time.monotonic() - hold.since:.0f} s" for hold in self._holds]
            + [f"client {client.number} between two sleeps" for client in self.clients if client.is_at_work]
            + [f"promise {token}" for token in self._promises]
        )

    def _leap(self) -> None:
        self._is_considering = False
        if self._holds or self._promises or any(client.is_at_work for client in self.clients):
            return
        while self._waits and self._waits[0][2].wake is None:
            heapq.heappop(self._waits)
        if not self._waits:
            return
        self._move(max(self._now, self._waits[0][0]))
        self._wake_due()

    def _wake_due(self) -> None:
        while self._waits and self._waits[0][0] <= self._now:
            heapq.heappop(self._waits)[2].end()

    def _move(self, moment: float) -> None:
        self._now = moment
        self.leaps += 1
        if self._file is not None:
            self._file[: MOMENT.size] = MOMENT.pack(moment)

    def jump(self, seconds: float) -> None:
        """Leaping only: move the moment by so many seconds, whoever is at work; who waited for less is woken."""
        self._move(self._now + seconds)
        self._wake_due()

    async def _keep_watch(self) -> None:
        seen, since = -1, time.monotonic()
        while True:
            await asyncio.sleep(0.05 if not self.is_leaping and self._file is not None else 1.0)
            if not self.is_leaping:
                if self._file is not None:
                    self._file[: MOMENT.size] = MOMENT.pack(self.now())
                continue
            self.consider()
            if self.leaps != seen or not self._waits:
                seen, since = self.leaps, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                log.warning("time_stands_still", seconds=round(time.monotonic() - since), held_by=self.holders())
                seen = -1
