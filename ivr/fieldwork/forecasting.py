"""What the model of `survey/forecast.py` says of the cells as they stand, for status, board and alerts.

Decides over how many days a cell's pace is taken, and that a call that ends now is not yet known.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from ivr.fieldwork import working
from ivr.fieldwork.working import Rulebook
from ivr.store import Session, progress
from ivr.store.progress import CellProgress
from ivr.survey.forecast import Forecast, forecast

PACE = timedelta(days=14)


def progress_of(
    session: Session,
    rulebook: Rulebook,
    now: datetime,
    *,
    consent_only: bool = False,
    only: Collection[int] | None = None,
) -> dict[int, CellProgress]:
    """How far the people of each cell (or only these) are."""
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=consent_only)
    return progress.of_cells(session, bounds, now - PACE, only)


def forecast_for(target: int, successful: int, cell: CellProgress, rulebook: Rulebook, now: datetime) -> Forecast:
    """Where a cell will end with the people it has, when it is full, and how many numbers more would do."""
    days = 0.0
    if cell.first_call_at is not None:
        # A first morning says little about a week: a pace is never taken over less than a day.
        days = max(1.0, min(PACE, now - cell.first_call_at) / timedelta(days=1))
    return forecast(
        target,
        successful,
        cell.rows,
        rulebook.fieldwork.max_attempts,
        now=now,
        recent=cell.recent,
        recent_days=days,
    )
