"""Somebody calls us: back after a missed call, after a letter, or to finish what was begun.

Decides who it is (by the number, and by the letter's code where people share it) and whether there is an interview
to hold; then it is a call like any other, only without a planned attempt. No interview: who calls from here, and
the number of a human.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ivr.catalogue import Catalogue
from ivr.fieldwork import interviewing
from ivr.fieldwork.interviewing import OffersDays, Reply
from ivr.logs import get_logger
from ivr.store import Database, Session, inbound, trials
from ivr.store.inbound import Caller
from ivr.survey.turn import Silence

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a caller without an interview hears before the call ends. sha256: its audio, if any order has it."""

    prompt: str
    sha256: str | None


def answer_inbound(
    database: Database, catalogue: Catalogue, calendar: OffersDays, phone_hash: str, call_sid: str, now: datetime
) -> tuple[str, Reply] | Spoken:
    """The first webhook of an inbound call: (attempt id, reply), or what to say to someone without an interview.

    The same webhook twice finds its own attempt by the CallSid and gets the same reply.
    """
    with database.write() as session:
        attempt_id = inbound.attempt_with(session, call_sid) or trials.expected(session, phone_hash, call_sid, now)
        if attempt_id is None:
            caller = inbound.caller(session, phone_hash)
            if caller is None:
                return _say(session, "inbound_unknown")
            if caller.case_id is None:
                return _say(session, _without_interview(caller))
            attempt_id = inbound.begin_inbound(session, caller.case_id, phone_hash, call_sid, now)
            if attempt_id is None:
                return _say(session, "inbound_full")
    log.info("phoned_in", attempt_id=attempt_id)
    reply = interviewing.answer(database, catalogue, calendar, attempt_id, 0, Silence(), call_sid, now)
    return attempt_id, reply


def attempt_of(database: Database, call_sid: str) -> str | None:
    """The attempt that this call is; None for a caller without an interview."""
    with database.read() as session:
        return inbound.attempt_with(session, call_sid)


def _without_interview(caller: Caller) -> str:
    """The phrase for somebody we know, who cannot be interviewed by telephone now. It only says what is true."""
    if caller.is_full or (caller.is_by_web and not caller.is_waiting):
        # The calls stopped without a word to this person, or never came: the page is open to them.
        return "inbound_full"
    if caller.is_waiting:
        return "inbound_later"
    return "inbound_done" if caller.is_answered else "inbound_closed"


def _say(session: Session, prompt: str) -> Spoken:
    return Spoken(prompt, inbound.anybodys_sound(session, prompt))
