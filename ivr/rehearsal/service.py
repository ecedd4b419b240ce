"""Puts a local carrier together: clock, calls, people, log, REST side. Used by `ivr carrier` and by the tests."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aiohttp import web

from ivr.errors import ConfigurationError
from ivr.rehearsal.calls import CallBook
from ivr.rehearsal.carrier_api import ACCOUNT, TOKEN, CarrierApi
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.faults import Faults, Rates
from ivr.rehearsal.listeners import Population
from ivr.rehearsal.softphone import Softphone
from ivr.rehearsal.sounds import SoundShelf
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.transport import HttpWeb, JsonLines, Web, Webhooks, is_loopback


@dataclass(frozen=True, slots=True)
class Plan:
    """How a local carrier is to run. port 0: any free one. concurrency None: as many calls as come."""

    host: str = "127.0.0.1"
    port: int = 8010
    is_leaping: bool = False
    speed: float = 1.0
    start: datetime | None = None
    clock_socket: Path | None = None
    seed: int = 0
    log: Path | None = None
    calls_per_second: float = 1.0
    concurrency: int | None = None
    account_sid: str = ACCOUNT
    token: str = TOKEN
    rates: Rates = field(default_factory=Rates)
    house_url: str = ""
    """Where the house is. With `softphone_key` (that of its passes) the carrier has a softphone, in real time only."""
    softphone_key: bytes | None = None


class LocalCarrier:
    """A running local carrier: `await open()` inside an event loop, then `url`; `await close()`."""

    def __init__(self, plan: Plan, population: Population, web_side: Web | None = None) -> None:
        if not is_loopback(f"http://{plan.host}/"):
            raise ConfigurationError(f"The local carrier listens on this machine only, not on {plan.host}.")
        self._plan = plan
        self._population = population
        self._web = web_side
        self._runner: web.AppRunner | None = None
        self._log = JsonLines(plan.log)
        self.keeper = Timekeeper(start=plan.start, leaping=plan.is_leaping, speed=plan.speed, address=plan.clock_socket)
        self.url = ""

    async def open(self) -> None:
        """Start the clock, then listen. Whatever was opened is closed again when that cannot be (OSError)."""
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        plan = self._plan
        self._web = self._web or HttpWeb()
        faults = Faults(plan.rates, plan.seed)
        # In leaping time the same seed names the same calls; in real time a restarted carrier meets a house that
        # remembers the calls of the one before.
        book = CallBook(plan.seed if plan.is_leaping else secrets.token_hex(8))
        softphone: Softphone | None = None
        people = self._population
        if plan.softphone_key is not None and not plan.is_leaping:
            softphone = Softphone(plan.house_url, plan.softphone_key, self._web, self.keeper, plan.account_sid)
            people = softphone.beside(people)
        self.webhooks = Webhooks(self.keeper, self._web, plan.token, self._log)
        self.exchange = Exchange(
            self.keeper,
            self.webhooks,
            SoundShelf(self._web),
            people,
            book,
            faults,
            calls_per_second=plan.calls_per_second,
        )
        api = CarrierApi(
            self.keeper,
            self.exchange,
            faults,
            account_sid=plan.account_sid,
            token=plan.token,
            concurrency=plan.concurrency,
        )
        await self.keeper.open()
        application = api.application()
        if softphone is not None:
            softphone.open(application, self.exchange)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, plan.host, plan.port)
        await site.start()
        host = f"[{plan.host}]" if ":" in plan.host else plan.host
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop: live calls are dropped, connections and files closed."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.keeper.close()
        if self._web is not None:
            await self._web.close()
        self._log.close()
