"""`ivr rehearse`: a whole fieldwork in virtual time, judged by what the carrier did and the people pressed.

Each district of the season is a world of its own: a throw-away store, a clock, a hostile line, its people. Districts
run one after the other in as many processes as there are; how many does not change the outcome.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from ivr.errors import UsageError
from ivr.logs import configure_logs
from ivr.rehearsal.calls import CallBook
from ivr.rehearsal.carrier_api import TOKEN
from ivr.rehearsal.exchange import Exchange
from ivr.rehearsal.faults import Faults, Rates
from ivr.rehearsal.season import districts_of, make_district, start_of
from ivr.rehearsal.season_clock import SeasonClock
from ivr.rehearsal.season_count import WRONG, Figures, Rules, count, merge
from ivr.rehearsal.season_line import SeasonLine
from ivr.rehearsal.season_people import SeasonPeople
from ivr.rehearsal.sounds import SoundShelf
from ivr.rehearsal.transport import JsonLines, Webhooks
from ivr.rehearsal.wsgi_web import WsgiWeb
from ivr.settings import ROOT
from scripts.output import command, emit, json_option, note, say
from scripts.rehearse_fieldwork import Fieldwork
from scripts.rehearse_happenings import Happenings
from scripts.rehearse_house import open_rehearsal, web_door

LINE_CALLS_PER_SECOND = 10.0
"""The line starts calls faster than the house may ask for them: what waits, waits in the house."""
SHOWN_FAULTS = 20
_MEGABYTE = 1024


@dataclass(frozen=True, slots=True)
class Job:
    """One district, as it is sent to a process."""

    seed: int
    number: int
    providers: range
    start: datetime
    rates: Rates
    speed: float | None
    is_talkative: bool = False


@click.command("rehearse")
@click.option("--providers", default=25, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--seed", default=1, show_default=True, help="Seed of lists, people and faults.")
@click.option("--faults", default="0", show_default=True, metavar="P", help="Chance of each fault: 0.1, or drop=0.2,….")
@click.option("--speed", default="max", show_default=True, help="max, or virtual seconds per real second.")
@click.option("--processes", type=click.IntRange(1, 64), help="Over how many processes; default: one for each core.")
@click.option("--start", "first_day", metavar="DATE", help="First day; default: the seed chooses one.")
@json_option
@command
def rehearse(
    providers: int,
    seed: int,
    faults: str,
    speed: str,
    processes: int | None,
    first_day: str | None,
    as_json: bool,
) -> None:
    """A whole fieldwork in virtual time, on real parts, against a hostile carrier. Exit 0: nothing went wrong."""
    # The line's faults make the house warn all the time; what matters is counted.
    configure_logs(json_lines=False, level="ERROR")
    began = time.monotonic()
    start = start_of(seed, _day(first_day))
    rates, pace = Rates.parse(faults), _pace(speed)
    jobs = [
        Job(seed, number, numbers, start, rates, pace, is_talkative=True)
        for number, numbers in enumerate(districts_of(providers))
    ]
    parts, peak = _run(jobs, min(processes or os.cpu_count() or 1, len(jobs)))
    document = merge(parts)
    document |= {
        "providers": providers,
        "seed": seed,
        "faults": faults,
        "start": start.date().isoformat(),
        "synthetisch": True,
        "wall_seconds": round(time.monotonic() - began, 2),
        "peak_memory_mb": round(peak, 1),
    }
    wrong = [line for part in parts for line in part.wrong]
    for line in wrong[:SHOWN_FAULTS]:
        note(f"WRONG {line}")
    if len(wrong) > SHOWN_FAULTS:
        note(f"… and {len(wrong) - SHOWN_FAULTS} more")
    if as_json:
        emit(document)
    else:
        _show(document)
    if any(document[figure] for figure in WRONG):
        raise SystemExit(1)


def run_district(job: Job) -> Figures:
    """One district from its lists to its figures, in a folder that is gone afterwards."""
    tell: Callable[[str], None] = (
        (lambda what: note(f"district {job.number + 1}: {what}")) if job.is_talkative else lambda _: None
    )
    occasion = f"{job.seed}/{job.number}"
    with tempfile.TemporaryDirectory(prefix="toets-rehearsal-") as name, _loaded_dice(occasion):
        folder = Path(name)
        district = make_district(job.seed, job.number, job.providers, job.start)
        clock = SeasonClock(job.start, speed=job.speed)
        house = open_rehearsal(folder, occasion, clock)
        try:
            return _worked(job, district, house, clock, folder, tell)
        finally:
            clock.stop()
            house.database.dispose()


def _worked(job: Job, district: Any, house: Any, clock: SeasonClock, folder: Path, tell: Callable[[str], None]):
    line_seed = random.Random(f"line/{job.seed}/{job.number}").getrandbits(32)  # noqa: S311  (play, not secrets)
    faults = Faults(job.rates, line_seed)
    web = WsgiWeb(web_door(house))
    webhooks = Webhooks(clock, web, TOKEN, JsonLines(None))
    exchange_parts = (clock, webhooks, SoundShelf(web))
    people = SeasonPeople(ROOT / "config", seed=job.seed, rates=job.rates)
    exchange = Exchange(*exchange_parts, people, CallBook(line_seed), faults, calls_per_second=LINE_CALLS_PER_SECOND)
    fieldwork = Fieldwork(house, SeasonLine(clock, exchange, faults), district)
    fieldwork.take_in(folder, tell)
    people.receive(fieldwork.letters())
    Happenings(house, district, exchange, people, folder).begin(fieldwork.wake)
    fieldwork.run(tell)
    left, people_by_phone = fieldwork.leavings()
    calls = list(reversed(list(exchange.book.newest_first())))
    figures = count(district, Rules(ROOT / "config"), calls, people, left, exchange.double_calls)
    figures.counts["webhooks"] = webhooks.sent
    figures.counts["clients"] = sum(len(provider.rows) for provider in district.providers)
    figures.counts["people_by_phone"] = people_by_phone
    figures.counts.update({f"fault {name}": times for name, times in faults.done.items()})
    tell(f"done: {len(calls)} calls, {figures.counts['successful']} interviews")
    return figures


@contextmanager
def _loaded_dice(seed: str) -> Iterator[None]:
    """The house's own jitter (`random`) is part of the course of a rehearsal: it too follows the seed."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _run(jobs: list[Job], processes: int) -> tuple[list[Figures], float]:
    """The figures of all districts in their order, and the peak memory of all processes in MB."""
    if processes == 1:
        return [run_district(job) for job in jobs], _peak()
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_quiet) as pool:
        # Big ones cannot be told beforehand; one at a time keeps all processes at work until the end.
        parts = list(pool.imap(run_district, jobs, chunksize=1))
        peaks = pool.map(_peak_of_process, range(processes * 8), chunksize=1)
    return parts, _peak() + sum(dict(peaks).values())


def _quiet() -> None:
    configure_logs(json_lines=False, level="ERROR")


def _peak_of_process(_: int) -> tuple[int, float]:
    time.sleep(0.01)
    return os.getpid(), _peak()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE


def _pace(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        pace = float(speed)
    except ValueError:
        pace = 0.0
    if pace <= 0:
        raise UsageError(f"--speed is max, or how many seconds pass in one, not {speed!r}.")
    return pace


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"A day looks like 2026-04-20, not {text!r}.") from error


def _show(document: dict[str, Any]) -> None:
    say(
        f"{document['providers']} providers, {document['clients']} clients, {document['people_by_phone']} by phone, "
        f"from {document['start']}: {document['days_needed']} days, {document['wall_seconds']} s"
    )
    for name in ("calls", "webhooks", "successful", "attempts_per_success", "peak_memory_mb"):
        say(f"  {name:<22}{document[name]:>10}")
    for name in WRONG:
        say(f"  {name:<22}{document[name]:>10}{'   WRONG' if document[name] else ''}")
