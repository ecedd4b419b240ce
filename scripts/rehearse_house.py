"""A whole house in one process for `ivr rehearse`: real store, stages and web door, on the season's clock and line.

Decides what plays the part of processes: a tick is what the elected clock does, a job is a coroutine of the season's
clock, a webhook is a call of the WSGI application. Everything lies in a folder that is thrown away; no setting of the
environment reaches it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ivr.bootstrap import House
from ivr.errors import InvariantError
from ivr.fieldwork import dialling, intake, monitoring, ordering, planning, reconciling, working
from ivr.rehearsal.calls import Call
from ivr.rehearsal.season import District, Provider
from ivr.rehearsal.season_clock import SeasonClock
from ivr.rehearsal.season_count import Kept, Leavings
from ivr.rehearsal.season_line import SeasonLine
from ivr.rehearsal.season_people import Box
from ivr.rehearsal.wsgi_web import WsgiApp
from ivr.settings import Settings
from ivr.store import attempts, cells, leavings, letters, optouts, samples, schema
from ivr.survey.billing import parse_price
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest
from ivr.telephony.webhooks import call_status, urls_for
from scripts.ready import intake_rules, subsidy_rules
from scripts.rehearse_voice import SilentVoice

APP = "ivr.web.app:create_app"
"""The web door, by the name under which a server loads it: doors do not import each other."""

CALLS_PER_SECOND = 1.0
CALLS_IN_FLIGHT = 60
HORIZON_SECONDS = 10.0
"""Calls are admitted so far ahead, each for its own second."""
LEASE_SECONDS = 60.0
SWEEP_SECONDS = MEND_SECONDS = 1800.0
TICK_SECONDS = 10.0
"""How often to look while somebody waits for a slot that is taken."""
LONGEST_DAYS = 80
"""A season that is not over by then never will be; what is left is counted as unfinished."""


class AloneSettings(Settings):
    """Settings that look at no environment: a rehearsal meets nobody's database, key or account."""

    @classmethod
    def settings_customise_sources(cls, settings_cls: Any, init_settings: Any, **_: Any) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return (init_settings,)


class HouseClock:
    """The season's clock as the house knows clocks. Nobody in one process may wait for another inside a call."""

    def __init__(self, clock: SeasonClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def sleep_until(self, moment: datetime) -> None:
        if moment > self.now():
            raise InvariantError("A stage wanted to wait; in a rehearsal its job begins when it is due.")

    def promise(self, token: str, grace_seconds: float = 3.0) -> None: ...

    def keep(self, token: str) -> None: ...


class LineCarrier:
    """The season's line as the house knows carriers."""

    def __init__(self, line: SeasonLine) -> None:
        self._line = line

    def place(self, request: CallRequest) -> CallReport:
        call = self._line.place(
            to=request.to,
            from_=request.from_,
            voice_url=request.voice_url,
            fallback_url=request.fallback_url,
            status_url=request.status_url,
            machine_url=request.machine_url,
            ring_seconds=request.ring_seconds,
            limit_seconds=request.limit_seconds,
        )
        # The answer is written before the call begins, whatever has happened by the time it arrives.
        return CallReport(call.sid, "queued")

    def fetch(self, call_sid: str) -> CallReport | None:
        call = self._line.fetch(call_sid)
        return None if call is None else _report(call)

    def find(self, to: str, since: datetime) -> list[CallReport]:
        # Twilio's moments are whole seconds.
        first = int(since.timestamp())
        return [_report(call) for call in self._line.find(to) if call.created_at >= first]

    def end(self, call_sid: str) -> None:
        self._line.end(call_sid)


def _report(call: Call) -> CallReport:
    moment = call.ended_at or call.started_at or call.created_at
    return CallReport(
        call_sid=call.sid,
        status=call_status(call.status),
        answered_by=call.answered_by,
        duration_seconds=call.duration,
        at=datetime.fromtimestamp(int(moment), UTC),
    )


@dataclass(frozen=True)
class RehearsalHouse(House):
    """A house whose clock is handed in. Give it its line with `connect` once the web door is open."""

    season_clock: SeasonClock

    @cached_property
    def clock(self) -> HouseClock:  # pyright: ignore[reportIncompatibleVariableOverride]
        return HouseClock(self.season_clock)


def open_rehearsal(folder: Path, seed: str, clock: SeasonClock) -> RehearsalHouse:
    """An empty house in `folder`. The same seed hashes and seals with the same key, so that codes are the same."""
    key = base64.b64encode(hashlib.sha256(f"rehearsal/{seed}".encode()).digest()).decode()
    values: dict[str, Any] = {
        "var_dir": folder,
        "database_url": f"sqlite:///{folder / 'rehearsal.db'}",
        "encryption_key": key,
        "machine_detection": True,
        "calls_per_second": CALLS_PER_SECOND,
        "calls_in_flight": CALLS_IN_FLIGHT,
        "lease_seconds": LEASE_SECONDS,
    }
    settings = AloneSettings(**values)
    house = RehearsalHouse(settings, clock)
    schema.upgrade(house.database)
    return house


def web_door(house: House) -> WsgiApp:
    """The WSGI application of this house, loaded as a server does."""
    module, _, factory = APP.partition(":")
    return getattr(importlib.import_module(module), factory)(house).wsgi_app


class Fieldwork:
    """The stages of one house, run on the season's clock."""

    def __init__(self, house: RehearsalHouse, line: SeasonLine, district: District) -> None:
        self.house = house
        self.clock = house.season_clock
        self.district = district
        settings = house.settings
        self.carrier = LineCarrier(line)
        self.limits = planning.Limits(
            account=settings.twilio_account_sid,
            calls_per_second=settings.calls_per_second,
            calls_in_flight=settings.calls_in_flight,
            horizon_seconds=HORIZON_SECONDS,
            tick_seconds=TICK_SECONDS,
            lease_seconds=settings.lease_seconds,
        )
        self.trunk = dialling.Trunk(
            account=settings.twilio_account_sid,
            from_=settings.twilio_from,
            urls=partial(urls_for, settings.public_base_url),
            ring_seconds=settings.ring_seconds,
            limit_seconds=settings.call_limit_seconds,
            machine_detection=settings.machine_detection,
        )
        self._mended_at = self._swept_at = datetime.fromtimestamp(0, UTC)
        self._lease_ends: datetime | None = None
        self._last = district.start + timedelta(days=LONGEST_DAYS)

    # -- before the first call --------------------------------------------------------------------------------

    def take_in(self, folder: Path, on_progress: Callable[[str], None]) -> None:
        """The lists and orders of the district, its prompts, and the refusals that are known already."""
        for number, provider in enumerate(self.district.providers):
            if provider.comes_first:
                self._order(provider)
            path = provider.write(folder, number)
            intake.import_clients(
                self.house.database,
                self.house.sealer,
                path,
                provider.name,
                self.district.period,
                self.house.catalogue.services,
                intake_rules(self.house),
                self.house.clock.now(),
            )
            path.unlink()
            if not provider.comes_first:
                self._order(provider)
            if number % 10 == 9:
                on_progress(f"{number + 1} lists taken in")
        SilentVoice(self.house).voice(self.house.clock.now())
        for refusal in self.district.refusals:
            if refusal.after_days <= 0:
                self._refuse(refusal.number)
            else:
                self.clock.spawn(self._refuse_later(refusal.number, refusal.after_days), "refusal")

    def letters(self) -> dict[str, Box]:
        """What people have in their letter box."""
        boxes: dict[str, list[tuple[str, str, str]]] = {}
        with self.house.database.read() as session:
            for letter in letters.letters(session, self.house.sealer):
                for number in letter.contact.phones:
                    boxes.setdefault(number, []).append((letter.code, letter.provider, letter.respondent))
        return {number: tuple(box) for number, box in boxes.items()}

    def _order(self, provider: Provider) -> None:
        if provider.purchase is None:
            return
        ordering.place_order(
            self.house.database,
            provider.name,
            self.district.period,
            provider.purchase.interviews,
            parse_price(provider.purchase.price) or Decimal(0),
            None,
            intake_rules(self.house),
            subsidy_rules(self.house),
            self.house.clock.now(),
        )

    def _refuse(self, number: str) -> None:
        with self.house.database.write() as session:
            optouts.add(session, samples.phone_hash(self.house.sealer, number), "staff", self.house.clock.now())

    async def _refuse_later(self, number: str, days: float) -> None:
        await self.clock.sleep(days * 86400)
        self._refuse(number)

    # -- the calls --------------------------------------------------------------------------------------------

    def run(self, on_progress: Callable[[str], None]) -> None:
        """Everything from the first tick until nobody is left to call and no callback is on its way."""
        while True:
            self.clock.spawn(self._be_the_clock(on_progress), "planner")
            self.clock.run()
            if self.house.clock.now() > self._last or not self._has_work():
                return

    async def _be_the_clock(self, on_progress: Callable[[str], None]) -> None:
        day = None
        while self.house.clock.now() <= self._last:
            due = self._tick()
            if due - self.house.clock.now() >= planning.IDLE and not self._has_work():
                # What the network still holds back comes in, and one more look finds what it left.
                await self.clock.sleep(LEASE_SECONDS * 10)
                self._tick()
                if not self._has_work():
                    return
                continue
            if due.date() != day:
                day = due.date()
                on_progress(f"{day}")
            await self.clock.sleep_until(due.timestamp())

    def _tick(self) -> datetime:
        house, now = self.house, self.house.clock.now()
        if (now - self._swept_at).total_seconds() >= SWEEP_SECONDS:
            self._swept_at = now
            planning.sweep(house.database, house.catalogue, now)
        self._put(planning.plan(house.database, house.catalogue, house.calendar, now, self.limits))
        mends_leaks = (now - self._mended_at).total_seconds() >= MEND_SECONDS
        if mends_leaks:
            self._mended_at = now
        if mends_leaks or (self._lease_ends is not None and self._lease_ends <= now):
            self._reconcile(now, mends_leaks=mends_leaks)
        ahead = planning.look_ahead(house.database, house.catalogue, house.calendar, now, self.limits)
        self._lease_ends = ahead.lease_ends
        return ahead.due

    def _reconcile(self, now: datetime, *, mends_leaks: bool) -> None:
        house = self.house
        found = reconciling.reconcile(
            house.database,
            house.catalogue,
            house.calendar,
            self.carrier,
            house.sealer,
            now,
            lease_seconds=LEASE_SECONDS,
            longest_call_seconds=house.settings.call_limit_seconds,
            mends_leaks=mends_leaks,
        )
        self._put(found.requeue)

    def _put(self, attempt_ids: Sequence[str]) -> None:
        if not attempt_ids:
            return
        with self.house.database.read() as session:
            beginnings = attempts.beginnings(session, attempt_ids)
        for attempt_id in attempt_ids:
            self.clock.spawn(self._dial(attempt_id, beginnings[attempt_id]), "dial")

    async def _dial(self, attempt_id: str, not_before: datetime) -> None:
        house = self.house
        await self.clock.sleep_until(not_before.timestamp())
        dialling.dial(
            house.database,
            house.catalogue,
            house.calendar,
            self.carrier,
            house.sealer,
            house.clock,
            self.trunk,
            attempt_id,
        )

    def _has_work(self) -> bool:
        now = self.house.clock.now()
        bounds = working.bounds_at(self.house.catalogue.fieldwork, now, consent_only=False)
        with self.house.database.read() as session:
            return attempts.in_flight(session) > 0 or cells.ahead(session, bounds) != (None, None)

    # -- afterwards -------------------------------------------------------------------------------------------

    def leavings(self) -> tuple[Leavings, int]:
        """The end state, and how many people belonged to a cell."""
        house = self.house
        status = monitoring.status(house.database, house.catalogue, house.calendar, house.clock.now())
        with house.database.read() as session:
            interviews = [
                Kept(each.provider, each.respondent, each.attempts, each.answers)
                for each in leavings.kept_interviews(session)
            ]
            left = Leavings(interviews, status["cells"], leavings.stuck_attempts(session), leavings.held_slots(session))
            return left, leavings.phone_cases(session)
