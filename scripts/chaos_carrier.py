"""The local carrier of a chaos world, with its people and its clock: in a thread of the world's own process.

Out of harm's way: nothing that is struck runs here, because this is the yardstick.
"""

from __future__ import annotations

import asyncio
import threading

from ivr.rehearsal.season_people import SeasonPeople
from ivr.rehearsal.service import LocalCarrier, Plan


class CarrierThread:
    """The local carrier with its leaping clock and these people, in a thread of its own until `close`."""

    def __init__(self, plan: Plan, people: SeasonPeople) -> None:
        self.local = LocalCarrier(plan, people)
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)
        self._thread.start()
        if not self._ready.wait(20):
            raise TimeoutError("the local carrier did not start")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        await self.local.open()
        self._ready.set()
        await self._stop.wait()
        await self.local.close()

    def jump(self, seconds: float) -> None:
        """Move everybody's clock, in the middle of whatever goes on."""
        self._loop.call_soon_threadsafe(self.local.keeper.jump, seconds)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
