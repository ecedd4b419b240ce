"""How a cell stands and whether it needs anybody: state, forecast, and the reasons to look at it.

Pure sums over `store.boards.CellRow`. The forecast is `survey/forecast.py`'s where the row says how far its people
are; a provider's page, which shows a cell as it stood at midnight, has counts only: then each person worked out so far
is one trial of a beta-binomial, starting from what one may expect beforehand (25 successes of 66 people, the synthetic
population's figure).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, sqrt
from types import MappingProxyType
from typing import Literal

from ivr.store.boards import CellRow
from ivr.survey.forecast import Forecast, forecast

State = Literal["open", "filled", "exhausted", "paused", "closed"]

PRIOR_SUCCESSES, PRIOR_FAILURES = 3.8, 6.2
"""Worth ten people: 25/66 of them succeed."""
MAX_CALLS = 6
"""Calls to a person, as far as the board looks ahead."""
WIDTH = 1.28
"""Standard deviations either side: four of five outcomes lie within."""
MANY_ERRORS = 3
REFUSALS = frozenset({"refusal", "never_call_again", "complaint"})
SPOKEN = REFUSALS | {"complete", "partial", "unusable", "break_off", "appointment", "language_problem"}
MANY_REFUSALS, ENOUGH_SPOKEN = 0.4, 10


@dataclass(frozen=True, slots=True)
class Reason:
    """Why to look at a cell: `weight` 3 now, 2 today, 1 know it."""

    code: str
    weight: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell as the board shows it."""

    row: CellRow
    state: State
    forecast: Forecast | None
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> int:
        return max((reason.weight for reason in self.reasons), default=0)


def view(row: CellRow) -> CellView:
    """The cell with its state, forecast and reasons, the heaviest first."""
    state = state_of(row)
    outcome = forecast_of(row) if state in ("open", "paused") else None
    reasons = sorted(_reasons(row, state, outcome), key=lambda reason: -reason.weight)
    return CellView(row, state, outcome, tuple(reasons))


def by_attention(rows: list[CellRow], before: Mapping[int, CellView] = MappingProxyType({})) -> list[CellView]:
    """All cells, those that need somebody first; within that the widest gap to the target, then the provider.

    `before`: cells as they were seen last, by id; whose row is the same still stands the same.
    """

    def order(seen: CellView) -> tuple:
        running = seen.state in ("open", "paused", "exhausted")
        gap = seen.row.target - seen.row.successful if running else 0
        return (-seen.weight, not running, -gap, seen.row.provider.casefold(), seen.row.id)

    seen = [(before.get(row.id), row) for row in rows]
    return sorted((old if old is not None and old.row == row else view(row) for old, row in seen), key=order)


def state_of(row: CellRow) -> State:
    """What staff set, else what the numbers say; as `ivr fieldwork status` has it."""
    if row.state == "closed":
        return "closed"
    if row.successful >= row.target:
        return "filled"
    if row.state == "paused":
        return "paused"
    if row.callable_cases or row.in_flight or is_untouched(row):
        return "open"
    return "exhausted"


def is_untouched(row: CellRow) -> bool:
    """Nobody was called yet, and somebody is there: such a list waits for its announcement."""
    return row.dialled == 0 and row.cases.get("fresh", 0) > 0


def forecast_of(row: CellRow) -> Forecast:
    """Where the cell will end with the people it has."""
    if row.progress:
        return forecast(row.target, row.successful, row.progress, MAX_CALLS)
    good = PRIOR_SUCCESSES + row.successful
    total = PRIOR_SUCCESSES + PRIOR_FAILURES + max(row.worked_cases, row.successful)
    chance = good / total
    people = row.callable_cases or (row.open_cases if is_untouched(row) else 0)
    mean = row.successful + people * chance
    spread = WIDTH * sqrt(people * chance * (1 - chance) * (total + people) / (total + 1))
    low = max(row.successful, floor(mean - spread))
    high = min(row.successful + people, ceil(mean + spread))
    return Forecast(min(row.target, round(mean)), min(row.target, low), min(row.target, high))


def _reasons(row: CellRow, state: State, outcome: Forecast | None) -> list[Reason]:
    running = state in ("open", "paused")
    found: list[Reason] = []
    if running and row.errors >= MANY_ERRORS:
        found.append(Reason("errors", 3, row.errors))
    if running and not row.is_voiced:
        found.append(Reason("unvoiced", 3))
    if state == "exhausted":
        found.append(Reason("exhausted", 2, row.target - row.successful))
    if outcome is not None and outcome.high < row.target:
        found.append(Reason("short", 2, row.target - outcome.high))
    if state == "open" and not row.callable_cases and not row.in_flight:
        found.append(Reason("unannounced", 2, row.open_cases))
    spoken = sum(count for code, count in row.cases.items() if code in SPOKEN)
    refused = sum(count for code, count in row.cases.items() if code in REFUSALS)
    if running and spoken >= ENOUGH_SPOKEN and refused >= MANY_REFUSALS * spoken:
        found.append(Reason("refusals", 2, round(100 * refused / spoken)))
    if state == "paused":
        found.append(Reason("paused", 1))
    return found
