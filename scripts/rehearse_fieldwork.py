"""The stages of one house, run on the season's clock for `ivr rehearse`: a tick is what the elected clock does.

Decides the order of a tick and when a season is over. The house itself is `rehearse_house.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from ivr.fieldwork import dialling, intake, monitoring, ordering, planning, reconciling, working
from ivr.rehearsal.season import District
from ivr.rehearsal.season_count import Kept, Leavings
from ivr.rehearsal.season_line import SeasonLine
from ivr.rehearsal.season_lists import Provider
from ivr.rehearsal.season_people import Box
from ivr.store import attempts, cells, leavings, letters, optouts, samples
from ivr.survey.billing import parse_price
from ivr.telephony.webhooks import urls_for
from scripts.ready import intake_rules, subsidy_rules
from scripts.rehearse_house import LEASE_SECONDS, LineCarrier, RehearsalHouse
from scripts.rehearse_voice import SilentVoice

HORIZON_SECONDS = 10.0
"""Calls are admitted so far ahead, each for its own second."""
SWEEP_SECONDS = MEND_SECONDS = 1800.0
TICK_SECONDS = 10.0
"""How often to look while somebody waits for a slot that is taken."""
LONGEST_DAYS = 120
"""A season that is not over by then never will be; what is left is counted as unfinished. (By then every announcement
has expired: a list of hundreds, worked out forty at a time on a line on which half goes wrong, needs that.)"""


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
        self._is_ticking = False
        self._on_progress: Callable[[str], None] = lambda _: None
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
        self._on_progress = on_progress
        while True:
            self.wake()
            self.clock.run()
            if self.house.clock.now() > self._last or not self._has_work():
                return

    def wake(self) -> None:
        """Something happened that may have made work: go on with the ticks if they had come to an end."""
        if not self._is_ticking:
            self._is_ticking = True
            self.clock.spawn(self._be_the_clock(), "planner")

    async def _be_the_clock(self) -> None:
        try:
            await self._tick_on()
        finally:
            self._is_ticking = False

    async def _tick_on(self) -> None:
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
                self._on_progress(f"{day}")
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
            left = Leavings(
                interviews,
                status["cells"],
                leavings.stuck_attempts(session),
                leavings.held_slots(session),
                leavings.inbound_calls(session),
            )
            return left, leavings.phone_cases(session)
