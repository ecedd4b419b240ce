"""A season of synthetic providers and their client lists, as they would be delivered.

Domain, section 8: clients per provider lognormal (median 40, sigma 1.2, 1-800), 35 % of the providers with service
11, leerprofiel 1-5 in 15/25/30/20/10 %, files with 3 % duplicates, 4 % missing data and 6 % bad numbers; families on
one telephone; some providers bought telephone interviews; some people have said yes or no beforehand, some were never
told, or too long ago; a few are client of two providers. Everything is `synthetisch`.

The season knows who may be called: that is the yardstick, and it comes from the dice that made the lists, never from
what the house read in them. A provider's list depends on the seed, the provider's number and the number of the district
that it lies in, so it is the same however the work is divided.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import exp, log
from pathlib import Path
from zoneinfo import ZoneInfo

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
COLUMNS: tuple[str, ...] = (
    "clientnummer", "voornaam", "achternaam", "telefoon", "telefoon2", "email", "straat", "huisnummer", "postcode",
    "plaats", "dienst", "leerprofiel", "vragenlijst", "einddatum_traject", "toestemming", "aangekondigd_op",
)  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Taalhuis Werkpad Leerhof Kansrijk Meedoen Wegwijzer Startblok Doorgroei Talent Vooruit Baanwerk Samenwerk "
    "Taalbrug Werkplein Kompas Opstap Leerlijn Perspectief Kruispunt Springplank Taalstad Werkwijs Loopbaan Aanzet "
    "Thuisbasis Bouwsteen Taalrijk Horizon Leerplein Werkkracht"
)
_SECOND = _words(
    "Noord Zuid Oost West Veenrand Duinzicht Maasoever Heideveld Polder Waterland Berkenhof Lindelaan Kastanje "
    "Zonnewijzer Molenwiek Rivierkwartier Havenstad Bosrand Akkerdal Weidevogel Rozentuin Eikenlaan Wilgenhoek "
    "Populier Esdoorn Valkenberg Zwaluwnest Reigerhof Kievit Merelveld Lepelaar Ooievaar Vossenpad Hertenkamp "
    "Bevertocht Ottersluis Egelbos Libelle Vlinderdal Krekelhof"
)
_GIVEN = _words("Amina Tigist Omar Layla Pjotr Mehmet Yusra Ahmed Fatuma Olena Samir Rahel Jan Marieke Sofia Idris")
_FAMILY = _words("Hassan Melnyk Yıldız Tesfay Jansen Bakker Nguyen García Mensah Kowalska Haddad Visser Amin Osman")
_TOWNS = (("Utrecht", "3511"), ("Zwolle", "8011"), ("Tilburg", "5038"), ("Almere", "1315"), ("Leiden", "2311"))
_SPELLINGS = ("06-{tail}", "06{tail}", "+316{tail}", "0031 6 {tail}", "6{tail}", "+31 (0)6 {tail}", "06 {tail}")
_BAD_NUMBERS = ("06123", "0900-1234", "112", "geen", "06-0000000000000", "0800 4321")
_OTHER_SERVICES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13)
_PROFILES = (15, 25, 30, 20, 10)


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody with a number on a list that the house must be able to read: announced when, and what they said."""

    provider: str
    respondent: str
    announced_on: date | None
    consent: str
    is_for_phone: bool
    """In a study by telephone: service 11 with leerprofiel 1 or 2, or a provider that bought interviews."""
    track: str = "purchased"
    """Which cell an interview counts for: `inburgering` for leerprofiel 1 and 2, whatever else was bought."""

    def may_be_called(self, day: date) -> bool:
        """Whether this person is in a study by telephone, and was told two to thirty days before or has said yes."""
        if self.consent == "nee" or not self.is_for_phone:
            return False
        told = self.announced_on is not None and 2 <= (day - self.announced_on).days <= 30
        return self.consent == "ja" or told


@dataclass(frozen=True, slots=True)
class Purchase:
    """Interviews that were bought, at a price in euros as an operator types it."""

    interviews: int
    price: str


@dataclass(slots=True)
class Provider:
    """A provider with its list. rows: cells by column, faults included. listed: number (E.164) → who has it."""

    name: str
    rows: list[dict[str, str]] = field(default_factory=list)
    listed: list[tuple[str, Listed]] = field(default_factory=list)
    purchase: Purchase | None = None
    comes_first: bool = False
    """The order came in before the list."""

    def write(self, folder: Path, number: int) -> Path:
        """The list as a file, separated by semicolons as a Dutch spreadsheet program does."""
        path = folder / f"list-{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter=";", restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        return path


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
    made = [_provider(seed, each, monday) for each in providers]
    dice = _dice(seed, f"district/{number}")
    _add_double_clients(dice, made)
    everybody = sorted({number for provider in made for number, _ in provider.listed})
    refusals = [Refusal(each, dice.choice((-1.0, dice.uniform(0, 10)))) for each in everybody if dice.random() < 0.01]
    return District(number, start, (monday - timedelta(days=PERIOD_DAYS), monday - timedelta(days=1)), made, refusals)


def provider_name(number: int) -> str:
    """A name that a voice can say and no other provider has."""
    rank, rest = divmod(number, len(_FIRST) * len(_SECOND))
    first, second = rest % len(_FIRST), rest // len(_FIRST)
    return " ".join([_FIRST[first], _SECOND[second], *[_SECOND[rank % len(_SECOND)]] * bool(rank)])


def _dice(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed}/{what}")  # noqa: S311  (play, not secrets)


def _provider(seed: int, number: int, monday: date) -> Provider:
    dice = _dice(seed, f"provider/{number}")
    size = round(min(max(exp(dice.gauss(log(40), 1.2)), 1), 800))
    teaches = dice.random() < 0.35
    buys = dice.random() < 0.08
    if number == 0:
        # One that certainly fills its cell, however short the season; most never do.
        size, teaches = max(size, 320), True
    if number == 1:
        size, teaches, buys = max(size, 60), False, True
    provider = Provider(provider_name(number), comes_first=dice.random() < 0.3)
    if buys:
        provider.purchase = Purchase(dice.choice((5, 8, 10, 20, 25)), dice.choice(("12,50", "9,95", "20")))
    for index in range(size):
        _add_client(dice, provider, number * 1000 + index, teaches, monday)
    return provider


def _add_client(dice: random.Random, provider: Provider, number: int, teaches: bool, monday: date) -> None:
    """One client, and perhaps the same one again; faults are drawn as they are found in delivered lists."""
    tail = f"1{number:07d}"
    if provider.listed and dice.random() < 0.04:
        tail = provider.listed[-1][0].removeprefix("+316")  # a family on one telephone
    town, digits = dice.choice(_TOWNS)
    service = 11 if teaches and dice.random() < 0.85 else dice.choice(_OTHER_SERVICES)
    row = {
        "clientnummer": f"C{number:06d}",
        "voornaam": dice.choice(_GIVEN),
        # Two members of a family must never look like one person written twice.
        "achternaam": f"{dice.choice(_FAMILY)} {_letters(number)}",
        "telefoon": dice.choice(_SPELLINGS).format(tail=tail),
        "email": f"client{number}@example.nl" if dice.random() < 0.6 else "",
        "straat": "Parkweg",
        "huisnummer": str(dice.randint(1, 200)),
        "postcode": f"{digits} AB",
        "plaats": town,
        "dienst": str(service),
        "leerprofiel": str(dice.choices(range(1, 6), _PROFILES)[0]) if service == 11 else "",
        "einddatum_traject": (monday - timedelta(days=dice.randint(1, 360))).isoformat(),
        "toestemming": dice.choices(("", "ja", "nee"), (88, 10, 2))[0],
        "aangekondigd_op": _announcement(dice, monday),
    }
    fault = dice.random()
    if fault < 0.04:
        row[dice.choice(("clientnummer", "dienst", "einddatum_traject" if service != 11 else "leerprofiel"))] = ""
        provider.rows.append(row)
        return
    if fault < 0.10:
        row["telefoon"] = dice.choice(_BAD_NUMBERS)
        provider.rows.append(row)
        return
    told = date.fromisoformat(row["aangekondigd_op"]) if row["aangekondigd_op"] else None
    is_for_phone = provider.purchase is not None or row["leerprofiel"] in {"1", "2"}
    track = "inburgering" if row["leerprofiel"] in {"1", "2"} else "purchased"
    client = Listed(provider.name, row["clientnummer"], told, row["toestemming"], is_for_phone, track)
    provider.rows.append(row)
    provider.listed.append((f"+316{tail}", client))
    if dice.random() < 0.05:
        row["telefoon2"] = f"06-2{number:07d}"
        provider.listed.append((f"+3162{number:07d}", client))
    if dice.random() < 0.03:
        again = dict(row)
        if dice.random() < 0.5:
            again["clientnummer"] = f"D{number:06d}"
            again["voornaam"], again["achternaam"] = row["voornaam"].upper(), row["achternaam"].lower()
        provider.rows.append(again)


def _announcement(dice: random.Random, monday: date) -> str:
    chance = dice.random()
    if chance < 0.04:
        return ""
    days = dice.randint(35, 60) if chance < 0.06 else dice.randint(-4, 12)
    return (monday - timedelta(days=days)).isoformat()


def _add_double_clients(dice: random.Random, providers: list[Provider]) -> None:
    """Some people are client of two providers: on two lists, by the same number."""
    for one, other in pairwise(providers):
        alone = [number for number, count in _counts(one).items() if count == 1]
        rows = [row for row in other.rows if row.get("telefoon2", "") == "" and row["telefoon"] not in _BAD_NUMBERS]
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


def _letters(number: int) -> str:
    """A number as letters: no name may hold digits."""
    text = ""
    while True:
        number, rest = divmod(number, 26)
        text = chr(ord("a") + rest) + text
        if not number:
            return text.capitalize()
