"""One webhook of a running call: the keys come in, the next turn goes out, the answers are kept.

Decides, in one short transaction, whether a webhook is new (then the engine advances and its answers are kept),
old (then its old reply is given again), from the future or of a call that is over. So a webhook that comes
twice, late or out of order changes nothing. What is asked was decided by the engine, whether there is still
room by the cell's counters; what the call meant for its case is decided in `closing.py`.
"""

from __future__ import annotations

from datetime import datetime

from ivr.catalogue import Catalogue
from ivr.errors import NotFoundError
from ivr.fieldwork import appointments, late
from ivr.fieldwork.quick import Desk
from ivr.fieldwork.replies import (
    CallCalendar,
    Days,
    Reply,
    again,
    is_end,
    name_of,
    to_mapping,
    without_records,
    wordless,
)
from ivr.logs import get_logger
from ivr.store import Database, Session, attempts, events, interviews, optouts, prompts, questionnaires, quotas, turns
from ivr.survey import interview as engine
from ivr.survey.disposition import is_machine
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import Keypress, Prompt, Signal, Silence, Turn

log = get_logger(__name__)

GOODBYE_UNKNOWN = "technical_apology"
"""Said when a call that was thought lost is answered after its cell was promised to others."""

VOICEMAIL = "voicemail"

OffersDays = CallCalendar

__all__ = ["Desk", "OffersDays", "Reply", "answer"]


def answer(
    database: Database,
    catalogue: Catalogue,
    calendar: CallCalendar,
    attempt_id: str,
    turn: int,
    signal: Signal,
    call_sid: str,
    now: datetime,
    *,
    desk: Desk | None = None,
) -> Reply:
    """The reply to webhook `turn` of this attempt's call (0: the call was answered; the signal means nothing then).

    desk: answers the ordinary keys of running calls quickly, with the same result. NotFoundError when there is no
    such attempt. Everything is committed when this returns.
    """
    if desk is not None and (reply := desk.answer(attempt_id, turn, signal, call_sid, now)) is not None:
        return reply
    # Holidays and prayer times are worked out before the transaction: it locks others out on SQLite.
    days = calendar.offered_days(now) if turn == 0 else ()
    with database.write() as session:
        call = turns.load_call(session, attempt_id)
        if call is None:
            raise NotFoundError(f"There is no attempt {attempt_id}.")
        if call.call_sid is not None and call.call_sid != call_sid:
            log.warning("webhook_of_another_call", attempt_id=attempt_id, call_sid=call_sid)
            return _stray(session, call, "another_call", turn, now, wordless(call))
        if call.turn < 0:
            return _begin(session, catalogue, days, call, call_sid, now)
        if turn <= call.turn:
            kept = call.reply if turn == call.turn else turns.reply_to(session, attempt_id, turn)
            return _stray(session, call, "repeated", turn, now, again(call, kept, turn))
        if turn > call.turn + 1 or is_end(call.reply):
            kept = wordless(call) if call.state == "closed" else again(call, call.reply, call.turn)
            return _stray(session, call, "early" if turn > call.turn + 1 else "after_the_end", turn, now, kept)
        if call.state == "closed":
            if isinstance(signal, Keypress):
                late.take_in(session, catalogue, calendar, call, signal, now)
            return _stray(session, call, "after_the_call", turn, now, wordless(call))
        return _advance(session, catalogue, call, signal, now)


def _stray(session: Session, call: turns.Call, what: str, turn: int, now: datetime, reply: Reply) -> Reply:
    """A webhook that changes nothing of the call is written down all the same. Ordinary ones are rows of `turns`."""
    events.add(session, "webhook", now, attempt_id=call.attempt_id, what=what, turn=turn)
    return reply


def _begin(session: Session, catalogue: Catalogue, days: Days, call: turns.Call, call_sid: str, now: datetime) -> Reply:
    if call.direction == "outbound":
        adoption = attempts.adopt(session, call.attempt_id, call_sid, now)
        stands = "placed" if adoption == "go" else attempts.get(session, call.attempt_id).state
        events.add(
            session, "answered", now, attempt_id=call.attempt_id, call_sid=call_sid, adoption=adoption, state=stands
        )
        if adoption == "full":
            id, version = _chosen(session, catalogue, call)
            return _last_words(session, call, GOODBYE_UNKNOWN, "begin", id, version, now)
        if adoption != "go":
            return wordless(call)
    elif call.state == "closed":
        return wordless(call)
    else:
        events.add(session, "answered", now, attempt_id=call.attempt_id, call_sid=call_sid, adoption="go")
    phone = call.phone_hash or turns.phone_of(session, call.case_id, call.phone_rank)
    codes = turns.sharers(session, call, phone) if phone is not None and not call.is_test else ()
    own = None if call.is_test else interviews.unfinished(session, call.case_id)
    # Whoever on a shared number broke off goes on in the version it began with; the code tells later who it is.
    begun = own or next(filter(None, (interviews.unfinished(session, int(one)) for _, one in codes)), None)
    id, version = (begun.questionnaire, begun.version) if begun else _chosen(session, catalogue, call)
    questionnaire = _frozen(session, catalogue, id, version, now)
    occasion = engine.Occasion(
        service=call.service,
        codes=codes,
        days=appointments.keepable(
            session,
            days,
            call.attempt_id,
            phone,
            catalogue.fieldwork,
            now,
            rings_now=call.direction == "outbound",
        ),
        # On a shared number nobody knows yet whose earlier answers they would be: the code will tell.
        earlier=own.answers if own and not codes else (),
        earlier_of=_earlier_of(session, codes, questionnaire),
        direction="inbound" if call.direction == "inbound" else "outbound",
    )
    state, turn = engine.begin(questionnaire, occasion)
    return _keep(session, call, questionnaire, state, turn, "begin", now)


def _advance(session: Session, catalogue: Catalogue, call: turns.Call, signal: Signal, now: datetime) -> Reply:
    reply, dialogue = call.reply or {}, call.dialogue
    if dialogue is None:
        return wordless(call)
    before = engine.load(dialogue)
    if isinstance(signal, Silence) and is_machine(call.answered_by) and not before.has_pressed:
        return _leave_machine(session, catalogue, call, now)
    questionnaire = questionnaires.load(session, reply["questionnaire"], reply["version"])
    state, turn = engine.advance(questionnaire, before, signal)
    return _keep(session, call, questionnaire, state, turn, name_of(signal), now)


def _leave_machine(session: Session, catalogue: Catalogue, call: turns.Call, now: datetime) -> Reply:
    """The carrier heard a machine and no key contradicts it: hang up, at the third machine after saying who called.

    The engine is not advanced, so that closing judges the call by the verdict.
    """
    met = sum(past["outcome"] == "answering_machine" for past in attempts.history(session, call.case_id))
    if met != catalogue.fieldwork.silent_voicemails:
        return wordless(call)
    reply = call.reply or {}
    return _last_words(session, call, VOICEMAIL, "silence", reply["questionnaire"], reply["version"], now)


def _last_words(
    session: Session, call: turns.Call, prompt: str, signal: str, id: str, version: int, now: datetime
) -> Reply:
    """An end without a question, past the engine; kept like any turn, so that a repeat hears the same."""
    turn, number = Turn(announces=(Prompt(prompt),)), call.turn + 1
    turns.save(
        session,
        call.attempt_id,
        turn=number,
        signal=signal,
        reply=to_mapping(turn, id, version),
        dialogue=call.dialogue,
        interview_id=call.interview_id,
        now=now,
    )
    return Reply(turn, number, call.order_id, id, version, call.voiced_at)


def _keep(
    session: Session,
    call: turns.Call,
    questionnaire: Questionnaire,
    state: engine.Interview,
    turn: Turn,
    signal: str,
    now: datetime,
) -> Reply:
    """Keep all that this turn brought, and the reply with it."""
    interview_id = call.interview_id
    if not call.is_test:
        if interview_id is None and state.has_begun:
            interview_id = _interview_for(session, call, questionnaire, state.identified, now)
        if interview_id is not None:
            interviews.record(session, interview_id, turn.records, mode="telephone", now=now)
            if state.is_over and state.outcome is not None:
                interviews.end(session, interview_id, state.outcome, now)
        if state.is_over and state.outcome == "never_call_again":
            _never_again(session, call, now)
    number = call.turn + 1
    turns.save(
        session,
        call.attempt_id,
        turn=number,
        signal=signal,
        reply=to_mapping(turn, questionnaire.id, questionnaire.version),
        dialogue=engine.dump(state),
        interview_id=interview_id,
        now=now,
    )
    if interview_id is not None and state.usable and interviews.mark_usable(session, interview_id, now):
        # At that moment it counts, whatever follows. After the save: what counts must find the attempt's interview.
        quotas.spend(session, call.attempt_id, interview_id, now)
    return Reply(without_records(turn), number, call.order_id, questionnaire.id, questionnaire.version, call.voiced_at)


def _earlier_of(
    session: Session, codes: tuple[tuple[str, str], ...], questionnaire: Questionnaire
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """For each person with a code the answers of an interview that this version of the questionnaire can go on with."""
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for _, reference in codes:
        earlier = interviews.unfinished(session, int(reference))
        if earlier and (earlier.questionnaire, earlier.version) == (questionnaire.id, questionnaire.version):
            found.append((reference, earlier.answers))
    return tuple(found)


def _interview_for(
    session: Session, call: turns.Call, questionnaire: Questionnaire, identified: str | None, now: datetime
) -> str:
    """The interview of the person on the line: gone on with, or new. On a shared number the letter's code tells who."""
    case_id = int(identified) if identified else call.case_id
    earlier = interviews.unfinished(session, case_id)
    if earlier and (earlier.questionnaire, earlier.version) == (questionnaire.id, questionnaire.version):
        interviews.reopen(session, earlier.id, mode="telephone", cell_id=call.cell_id)
        return earlier.id
    return interviews.start(
        session,
        case_id=case_id,
        cell_id=call.cell_id,
        questionnaire=questionnaire.id,
        version=questionnaire.version,
        mode="telephone",
        now=now,
    )


def _never_again(session: Session, call: turns.Call, now: datetime) -> None:
    phone = call.phone_hash or turns.phone_of(session, call.case_id, call.phone_rank)
    if phone is not None:
        optouts.add(session, phone, "key", now)


def _chosen(session: Session, catalogue: Catalogue, call: turns.Call) -> tuple[str, int]:
    """Which questionnaire a new interview gets (domain rule 7), in a version that this order has audio for."""
    id = "inburgering" if call.service == 11 else "laagdrempelig"
    voiced = prompts.voiced_versions(session, call.order_id).get(id) if call.order_id is not None else None
    return id, voiced if voiced is not None else catalogue.questionnaires[id].version


def _frozen(session: Session, catalogue: Catalogue, id: str, version: int, now: datetime) -> Questionnaire:
    try:
        return questionnaires.load(session, id, version)
    except NotFoundError:
        current = catalogue.questionnaires[id]
        if current.version != version:
            raise
        questionnaires.freeze(session, current, now)
        return current
