"""One world of `make chaos`: many small fieldworks in one house of real processes, on the leaping clock.

The local carrier and its people live in this process, out of harm's way: they are the yardstick. Everything else is
started as in production and may die at any moment. Afterwards the season's count (`ivr rehearse`'s) judges.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import time
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ivr.bootstrap import House
from ivr.clock import LeapingClock
from ivr.fieldwork import intake, monitoring, ordering
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.season import District, Refusal, make_district, start_of
from ivr.rehearsal.season_count import Figures, Kept, Leavings, Rules, count
from ivr.rehearsal.season_hours import is_holiday, is_in_window
from ivr.rehearsal.season_lists import Provider, Purchase
from ivr.rehearsal.season_people import SeasonPeople
from ivr.rehearsal.service import Plan
from ivr.settings import ROOT
from ivr.store import leavings, letters, optouts, samples, schema
from ivr.survey.billing import parse_price
from scripts.chaos_carrier import CarrierThread
from scripts.household import environment, free_port, start_house, start_redis
from scripts.processes import Processes, python
from scripts.ready import intake_rules, subsidy_rules
from scripts.rehearse_house import AloneSettings
from scripts.rehearse_voice import SilentVoice

LEASE_SECONDS, TICK_SECONDS = 20.0, 5.0
HELD, LONGEST_OUTAGE = "chaos", 15.0
FINISHED = frozenset({"filled", "exhausted", "closed"})


def small_district(seed: int, providers: int, people: int) -> District:
    """Lists as a season's, cut short; nearly every provider buys a few interviews, so that cells fill early."""
    district = make_district(seed, 0, range(providers), start_of(seed))
    dice = random.Random(f"chaos/{seed}")  # noqa: S311  (play, not secrets)
    for provider in district.providers:
        _cut(provider, people)
        # Who teaches buys nothing here: the count tells the two cells of a provider apart by their questionnaires.
        if any(row["dienst"] == "11" for row in provider.rows):
            teaching = {row["clientnummer"] for row in provider.rows if row["leerprofiel"] in {"1", "2"}}
            provider.purchase = None
            provider.listed = [
                (number, replace(one, is_for_phone=one.respondent in teaching)) for number, one in provider.listed
            ]
        elif provider.purchase is None and dice.random() < 0.9:
            provider.purchase = Purchase(dice.randint(2, 5), "10")
            provider.listed = [(number, replace(one, is_for_phone=True)) for number, one in provider.listed]
    # Refusals are known from the start: later ones come over the telephone.
    refusals = [Refusal(each.number, -1.0) for each in district.refusals]
    return replace(district, refusals=refusals)


def _cut(provider: Provider, people: int) -> None:
    rows = provider.rows[:people]
    kept = {row["clientnummer"] for row in rows}
    provider.rows[:] = rows
    provider.listed[:] = [(number, one) for number, one in provider.listed if one.respondent in kept]


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes a world's house has, and how many calls it may begin a second and have at once."""

    web_servers: int = 1
    web_processes: int = 2
    workers: int = 2
    calls_per_second: float = 2.0
    calls_in_flight: int = 20


class World:
    """A house in `folder`, with its people; `open` starts it, `judge` counts, `close` ends it."""

    def __init__(
        self, folder: Path, seed: int, database_url: str, *, providers: int, people: int, size: Size | None = None
    ) -> None:
        size = size or Size()
        self.folder, self.seed, self._size = folder, seed, size
        self.district = small_district(seed, providers, people)
        port, carrier_port = free_port(), free_port()
        socket = folder / "clock.sock"
        key = base64.b64encode(hashlib.sha256(f"chaos/{seed}".encode()).digest()).decode()
        self.settings = AloneSettings(  # pyright: ignore[reportCallIssue]
            env="demo",
            var_dir=folder,
            database_url=database_url,
            encryption_key=key,  # pyright: ignore[reportArgumentType]
            secret_key="chaos",  # pyright: ignore[reportArgumentType]  # noqa: S106 - signs nothing
            public_base_url=f"http://127.0.0.1:{port}",
            web_port=port,
            web_processes=size.web_processes,
            carrier_url=f"http://127.0.0.1:{carrier_port}",
            clock=f"leaping:{socket}",
            calls_per_second=size.calls_per_second,
            calls_in_flight=size.calls_in_flight,
            lease_seconds=LEASE_SECONDS,
            tick_seconds=TICK_SECONDS,
            workers=size.workers,
        )  # pyright: ignore[reportCallIssue]
        self.house = House(self.settings)
        schema.upgrade(self.house.database)
        self.people = SeasonPeople(ROOT / "config", seed=seed, rates=Rates())
        plan = Plan(
            port=carrier_port,
            is_leaping=True,
            start=self.district.start.astimezone(UTC),
            clock_socket=socket,
            seed=seed,
            log=folder / "carrier.jsonl",
            calls_per_second=5 * size.calls_per_second,
        )
        self.carrier = CarrierThread(plan, self.people)
        self._clock = LeapingClock(socket)
        self._set_back = 0.0
        children = environment(
            self.settings,
            IVR_ENV="demo",
            IVR_ENCRYPTION_KEY=key,
            IVR_SECRET_KEY="chaos",  # noqa: S106 - signs nothing
            IVR_PUBLIC_BASE_URL=self.settings.public_base_url,
            IVR_WEB_PORT=str(port),
            IVR_WEB_PROCESSES=str(size.web_processes),
            IVR_CARRIER="local",
            IVR_CARRIER_URL=self.settings.carrier_url,
            IVR_CLOCK=self.settings.clock,
            IVR_CALLS_PER_SECOND=str(size.calls_per_second),
            IVR_CALLS_IN_FLIGHT=str(size.calls_in_flight),
            IVR_LEASE_SECONDS=str(LEASE_SECONDS),
            IVR_TICK_SECONDS=str(TICK_SECONDS),
            IVR_LOG_LEVEL="WARNING",
        )
        self.processes = Processes(children, folder / "log", longest_pause=1.0)

    @property
    def now(self) -> datetime:
        return self.carrier.local.keeper.moment()

    @property
    def webhooks(self) -> int:
        return self.carrier.local.webhooks.sent

    def open(self) -> None:
        """Lists, orders, prompts and letters; then the processes."""
        for number, provider in enumerate(self.district.providers):
            path = provider.write(self.folder, number)
            intake.import_clients(
                self.house.database,
                self.house.sealer,
                path,
                provider.name,
                self.district.period,
                self.house.catalogue.services,
                intake_rules(self.house),
                self.now,
            )
            if provider.purchase is not None:
                ordering.place_order(
                    self.house.database,
                    provider.name,
                    self.district.period,
                    provider.purchase.interviews,
                    parse_price(provider.purchase.price) or Decimal(0),
                    None,
                    intake_rules(self.house),
                    subsidy_rules(self.house),
                    self.now,
                )
        SilentVoice(self.house).voice(self.now)
        with self.house.database.write() as session:
            for refusal in self.district.refusals:
                optouts.add(session, samples.phone_hash(self.house.sealer, refusal.number), "staff", self.now)
        with self.house.database.read() as session:
            boxes: dict[str, list[tuple[str, str, str]]] = {}
            for letter in letters.letters(session, self.house.sealer):
                for phone in letter.contact.phones:
                    boxes.setdefault(phone, []).append((letter.code, letter.provider, letter.respondent))
        self.people.receive(boxes)
        start_redis(self.processes, self.settings)
        start_house(self.processes, self.settings, self.settings.web_port)
        for number in range(1, self._size.web_servers):
            # On the same port: the kernel deals the connections out, as a balancer does between hosts.
            self.processes.start(f"web-{number + 1}", python("-m", "scripts.serve"))

    def hold(self) -> None:
        """Let time stand still: an outage of some seconds must not last for days of the leaping clock."""
        self._clock.promise(HELD, LONGEST_OUTAGE)

    def release_when_web_is_back(self) -> None:
        """Let time go on as soon as the web server answers again, or after the longest outage."""
        until = time.monotonic() + LONGEST_OUTAGE
        url = f"{self.settings.public_base_url}/healthz"
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as reply:  # noqa: S310 (ours)
                if reply.status == 200:
                    break
            time.sleep(0.05)
        self._clock.keep(HELD)

    def jump(self, seconds: float) -> bool:
        """Move the clock by so many seconds, unless that leads out of the calling hours: nobody could know of that."""
        there = self.now + timedelta(seconds=seconds)
        if is_holiday(there) or not (is_in_window(self.now) and is_in_window(there)):
            return False
        self.carrier.jump(seconds)
        self._set_back += max(0.0, -seconds)
        return True

    def is_over(self) -> bool:
        """Nobody can be called any more, and nothing is open."""
        status = self._status()
        with self.house.database.read() as session:
            open_ = leavings.stuck_attempts(session) + leavings.held_slots(session)
        return not open_ and all(cell["state"] in FINISHED for cell in status["cells"])

    def progress(self) -> str:
        status = self._status()
        done = sum(cell["successful"] for cell in status["cells"])
        running = sum(cell["state"] not in FINISHED for cell in status["cells"])
        return f"{self.now:%a %d-%m %H:%M}, {len(self.people.calls)} calls, {done} interviews, {running} cells open"

    def judge(self) -> Figures:
        """The season's figures, by what the carrier and the people recorded. Stop the processes first."""
        with self.house.database.read() as session:
            kept = [
                Kept(each.provider, each.respondent, each.attempts, each.answers)
                for each in leavings.kept_interviews(session)
            ]
            left = Leavings(
                kept, self._status()["cells"], leavings.stuck_attempts(session), leavings.held_slots(session)
            )
        in_doubt = sum(len(record["uncertain"]) for record in self.people.calls)
        self._settle_doubt(kept)
        self._remember_whom_about()
        local = self.carrier.local
        calls = list(reversed(list(local.exchange.book.newest_first())))
        figures = count(
            self.district,
            Rules(ROOT / "config"),
            calls,
            self.people,
            left,
            local.exchange.double_calls,
            set_back=self._set_back,
        )
        figures.counts["webhooks"] = local.webhooks.sent
        figures.counts["answers"] = sum(len(record["answers"]) for record in self.people.calls)
        figures.counts["apologies"] = sum(record["apologised"] for record in self.people.calls)
        figures.counts["in_doubt"] = in_doubt
        return figures

    def _settle_doubt(self, kept: list[Kept]) -> None:
        """A key whose confirmation died with its server may have been kept or not: what was kept is what was said."""
        answers = {attempt: dict(interview.answers) for interview in kept for attempt in interview.attempts}
        for record in self.people.calls:
            for question, value in record["uncertain"].items():
                if answers.get(record["attempt_id"], {}).get(question) == value:
                    record["answers"].setdefault(question, value)

    def _remember_whom_about(self) -> None:
        """A call that goes on with a broken-off interview does not name the provider again; the person remembers."""
        heard: dict[str, str] = {}
        for record in sorted(self.people.calls, key=lambda record: (record["started"], record["call_sid"])):
            if record["provider"]:
                heard[record["number"]] = record["provider"]
            elif record["answers"] and record["number"] in heard:
                record["provider"] = heard[record["number"]]

    def _status(self) -> dict:
        return monitoring.status(self.house.database, self.house.catalogue, self.house.calendar, self.now)

    def stop(self) -> None:
        self.processes.stop_all()

    def close(self) -> None:
        self.carrier.close()
        self.house.database.dispose()
