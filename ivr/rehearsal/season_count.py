"""Counts what went right and wrong in a district, by what the carrier did, the people pressed and the lists said.

The yardstick is never the house: calls are the carrier's, answers and refusals the people's own record, targets and
announcements the season's lists and doings. What the house kept (`Kept`) is only what is judged. That an interview
counts is worked out once more in `season_successes.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ivr.rehearsal.calls import Call
from ivr.rehearsal.season import District
from ivr.rehearsal.season_answers import judge_answers
from ivr.rehearsal.season_figures import NO_ANSWER, WRONG, Figures, Kept, Leavings, Rules
from ivr.rehearsal.season_hours import AMSTERDAM, holidays, is_holiday, is_in_window
from ivr.rehearsal.season_lists import Listed
from ivr.rehearsal.season_people import SeasonPeople
from ivr.rehearsal.season_successes import judge_repeats, judge_successes, successes_of

__all__ = ["NO_ANSWER", "WRONG", "Figures", "Kept", "Leavings", "Rules", "count", "merge"]

SPACING = timedelta(minutes=180) - timedelta(seconds=1)
"""Between the end of a ring and the next call; a second for what a clock rounds."""
MOST_A_DAY = 2
_RANG = frozenset({"completed", "no-answer"})


def count(
    district: District,
    rules: Rules,
    calls: Sequence[Call],
    people: SeasonPeople,
    left: Leavings,
    overlaps: int,
    *,
    set_back: float = 0.0,
) -> Figures:
    """All figures of a district. calls: all that the carrier made. overlaps: those it saw to a busy telephone.

    set_back: so many seconds the clock of everybody was set back, in all; so much nearer two calls may seem.
    """
    found = Figures()
    listed = district.listed()
    for record in people.calls:
        if record["attempt_id"] is None:
            record["attempt_id"] = left.inbound.get(record["call_sid"])
    found.counts["phone_ins"] = sum(call.direction == "inbound" for call in calls)
    # Whoever rings us may do so at any hour, any day.
    calls = [call for call in calls if call.direction != "inbound"]
    found.counts["calls"] = len(calls)
    _judge_moments(found, calls)
    _judge_permission(found, district, listed, calls, people)
    _judge_doings(found, district, listed, calls)
    _judge_pace(found, calls, SPACING.total_seconds() - set_back)
    whose = {attempt: kept.respondent for kept in left.interviews for attempt in kept.attempts}
    successes = successes_of(people, rules, listed, whose)
    judge_successes(found, district, rules, successes, left.cells)
    judge_repeats(found, calls, listed, successes)
    if overlaps:
        found.note("double_calls", f"{overlaps} to a telephone that was in a call", overlaps)
    judge_answers(found, people, listed, left.interviews, district.doings.withdrawn)
    for figure in ("stuck_attempts", "leaked_slots"):
        if times := getattr(left, figure):
            found.note(figure, f"{times} at the end", times)
    for cell in left.cells:
        # A cell in which nobody was called and nobody can be is no work left: its list was never announced.
        if cell["state"] == "open" and (cell["people_left"] or cell["attempts"]):
            found.note("unfinished_cells", f"{cell['provider']} {cell['track']}")
    for record in people.calls:
        for surprise in record["surprises"]:
            found.note("surprises", f"{record['call_sid']}: {surprise}")
    found.cells = [dict(cell) for cell in left.cells]
    doings = district.doings
    found.counts["answered_by_web"], found.counts["withdrawn"] = len(doings.answered), len(doings.withdrawn)
    found.counts["targets_moved"] = sum(map(len, doings.targets.values()))
    found.counts["pauses"] = sum(map(len, doings.stops.values()))
    begun = [call.started_at for call in calls if call.started_at is not None]
    if begun:
        last = max(call.ended_at or 0.0 for call in calls)
        found.days = (last - min(begun)) / 86400
        _note_days_off(found, min(begun), last)
    return found


# -- when and whom ----------------------------------------------------------------------------------------------------


def _began(call: Call) -> datetime:
    return datetime.fromtimestamp(call.created_at if call.started_at is None else call.started_at, UTC)


def _note_days_off(found: Figures, first: float, last: float) -> None:
    """Which holidays and clock changes the season lay over: that there was nothing to call on would prove nothing."""
    began, ended = (datetime.fromtimestamp(moment, AMSTERDAM) for moment in (first, last))
    days = {day for year in range(began.year, ended.year + 1) for day in holidays(year)}
    found.days_off = {day.isoformat() for day in days if began.date() < day < ended.date()}
    found.clock_changes = int(began.utcoffset() != ended.utcoffset())


def _judge_moments(found: Figures, calls: Sequence[Call]) -> None:
    for call in calls:
        moment = _began(call)
        if is_holiday(moment):
            found.note("calls_on_holidays", f"{call.sid} at {moment.isoformat()}")
        if not is_in_window(moment):
            found.note("calls_outside_window", f"{call.sid} at {moment.isoformat()}")


def _judge_permission(
    found: Figures, district: District, listed: Mapping[str, list[Listed]], calls: Sequence[Call], people: SeasonPeople
) -> None:
    refused = dict(people.never_again)
    for refusal in district.refusals:
        moment = (district.start + timedelta(days=refusal.after_days)).timestamp()
        refused[refusal.number] = min(moment, refused.get(refusal.number, moment))
    for call in calls:
        if call.created_at > refused.get(call.to, float("inf")):
            found.note("opted_out_called", call.sid)
        day = _began(call).astimezone(AMSTERDAM).date()
        if not any(client.may_be_called(day) for client in listed.get(call.to, ())):
            found.note("unannounced_called", call.sid)


def _judge_doings(
    found: Figures, district: District, listed: Mapping[str, list[Listed]], calls: Sequence[Call]
) -> None:
    """Nobody is called for a paused cell, nor who answered by another mode or withdrew (alone on the telephone)."""
    doings = district.doings
    for call in calls:
        if call.created_at > doings.answered.get(call.to, float("inf")):
            found.note("answered_called", call.sid)
        if call.created_at > doings.withdrawn.get(call.to, float("inf")):
            found.note("withdrawn_called", call.sid)
        cells = {(client.provider, client.track) for client in listed.get(call.to, ()) if client.is_for_phone}
        if cells and all(doings.is_stopped(cell, call.created_at) for cell in cells):
            found.note("stopped_called", call.sid)


def _judge_pace(found: Figures, calls: Sequence[Call], apart: float) -> None:
    """Two rings a day at most, three hours apart, whatever the callbacks said. Busy is no ring."""
    rings: defaultdict[str, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.created_at):
        earlier = rings[call.to]
        if earlier and call.created_at < (earlier[-1].ended_at or 0.0) + apart:
            found.note("calls_too_soon", f"{earlier[-1].sid} and {call.sid}")
        if call.status in _RANG:
            earlier.append(call)
    for number_rings in rings.values():
        days = Counter(_began(call).astimezone(AMSTERDAM).date() for call in number_rings)
        for times in days.values():
            if times > MOST_A_DAY:
                found.note("calls_too_many", f"{times} on a day, the last {number_rings[-1].sid}", times - MOST_A_DAY)


def merge(parts: Sequence[Figures]) -> dict[str, Any]:
    """The document of `ivr rehearse --json` but for time and memory."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    calls, successful = counts["calls"], counts["successful"]
    return {
        "successful": successful,
        **{figure: counts[figure] for figure in WRONG},
        "calls": calls,
        "webhooks": counts["webhooks"],
        "attempts_per_success": round(calls / successful, 2) if successful else 0.0,
        "days_needed": round(max((part.days for part in parts), default=0.0), 2),
        "holidays_met": sorted(set().union(*(part.days_off for part in parts))),
        "clock_changes_met": max((part.clock_changes for part in parts), default=0),
        "clients": counts["clients"],
        "people_by_phone": counts["people_by_phone"],
        "phone_ins": counts["phone_ins"],
        "answered_by_web": counts["answered_by_web"],
        "withdrawn": counts["withdrawn"],
        "targets_moved": counts["targets_moved"],
        "pauses": counts["pauses"],
        "faults_done": {name[6:]: counts[name] for name in sorted(counts) if name.startswith("fault ")},
        "cells": [cell for part in parts for cell in part.cells],
    }
