"""Stage: somebody of the staff has their own telephone rung, to hear a questionnaire as a respondent does.

Decides whose telephone is rung: nobody on a provider's list, no number that is never called, and not often, for
whoever can have any number rung can have a stranger's rung. What a test call is, is `trying.py`'s: it holds no slot and
stands in no cell, count or file. The number is kept, sealed, while the call lasts and is gone when it ends; the audit
log says who had a test call made and never to which number.
"""

from __future__ import annotations

from datetime import datetime

from ivr.errors import RefusedError
from ivr.fieldwork import limits, trying
from ivr.fieldwork.dialling import Trunk
from ivr.store import Database, events, optouts, people, samples, trials
from ivr.store.sealing import Sealer
from ivr.store.trials import TestCall
from ivr.survey.phone import PhoneFault, read_phone
from ivr.telephony.carrier import Carrier

CALLS_AN_HOUR = 5
"""Of one account."""
EVERYONES_CALLS_AN_HOUR = 20


def call(
    database: Database,
    carrier: Carrier,
    sealer: Sealer,
    trunk: Trunk,
    order_id: int,
    number: str,
    *,
    who: str,
    now: datetime,
    wall: datetime,
) -> str:
    """Ring `number`, as it was typed, with this order's prompts; the attempt's id.

    wall: the wall clock, for the limit. RefusedError: `bad_phone`, `not_diallable`, `respondent`, `opted_out`, `busy`,
    `too_often`, `not_voiced`, `carrier`.
    """
    e164 = read_phone(number)
    if isinstance(e164, PhoneFault):
        raise RefusedError("This is no number that can be called.", code=e164.code)
    hashed = samples.phone_hash(sealer, e164)
    with database.write() as session:
        # Counted before the number is looked up: nobody finds out by trying who stands on a list.
        tries = {f"own phone:{sealer.hash('own phone', who)}": CALLS_AN_HOUR, "own phone:all": EVERYONES_CALLS_AN_HOUR}
        is_within = all(limits.within(session, key, most, wall) for key, most in tries.items())
    if not is_within:
        raise RefusedError("Too many test calls in this hour.", code="too_often")
    with database.write() as session:
        checks = {
            "respondent": people.is_respondents(session, hashed),
            "opted_out": optouts.any_opted_out(session, [hashed]),
            "busy": trials.is_being_rung(session, hashed),
        }
        if code := next((code for code, holds in checks.items() if holds), None):
            raise RefusedError("This number cannot be called for a test.", code=code)
        events.write_audit(session, now, who=who, what="test_call", subject=f"order {order_id}")
    return trying.ring(database, carrier, sealer, trunk, order_id, e164, now)


def standing(database: Database, attempt_id: str) -> TestCall | None:
    """How a test call stands; None when there is no such test call (any more)."""
    with database.read() as session:
        return trials.standing(session, attempt_id)
