"""What staff do to a cell from its page: pause, resume, close, or another target. With a reason, and logged.

Decides what may be asked: a reason, a step that fits the state, a target within the order (25 is the rule for
inburgering, and of a purchase more is never billed; who wants more, orders more). What it then means for calls and
people is `fieldwork/monitoring.py`'s, which `ivr fieldwork` uses too: a running call is never cut off.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ivr.errors import RefusedError, UsageError
from ivr.fieldwork import monitoring
from ivr.logs import mask_numbers
from ivr.store import Database, steering

Action = Literal["pause", "resume", "close", "retarget"]
ACTIONS: tuple[Action, ...] = ("pause", "resume", "close", "retarget")
REASON_MAX = 500

_FROM = {"pause": {"open"}, "resume": {"paused"}, "close": {"open", "paused"}, "retarget": {"open", "paused"}}
_STEPS = {"pause": monitoring.pause, "resume": monitoring.resume, "close": monitoring.close}


def steer(
    database: Database, cell_id: int, action: str, *, who: str, reason: str, now: datetime, target: int | None = None
) -> None:
    """Do `action` to the cell and write down who did it and why. `target` goes with `retarget` only.

    UsageError for an unknown action, no reason, or a target that is none; RefusedError with a code (`wrong_state`,
    `above_order`, `same_target`, `cell_closed`) when it cannot be done now; NotFoundError.
    """
    reason = mask_numbers(" ".join(reason.split())[:REASON_MAX])
    if action not in ACTIONS:
        raise UsageError(f"An action is one of {', '.join(ACTIONS)}, not {action!r}.")
    if not reason:
        raise UsageError("Give a reason: others must understand it later.")
    if (action == "retarget") != (target is not None) or (target is not None and target < 0):
        raise UsageError("A target (0 or more) goes with retarget, and only with that.")
    with database.read() as session:
        before = steering.stand(session, cell_id)
    if before.state not in _FROM[action]:
        raise RefusedError(f"The cell is {before.state}: it is too late to {action} it.", code="wrong_state")
    if target is None:
        _STEPS[action](database, cell_id, now, who=who, reason=reason)
        return
    if target > before.ordered:
        raise RefusedError(
            f"The order is for {before.ordered} interviews; more is never billed. Add an order instead.",
            code="above_order",
        )
    if target == before.target:
        raise RefusedError("That is the target already.", code="same_target")
    monitoring.set_target(database, cell_id, target, now, who=who, reason=reason)
    with database.read() as session:
        after = steering.stand(session, cell_id)
    if target < after.successful and after.state != "closed":
        # Below what was done there is nothing left to reach: such a cell is over, not full.
        monitoring.close(database, cell_id, now, who=who, reason=reason)
