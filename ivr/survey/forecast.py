"""Where a cell will end: how many interviews it will have, how sure that is, and what would help.

The model, all of it. People are called up to so many times. At the k-th call that counts, somebody who is still
there succeeds with chance s_k, leaves for good (refuses, wrong number, …) with chance x_k, or is there for the next.
Both are estimated from the cell's own people, mixed with what the synthetic population does (`PRIOR`, worth
`PRIOR_PEOPLE` people). Somebody with j calls behind them then succeeds in the end with chance

    q_j = s_{j+1} + (1 - s_{j+1} - x_{j+1}) q_{j+1},        q_max = 0

and the cell ends at  successful + Σ q_j, the sum taken over who can still be called. The spread is that of a
beta-binomial: chance of each person, and not knowing the chances themselves. The interval is meant to hold four
times in five; a test holds it to that on the synthetic population. What the model leaves out: that staff stop a
cell, that letters expire, and whatever makes next week unlike last week.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor, sqrt

PRIOR: tuple[tuple[float, float], ...] = (
    (0.155, 0.115), (0.147, 0.057), (0.128, 0.053), (0.115, 0.051), (0.098, 0.049), (0.087, 0.05),
)  # fmt: skip
"""(s_k, x_k) of the k-th call, as the synthetic population has them; the last holds for all further calls."""

PRIOR_PEOPLE = 40.0
"""With so many people of its own a cell's own experience weighs as much as the prior."""

WIDTH = 1.1
"""Standard deviations on either side. On the synthetic population, whose people are alike in every cell, so many hold
four of five ends; of a cell known by nothing but its own people it would be 1.28."""

MOST_NUMBERS = 2000
"""More numbers than this are no advice any more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """People of a cell who have `calls` counted calls behind them: how many have succeeded in the last of these, left
    in the last of these, and can still be called. Who was stopped from outside (the cell was full) is in `stopped`."""

    calls: int
    succeeded: int = 0
    left: int = 0
    waiting: int = 0
    stopped: int = 0

    @property
    def people(self) -> int:
        return self.succeeded + self.left + self.waiting + self.stopped


@dataclass(frozen=True, slots=True)
class Forecast:
    """Successful interviews at the end: expected, and the interval that holds four times in five; at most the target.

    more_numbers: how many further people would do (nine times in ten), 0: none are needed, None: too many to say.
    full_at: when the cell will be full at its pace so far; None: not at this pace, or not at all.
    """

    expected: int
    low: int
    high: int
    more_numbers: int | None = 0
    full_at: datetime | None = None

    @property
    def margin(self) -> int:
        return max(self.high - self.expected, self.expected - self.low)


def chances(progress: Iterable[Progress], max_calls: int) -> tuple[float, ...]:
    """q_0 … q_max: the chance that somebody with so many calls behind them succeeds in the end."""
    rows = list(progress)
    q = [0.0] * (max_calls + 1)
    for k in range(max_calls, 0, -1):
        prior_s, prior_x = PRIOR[min(k, len(PRIOR)) - 1]
        tried = sum(row.people for row in rows if row.calls >= k) + PRIOR_PEOPLE
        s = (sum(row.succeeded for row in rows if row.calls == k) + PRIOR_PEOPLE * prior_s) / tried
        x = (sum(row.left for row in rows if row.calls == k) + PRIOR_PEOPLE * prior_x) / tried
        q[k - 1] = s + max(0.0, 1 - s - x) * q[k]
    return tuple(q)


def forecast(
    target: int,
    successful: int,
    progress: Sequence[Progress],
    max_calls: int,
    *,
    now: datetime | None = None,
    recent: int = 0,
    recent_days: float = 0.0,
) -> Forecast:
    """Where the cell ends with the people it has. recent: its interviews of the last `recent_days`, for its pace."""
    q = chances(progress, max_calls)
    tried = sum(row.people for row in progress if row.calls > 0)
    left = _Left.of([(q[min(row.calls, max_calls)], row.waiting) for row in progress], tried)
    expected = min(round(left.gain), left.people)
    low, high = left.interval()
    low, high = min(low, expected), max(high, expected)
    needed = target - successful
    return Forecast(
        *(min(target, successful + figure) for figure in (expected, low, high)),
        more_numbers=_more_numbers(needed, left, q[0]),
        full_at=_full_at(needed, expected, now, recent, recent_days),
    )


@dataclass(frozen=True, slots=True)
class _Left:
    """Who is left: how many, what they bring (mean), and its variance if the chances were known exactly.

    known: people by whom the chances are known.
    """

    people: int
    gain: float
    variance: float
    known: float

    @classmethod
    def of(cls, waiting: Sequence[tuple[float, int]], tried: int) -> _Left:
        return cls(
            sum(count for _, count in waiting),
            sum(chance * count for chance, count in waiting),
            sum(chance * (1 - chance) * count for chance, count in waiting),
            PRIOR_PEOPLE + tried,
        )

    def with_more(self, people: int, chance: float) -> _Left:
        return _Left(
            self.people + people,
            self.gain + people * chance,
            self.variance + people * chance * (1 - chance),
            self.known,
        )

    def interval(self) -> tuple[int, int]:
        if self.people == 0:
            return 0, 0
        chance = self.gain / self.people
        unknown = self.people**2 * chance * (1 - chance) / (self.known + 1)
        spread = WIDTH * sqrt(self.variance + unknown)
        return max(0, ceil(self.gain - spread)), min(self.people, floor(self.gain + spread))


def _more_numbers(needed: int, left: _Left, chance: float) -> int | None:
    """The fewest fresh people with whom even the low end reaches what is needed."""

    def does(more: int) -> bool:
        return left.with_more(more, chance).interval()[0] >= needed

    if needed <= 0 or does(0):
        return 0
    if not does(MOST_NUMBERS):
        return None
    few, many = 0, MOST_NUMBERS
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if does(middle) else (middle, many)
    return many


def _full_at(needed: int, gain: int, now: datetime | None, recent: int, recent_days: float) -> datetime | None:
    if now is None or needed <= 0 or gain < needed or recent <= 0 or recent_days <= 0:
        return None
    return now + timedelta(days=needed * recent_days / recent)
