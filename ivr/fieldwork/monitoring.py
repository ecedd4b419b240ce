"""How the fieldwork stands, and what staff may change while it runs.

Decides when a cell is exhausted (nobody of it can be called any more, now or later, and nothing is in flight) and
what pausing, closing, raising and lowering do. Never shows a person: counts only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ivr.errors import RefusedError
from ivr.fieldwork import forecasting, working
from ivr.fieldwork.working import Rulebook
from ivr.store import Database, Session, cases, cells, events, lines
from ivr.store.progress import CellProgress
from ivr.survey.callplan import OpenHours


def status(
    database: Database, rulebook: Rulebook, calendar: OpenHours, now: datetime, *, consent_only: bool = False
) -> dict[str, Any]:
    """The document of `ivr fieldwork status --json`: `at` and, per cell, target, counters, state, cases, attempts."""
    bounds = working.bounds_at(rulebook.fieldwork, now, consent_only=consent_only)
    with database.read() as session:
        rows = cells.overview(session)
        counts = cells.dispositions(session)
        left = cells.people_left(session, bounds)
        down = lines.down(session)
        far = forecasting.progress_of(session, rulebook, now, consent_only=consent_only)
    states = {row["id"]: _state(row, counts.get(row["id"], {}), left.get(row["id"], 0)) for row in rows}
    document: dict[str, Any] = {
        "at": now.isoformat(),
        "cells": [
            {
                "provider": row["provider"],
                "period": f"{row['period_from'].isoformat()}/{row['period_to'].isoformat()}",
                "track": row["track"],
                "target": row["target"],
                "successful": row["successful"],
                "in_flight": row["in_flight"],
                "state": states[row["id"]],
                "cases": counts.get(row["id"], {}),
                "attempts": row["attempts"],
                "cell": row["id"],
                "voiced": row["voiced_at"] is not None,
                "people_left": left.get(row["id"], 0),
                "forecast": _forecast(row, states[row["id"]], far.get(row["id"]), rulebook, now),
            }
            for row in rows
        ],
        "line": "down" if down else "up",
        "window": "open" if calendar.is_open(now) else "closed",
    }
    return document


def _forecast(
    row: Any, state: str, far: CellProgress | None, rulebook: Rulebook, now: datetime
) -> dict[str, Any] | None:
    """expected, low and high successes at the end (80 %), when full, how many numbers more would do; None when done."""
    if state in ("closed", "filled"):
        return None
    seen = forecasting.forecast_for(row["target"], row["successful"], far or CellProgress(), rulebook, now)
    return {
        "expected": seen.expected,
        "low": seen.low,
        "high": seen.high,
        "full_at": seen.full_at.isoformat() if seen.full_at else None,
        "more_numbers": seen.more_numbers,
    }


def _state(row: Any, counts: dict[str, int], people_left: int) -> str:
    if row["state"] == "closed":
        return "closed"
    if row["successful"] >= row["target"]:
        return "filled"
    if row["state"] == "paused":
        return "paused"
    if people_left or row["in_flight"]:
        return "open"
    # Nobody of a list that waits for its announcement can be called, yet its fieldwork has not begun.
    untouched = row["attempts"] == 0 and counts.get("fresh", 0) > 0
    return "open" if untouched else "exhausted"


def pause(database: Database, cell_id: int, now: datetime, *, who: str, reason: str = "") -> None:
    """No further calls for this cell until it is resumed; calls in flight go on. RefusedError when it is closed."""
    _set_state(database, cell_id, "paused", now, who=who, reason=reason)


def resume(database: Database, cell_id: int, now: datetime, *, who: str, reason: str = "") -> None:
    """Go on with a paused cell. RefusedError when it is closed."""
    _set_state(database, cell_id, "open", now, who=who, reason=reason)


def close(database: Database, cell_id: int, now: datetime, *, who: str, reason: str = "") -> None:
    """End the cell for good: no further calls; a call in flight is not cut off, and still counts."""
    _set_state(database, cell_id, "closed", now, who=who, reason=reason)


def set_target(database: Database, cell_id: int, target: int, now: datetime, *, who: str, reason: str = "") -> None:
    """Raise or lower the target while the cell runs. Lower than what is done closes it and throws nobody out.

    Raised again, people who were not needed any more are needed again. RefusedError when it is closed.
    """
    if target < 0:
        raise RefusedError(f"A target is 0 or more, not {target}.")
    with database.write() as session:
        before = cells.get(session, cell_id, lock=True)
        if before.state == "closed":
            raise RefusedError(f"Cell {cell_id} is closed for good.", code="cell_closed")
        after = cells.set_target(session, cell_id, target)
        events.write_audit(
            session, now, who=who, what="cell_target", subject=f"cell {cell_id}", reason=reason,
            before=before.target, after=target,
        )  # fmt: skip
        if target < after.successful:
            cells.set_state(session, cell_id, "closed")
        elif not after.is_filled:
            need_again(session, cell_id, now)
        working.settle_cell(session, cell_id, now)


def need_again(session: Session, cell_id: int, now: datetime, *, by: str = "target_raised") -> None:
    """The cell has room again: whoever was not needed any more stands, and is called, as before.

    Not sooner either: an appointment is kept, and an interview that was broken off rests its day.
    """
    for case in cases.with_disposition(session, cell_id, "quota_full"):
        stood = events.last_of_case(session, case.id, working.SET_ASIDE)
        promised = stood.get("next_call_at")
        working.change(
            session,
            case,
            stood.get("before", "fresh"),
            now,
            by=by,
            is_final=False,
            next_call_at=max(datetime.fromisoformat(promised), now) if promised else now,
            priority=stood.get("priority", working.ORDINARY),
        )


def _set_state(database: Database, cell_id: int, state: str, now: datetime, *, who: str, reason: str) -> None:
    with database.write() as session:
        before = cells.get(session, cell_id, lock=True)
        if before.state == "closed" and state != "closed":
            raise RefusedError(f"Cell {cell_id} is closed for good; order anew instead.", code="cell_closed")
        cells.set_state(session, cell_id, state)
        events.write_audit(
            session, now, who=who, what=f"cell_{state}", subject=f"cell {cell_id}", reason=reason, before=before.state
        )
        working.settle_cell(session, cell_id, now)
