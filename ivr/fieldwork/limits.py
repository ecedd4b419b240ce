"""How often something may be done in an hour: one count for a visitor, an account, or everybody together."""

from __future__ import annotations

from datetime import datetime, timedelta

from ivr.store import Session, users

HOUR = timedelta(hours=1)


def within(session: Session, key: str, most: int, wall: datetime) -> bool:
    """Count one in the current hour, which begins with the first; False when there were `most` already.

    `wall`: the wall clock, because a leaping clock would make an hour of a second.
    """
    held = users.throttle(session, key, wall)
    if wall - held.changed_at >= HOUR:
        held = users.Throttle(0, None, wall)
    if held.tries >= most:
        return False
    users.set_throttle(session, key, held.tries + 1, None, held.changed_at)
    return True
