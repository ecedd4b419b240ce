"""A season of synthetic providers: their lists, who is client of two, who refuses, what else happens.

The season knows who may be called: that is the yardstick, and it comes from the dice that made the lists, never from
what the house read in them. A provider's list depends on the seed, the provider's number and the number of the district
that it lies in, so it is the same however the work is divided.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from ivr.rehearsal.season_happenings import Doings, Happening, make_happenings
from ivr.rehearsal.season_lists import BAD_NUMBERS, Listed, Provider, make_provider

DISTRICT = 50
"""So many providers share a store, a line and a moment. The division never depends on the number of processes."""

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
STARTS = (
    date(2026, 4, 20),  # Koningsdag, Dodenherdenking, Bevrijdingsdag, Hemelvaart
    date(2026, 10, 12),  # the night of 25 October has an hour more
    date(2026, 3, 16),  # the end of Ramadan, the night of 29 March has an hour less, Easter
    date(2026, 11, 23),  # Sinterklaas and Christmas
    date(2025, 4, 14),  # Easter, Koningsdag on a Saturday, 5 May in a lustrum year
    date(2026, 9, 14),  # nothing in particular
)
"""Mondays on which a season may begin; the seed chooses, so that seeds meet different calendars."""

PERIOD_DAYS = 365


@dataclass(frozen=True, slots=True)
class Refusal:
    """A number whose owner asked the help desk, so many days into the season, never to be called again."""

    number: str
    after_days: float


@dataclass(slots=True)
class District:
    """Providers that are worked together."""

    number: int
    start: datetime
    period: tuple[date, date]
    providers: list[Provider]
    refusals: list[Refusal]
    happenings: list[Happening] = field(default_factory=list[Happening])
    doings: Doings = field(default_factory=Doings)

    def listed(self) -> dict[str, list[Listed]]:
        """Number → everybody who has it."""
        found: defaultdict[str, list[Listed]] = defaultdict(list)
        for provider in self.providers:
            for number, client in provider.listed:
                found[number].append(client)
        return dict(found)


def start_of(seed: int, chosen: date | None = None) -> datetime:
    """Nine in the morning of the season's first day, aware."""
    day = chosen or STARTS[seed % len(STARTS)]
    return datetime(day.year, day.month, day.day, 9, tzinfo=AMSTERDAM)


def districts_of(providers: int) -> list[range]:
    """The numbers of the providers of each district."""
    return [range(first, min(first + DISTRICT, providers)) for first in range(0, providers, DISTRICT)]


def make_district(seed: int, number: int, providers: Sequence[int], start: datetime) -> District:
    """The district of these providers (numbers). The same arguments make the same lists."""
    monday = start.date()
    made = [make_provider(_dice(seed, f"provider/{each}"), each, monday) for each in providers]
    dice = _dice(seed, f"district/{number}")
    _add_double_clients(dice, made)
    everybody = sorted({number for provider in made for number, _ in provider.listed})
    refusals = [Refusal(each, dice.choice((-1.0, dice.uniform(0, 10)))) for each in everybody if dice.random() < 0.01]
    period = (monday - timedelta(days=PERIOD_DAYS), monday - timedelta(days=1))
    happenings = make_happenings(_dice(seed, f"happenings/{number}"), made)
    return District(number, start, period, made, refusals, happenings)


def _dice(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed}/{what}")  # noqa: S311  (play, not secrets)


def _add_double_clients(dice: random.Random, providers: list[Provider]) -> None:
    """Some people are client of two providers: on two lists, by the same number."""
    for one, other in pairwise(providers):
        alone = [number for number, count in _counts(one).items() if count == 1]
        rows = [row for row in other.rows if row.get("telefoon2", "") == "" and row["telefoon"] not in BAD_NUMBERS]
        if not alone or not rows or dice.random() < 0.5:
            continue
        row, number = dice.choice(rows), dice.choice(alone)
        known = [entry for entry in other.listed if entry[1].respondent == row["clientnummer"]]
        is_single = sum(entry[0] == known[0][0] for entry in other.listed) == 1 if len(known) == 1 else False
        twice = sum(each["voornaam"].lower() == row["voornaam"].lower() and each["achternaam"].lower()
                    == row["achternaam"].lower() for each in other.rows) > 1  # fmt: skip
        if not is_single or twice:
            continue
        other.listed[other.listed.index(known[0])] = (number, known[0][1])
        row["telefoon"] = number


def _counts(provider: Provider) -> dict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for number, _ in provider.listed:
        counts[number] += 1
    return counts
