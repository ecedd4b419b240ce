"""The jobs: each takes an id (or nothing), calls one stage, and keeps the clock's promise that it would.

A job that fails is not run again by RQ. The reconciler judges from the database what its attempt's state means.
"""

from __future__ import annotations

from ivr import logs
from ivr.fieldwork import dialling, mailing, voicing
from ivr.mail import open_post
from worker import parts


def dial(attempt_id: str) -> None:
    """Place the call of this attempt, if it is still reserved."""
    house = parts.house()
    logs.bind(attempt_id=attempt_id, job="dial")
    try:
        result = dialling.dial(
            house.database,
            house.catalogue,
            house.calendar,
            house.carrier,
            house.sealer,
            house.clock,
            parts.trunk_of(house.settings),
            attempt_id,
        )
        logs.get_logger(__name__).info("dialled", result=result)
    finally:
        _keep(attempt_id)
        # A worker that slept for its call's moment is at work to a leaping clock, until it sleeps again or rests.
        house.clock.rest()
        logs.clear()


def voice(order_id: int) -> None:
    """Render what is missing of this order's prompts, and open its gate."""
    house = parts.house()
    logs.bind(order_id=order_id, job="voice")
    try:
        voicing.voice_order(
            house.database,
            house.catalogue,
            house.speech,
            voicing.Wording.from_settings(house.settings),
            order_id,
            house.clock.now(),
        )
    finally:
        _keep(voice_promise(order_id))
        logs.clear()


def mail() -> None:
    """Make the mail that is due and send what waits. The database says what that is: the job carries nothing."""
    house = parts.house()
    logs.bind(job="mail")
    try:
        desk = mailing.Desk.from_settings(house.database, house.catalogue, house.settings)
        mailing.run(desk, open_post(house.settings), house.clock.now())
    finally:
        logs.clear()


def voice_promise(order_id: int) -> str:
    """The token by which the clock knows that an order is being voiced."""
    return f"voice-{order_id}"


def _keep(token: str) -> None:
    try:
        parts.house().clock.keep(token)
    except OSError:
        # The timekeeper is gone; its promises are gone with it.
        logs.get_logger(__name__).warning("clock_unreachable", promise=token)
