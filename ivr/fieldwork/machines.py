"""Voicemail is hung up on, so that it records no half greeting; the third machine hears who called, once.

Decides which calls that are up are ended for a machine verdict. A key that was pressed contradicts the verdict: the
human test is the key press. The spoken line itself is `interviewing`'s last word at the first silence.
"""

from __future__ import annotations

from ivr.catalogue import Catalogue
from ivr.errors import CarrierError, CarrierUnknownError, InvariantError
from ivr.logs import get_logger
from ivr.store import Database, attempts
from ivr.store.attempts import Attempt
from ivr.survey import interview as engine
from ivr.telephony.carrier import Carrier

log = get_logger(__name__)


def hang_up_on(database: Database, catalogue: Catalogue, carrier: Carrier) -> int:
    """Ask the carrier to end each call that met a machine and need not speak to it. How many.

    Harmless to repeat: ending a call that has ended is no error. The status callback closes the attempt.
    """
    with database.read() as session:
        silent = [
            attempt
            for attempt in attempts.met_by_machine(session)
            if not _has_pressed(attempt)
            and sum(past["outcome"] == "answering_machine" for past in attempts.history(session, attempt.case_id))
            != catalogue.fieldwork.silent_voicemails
        ]
    ended = 0
    for attempt in silent:
        assert attempt.call_sid is not None  # a verdict comes with the call's name
        try:
            carrier.end(attempt.call_sid)
            ended += 1
        except (CarrierError, CarrierUnknownError) as error:
            # The next tick tries again; at the latest the first silence ends the call.
            log.warning("machine_not_hung_up_on", attempt_id=attempt.id, error=type(error).__name__)
    return ended


def _has_pressed(attempt: Attempt) -> bool:
    if attempt.dialogue is None:
        return False
    try:
        return engine.load(dict(attempt.dialogue)).has_pressed
    except InvariantError:
        return False  # a damaged row: its call cannot go on, and the other machines wait
