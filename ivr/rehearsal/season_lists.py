"""The client lists of synthetic providers, as they would be delivered, and who on them may be called.

Domain, section 8: clients per provider lognormal (median 40, sigma 1.2, 1-800), 35 % of the providers with service
11, leerprofiel 1-5 in 15/25/30/20/10 %, files with 3 % duplicates, 4 % missing data and 6 % bad numbers; families on
one telephone; some providers bought telephone interviews; some people have said yes or no beforehand, some were never
told, or too long ago. Everything is `synthetisch`.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp, log
from pathlib import Path

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
BAD_NUMBERS = ("06123", "0900-1234", "112", "geen", "06-0000000000000", "0800 4321")
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
    service: int = 0

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


def provider_name(number: int) -> str:
    """A name that a voice can say and no other provider has."""
    rank, rest = divmod(number, len(_FIRST) * len(_SECOND))
    first, second = rest % len(_FIRST), rest // len(_FIRST)
    return " ".join([_FIRST[first], _SECOND[second], *[_SECOND[rank % len(_SECOND)]] * bool(rank)])


def make_provider(dice: random.Random, number: int, monday: date) -> Provider:
    """The provider of this number with its list, in a season that begins on `monday`."""
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
        row["telefoon"] = dice.choice(BAD_NUMBERS)
        provider.rows.append(row)
        return
    told = date.fromisoformat(row["aangekondigd_op"]) if row["aangekondigd_op"] else None
    is_for_phone = provider.purchase is not None or row["leerprofiel"] in {"1", "2"}
    track = "inburgering" if row["leerprofiel"] in {"1", "2"} else "purchased"
    client = Listed(provider.name, row["clientnummer"], told, row["toestemming"], is_for_phone, track, service)
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


def _letters(number: int) -> str:
    """A number as letters: no name may hold digits."""
    text = ""
    while True:
        number, rest = divmod(number, 26)
        text = chr(ord("a") + rest) + text
        if not number:
            return text.capitalize()
