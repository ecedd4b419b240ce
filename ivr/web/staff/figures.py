"""What staff pages make of counted rows: parts of the day, and the pace of a cell as a drawing.

Local time, as everywhere on screens, is Europe/Amsterdam.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ivr.catalogue import Catalogue
from ivr.store.cell_figures import Reach
from ivr.survey.callplan import PARTS
from ivr.survey.fieldwork_rules import FieldworkRules
from ivr.web.pages.words import AMSTERDAM

SATURDAY = 5
MOST_DAYS = 42


@dataclass(frozen=True, slots=True)
class DayPart:
    """Calls placed in a part of the day, and how many reached somebody."""

    name: str
    placed: int
    reached: int


@dataclass(frozen=True, slots=True)
class Day:
    """Successes of a day, and all up to and with it."""

    day: date
    successes: int
    total: int


@dataclass(frozen=True, slots=True)
class Pace:
    """A cell's days from its first success to its last, at most MOST_DAYS, and the line through their totals.

    The drawing is 100 wide and 100 high; `top` is what its upper edge stands for.
    """

    days: tuple[Day, ...]
    top: int
    busiest: int

    @property
    def width(self) -> float:
        return 100 / len(self.days)

    @property
    def bars(self) -> list[tuple[float, float]]:
        """(x, height) of the column of each day that had a success."""
        return [
            (round(n * self.width, 2), round(100 * day.successes / self.top, 2))
            for n, day in enumerate(self.days)
            if day.successes
        ]

    @property
    def line(self) -> str:
        """Points of an SVG polyline: each day's total in the middle of its column."""
        height = (
            f"{(n + 0.5) * self.width:.2f},{100 - 100 * day.total / self.top:.2f}" for n, day in enumerate(self.days)
        )
        return " ".join(height)


def contacted(catalogue: Catalogue) -> list[str]:
    """The outcomes that mean that a person was spoken to."""
    return [outcome.code for outcome in catalogue.outcomes.values() if outcome.contacted]


def day_parts(hours: Iterable[Reach], rules: FieldworkRules) -> list[DayPart]:
    """The parts in which calls were placed, in the order of the day; a Saturday is a part of its own."""
    placed: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for hour in hours:
        local = datetime.strptime(hour.hour, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(AMSTERDAM)
        if local.weekday() == SATURDAY:
            part = "zaterdag"
        else:
            at = local.time()
            part = "ochtend" if at < rules.middag_begins else "middag" if at < rules.avond_begins else "avond"
        placed[part] += hour.placed
        reached[part] += hour.reached
    return [DayPart(part, placed[part], reached[part]) for part in PARTS if placed[part]]


def pace(moments: Iterable[datetime], target: int) -> Pace | None:
    """The pace of a cell from when its interviews became usable; None when there are none."""
    by_day = Counter(moment.astimezone(AMSTERDAM).date() for moment in moments)
    if not by_day:
        return None
    first, last = min(by_day), max(by_day)
    total, days = 0, []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        total += by_day[day]
        days.append(Day(day, by_day[day], total))
    days = days[-MOST_DAYS:]
    return Pace(tuple(days), max(target, total, 1), max(max(day.successes for day in days), 1))
