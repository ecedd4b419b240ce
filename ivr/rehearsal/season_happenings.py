"""What happens in a season besides our calls: staff steer cells, people answer on the web, withdraw, ring back.

Decides when, by the season's dice, and keeps what was really done (`Doings`): that is part of the yardstick. Carrying
it out, through the stages of the house, is `scripts/rehearse_happenings.py`'s.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ivr.rehearsal.season_lists import Listed, Provider

Cell = tuple[str, str]
"""A provider's name and the track."""

STEERED, STOPPED = 0.15, 0.15
"""The share of cells whose target is moved, and that are paused for a while."""
ANSWER, WITHDRAW, RING_IN = 0.02, 0.02, 0.04
"""The share of the people with a telephone of their own who do so."""


@dataclass(frozen=True, slots=True)
class Steering:
    """Staff change a cell, so many days into the season. target: for `target` alone."""

    after_days: float
    provider: str
    track: str
    what: Literal["target", "pause", "resume"]
    target: int = 0


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody with a telephone of their own does something else than answer our call."""

    after_days: float
    number: str
    client: Listed
    what: Literal["answers", "withdraws", "rings"]


Happening = Steering | Deed


@dataclass(slots=True)
class Doings:
    """What was really done, in epoch seconds.

    targets: each new target of a cell. stops: from when to when a cell was paused. answered, withdrawn: by number.
    """

    targets: dict[Cell, list[tuple[float, int]]] = field(default_factory=dict)
    stops: dict[Cell, list[list[float]]] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    withdrawn: dict[str, float] = field(default_factory=dict)
    phone_ins: int = 0

    def target(self, cell: Cell, ordered: int, since: float, until: float) -> int:
        """The highest target of the cell between these moments; `ordered` is what it began with."""
        highest, now = 0, ordered
        for moment, target in self.targets.get(cell, ()):
            if moment > since:
                highest = max(highest, now)
            if moment > until:
                return highest
            now = target
        return max(highest, now)

    def is_stopped(self, cell: Cell, at: float) -> bool:
        """Whether the cell was paused at this moment."""
        return any(start < at < end for start, end in self.stops.get(cell, ()))


def make_happenings(dice: random.Random, providers: Sequence[Provider]) -> list[Happening]:
    """What is going to happen in a district. The first provider's first cell is always steered: it is sure to fill."""
    found: list[Happening] = []
    for number, provider in enumerate(providers):
        for track in sorted({client.track for _, client in provider.listed if client.is_for_phone}):
            is_sure = number == 0 and track == "inburgering"
            if dice.random() < STEERED or is_sure:
                lowered = dice.uniform(0.03, 0.3) if is_sure else dice.uniform(0.03, 3)
                found.append(Steering(lowered, provider.name, track, "target", dice.randint(1, 20)))
                raised = lowered + dice.uniform(0.1, 3)
                found.append(Steering(raised, provider.name, track, "target", dice.randint(8, 35)))
            if dice.random() < STOPPED:
                paused = dice.uniform(0.05, 3)
                found.append(Steering(paused, provider.name, track, "pause"))
                found.append(Steering(paused + dice.uniform(0.1, 3), provider.name, track, "resume"))
    for phone, client in _alone(providers):
        chance, after_days = dice.random(), dice.uniform(0.05, 7)
        if chance < ANSWER:
            found.append(Deed(after_days, phone, client, "answers"))
        elif chance < ANSWER + WITHDRAW:
            found.append(Deed(after_days, phone, client, "withdraws"))
        elif chance < ANSWER + WITHDRAW + RING_IN:
            found.append(Deed(after_days, phone, client, "rings"))
    return found


def _alone(providers: Sequence[Provider]) -> list[tuple[str, Listed]]:
    """People in a study by telephone who share no number and have one only."""
    listed = [entry for provider in providers for entry in provider.listed]
    sharers = Counter(number for number, _ in listed)
    numbers = Counter((client.provider, client.respondent) for _, client in listed)
    return [
        (number, client)
        for number, client in listed
        if client.is_for_phone and sharers[number] == 1 and numbers[client.provider, client.respondent] == 1
    ]
