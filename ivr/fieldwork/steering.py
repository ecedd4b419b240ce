"""What staff can do to a cell: pause, resume, close, reopen, raise or lower its target; with a reason, and logged.

Decides what may follow what. A running call is never cut off by any of it: it keeps its slot, and `capacity` (see
`store/tables.py`) keeps room for it when the target goes down. A target never goes above the interviews of its
order: 25 is the rule for inburgering, and of a purchase more is never billed; who wants more, orders more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal, cast

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork.working import ORDINARY, Rulebook, call_again, change, settle_cell
from ivr.logs import mask_numbers
from ivr.store import Database, Session, cells, events, steering
from ivr.store.steering import CellStand
from ivr.survey.callplan import OpenHours

Action = Literal["pause", "resume", "close", "reopen", "retarget"]
ACTIONS: tuple[Action, ...] = ("pause", "resume", "close", "reopen", "retarget")
REASON_MAX = 500

# What each action asks of the state, and makes of it.
_STEPS: dict[str, tuple[str, str]] = {
    "pause": ("open", "paused"),
    "resume": ("paused", "open"),
    "reopen": ("closed", "open"),
}


def steer(
    database: Database,
    rulebook: Rulebook,
    calendar: OpenHours,
    cell_id: int,
    action: str,
    *,
    who: str,
    reason: str,
    now: datetime,
    target: int | None = None,
) -> CellStand:
    """Do `action` to the cell and write down who did it and why; the cell as it stands afterwards.

    `target` goes with `retarget` only. UsageError for an unknown action, no reason, or a target that is none;
    RefusedError with a code (`wrong_state`, `above_order`, `same_target`) when it cannot be done now; NotFoundError.
    """
    reason = mask_numbers(" ".join(reason.split())[:REASON_MAX])
    if action not in ACTIONS:
        raise UsageError(f"An action is one of {', '.join(ACTIONS)}, not {action!r}.")
    if not reason:
        raise UsageError("Give a reason: others must understand it later.")
    if (action == "retarget") != (target is not None) or (target is not None and target < 0):
        raise UsageError("A target (0 or more) goes with retarget, and only with that.")
    with database.write() as session:
        before = steering.lock_cell(session, cell_id)
        state, goal = _after(before, cast(Action, action), target)
        cells.set_state(session, cell_id, state)
        if goal != before.target:
            cells.set_target(session, cell_id, goal)
        events.write_audit(
            session,
            now,
            who=who,
            what=_name(action, before.target, goal),
            subject=f"cell:{cell_id}",
            reason=reason,
            before=_figures(before.state, before.target),
            after=_figures(state, goal),
        )
        if before.successful >= before.target and goal > before.successful:
            _take_up_again(session, rulebook, calendar, cell_id, now)
        settle_cell(session, cell_id, now)
        return steering.lock_cell(session, cell_id)


def _take_up_again(session: Session, rulebook: Rulebook, calendar: OpenHours, cell_id: int, now: datetime) -> None:
    """The cell was full and is not any more: those who were left because of that may be called after all."""
    for case, dialled in steering.not_called_because_full(session, cell_id):
        if dialled:
            call_again(session, rulebook, calendar, replace(case, is_final=False), now, by="raised")
        else:
            change(session, case, "fresh", now, by="raised", is_final=False, next_call_at=now, priority=ORDINARY)


def _after(before: CellStand, action: Action, target: int | None) -> tuple[str, int]:
    if action == "retarget":
        assert target is not None
        return _retargeted(before, target), target
    if action == "close":
        if before.state == "closed":
            raise RefusedError("The cell is closed already.", code="wrong_state")
        return "closed", before.target
    asked, made = _STEPS[action]
    if before.state != asked:
        raise RefusedError(f"To {action} a cell it must be {asked}; it is {before.state}.", code="wrong_state")
    if action == "reopen" and before.successful > before.target:
        raise RefusedError("More was done than the target: raise it first.", code="wrong_state")
    return made, before.target


def _retargeted(before: CellStand, target: int) -> str:
    if target > before.ordered:
        raise RefusedError(
            f"The order is for {before.ordered} interviews; more is never billed. Add an order instead.",
            code="above_order",
        )
    if target == before.target:
        raise RefusedError("That is the target already.", code="same_target")
    # Below what was done there is nothing left to reach: such a cell is over, not full.
    return "closed" if target < before.successful else before.state


def _name(action: str, before: int, after: int) -> str:
    return action if action != "retarget" else "raise" if after > before else "lower"


def _figures(state: str, target: int) -> dict[str, object]:
    return {"state": state, "target": target}
