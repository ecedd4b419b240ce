"""A refusal that comes in by the public page `/echt`: a number goes on the list of numbers never called again.

Decides how often one visitor, and the whole world, may do that, because nobody can prove here whose number it is. The
answer never tells whether we knew the number. The four-digit code of the letter is not taken on its own: it is unique
only among those who share a number, so it would refuse for strangers, and ten thousand codes are soon tried.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ivr.fieldwork import limits
from ivr.logs import get_logger
from ivr.store import Database, optouts, samples
from ivr.store.sealing import Sealer
from ivr.survey.phone import PhoneFault, read_phone

log = get_logger(__name__)

Refusal = Literal["noted", "bad_phone", "too_often"]

TRIES_AN_HOUR = 10
EVERYONES_TRIES_AN_HOUR = 500


def refuse_number(
    database: Database, sealer: Sealer, number: str, address: str, *, now: datetime, wall: datetime
) -> Refusal:
    """Never call `number` again. `address`: where the visitor comes from; `wall`: wall clock, for the limit.

    `noted` whether or not anybody here has the number.
    """
    read = read_phone(number)
    if isinstance(read, PhoneFault):
        return "bad_phone"
    tries = {
        f"refusal:{sealer.hash('refusal', address)}": TRIES_AN_HOUR,
        "refusal:everyone": EVERYONES_TRIES_AN_HOUR,
    }
    with database.write() as session:
        if not all(limits.within(session, key, most, wall) for key, most in tries.items()):
            log.warning("refusals_limited")
            return "too_often"
        optouts.add(session, samples.phone_hash(sealer, read), "web", now)
    return "noted"
