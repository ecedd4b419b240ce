"""How tries are counted and slowed down, for whatever can be guessed: passwords, codes, links.

Decides the back-off. What a key stands for (an account, an address, a browser) is its caller's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ivr.store import Session, users

LONGEST_LOCK = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)


def count_try(session: Session, key: str, free: int, now: datetime) -> int:
    """Count a try; the seconds that it is too early by, 0 when it may go on.

    `free` tries an hour cost nothing; each further one doubles the wait, from 2 seconds up to a quarter of an hour.
    A try while locked is not counted, so that nobody can be kept out for ever by someone who keeps trying.
    """
    held = users.throttle(session, key, now)
    if held.locked_until is not None and held.locked_until > now:
        return int((held.locked_until - now).total_seconds()) + 1
    tries = 1 if now - held.changed_at > FORGET_AFTER else held.tries + 1
    over = tries - free
    wait = min(timedelta(seconds=2 ** min(over + 1, 20)), LONGEST_LOCK) if over >= 0 else None
    users.set_throttle(session, key, tries, now + wait if wait else None, now)
    return 0
