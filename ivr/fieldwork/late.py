"""A key that reaches us after the carrier said that the call was over: somebody answered, so it is an answer.

Decides that the answer is kept, that the call stays closed, and what the key changes about how the call is judged:
an interview may have become usable by it, "call me never again" holds whenever it arrives. Silence that comes late
says nothing. A key only counts for the turn that the call stood at: whatever is older was answered already.
"""

from __future__ import annotations

from datetime import datetime

from ivr.catalogue import Catalogue
from ivr.fieldwork import closing, replies, working
from ivr.logs import get_logger
from ivr.store import Session, attempts, events, interviews, optouts, questionnaires, quotas, turns
from ivr.survey import interview as engine
from ivr.survey.callplan import OpenHours
from ivr.survey.turn import HungUp, Keypress

log = get_logger(__name__)

_JUDGED_BY_THE_ENGINE = frozenset(
    {"complete", "partial", "unusable", "break_off", "refusal", "never_call_again", "appointment"}
    | {"hung_up_introduction", "no_interaction", "wrong_person", "language_problem", "answering_machine"}
)


def take_in(
    session: Session, catalogue: Catalogue, calendar: OpenHours, call: turns.Call, key: Keypress, now: datetime
) -> None:
    """Keep what this key answers, and judge the closed call again. The caller knows that it is the open turn's key."""
    if call.dialogue is None or call.reply is None or call.is_test:
        return
    before = engine.load(call.dialogue)
    if before.is_over:
        return
    id, version = call.reply["questionnaire"], call.reply["version"]
    questionnaire = questionnaires.load(session, id, version)
    living, turn = engine.advance(questionnaire, before, key)
    if living.has_begun and call.interview_id is None:
        return  # The interview never began; it does not begin in a call that is over.
    ended, _ = engine.advance(questionnaire, living, HungUp())
    turns.save(
        session,
        call.attempt_id,
        turn=call.turn + 1,
        signal="key",
        reply=replies.to_mapping(replies.HANGUP, id, version),
        dialogue=engine.dump(living),
        interview_id=call.interview_id,
        now=now,
    )
    events.add(session, "late_key", now, attempt_id=call.attempt_id, turn=call.turn + 1)
    log.info("late_key", attempt_id=call.attempt_id, turn=call.turn + 1)
    if call.interview_id is not None:
        interviews.record(session, call.interview_id, turn.records, mode="telephone", now=now)
        if ended.outcome is not None:
            interviews.end_anew(session, call.interview_id, ended.outcome, now)
        if living.usable and interviews.mark_usable(session, call.interview_id, now):
            quotas.spend(session, call.attempt_id, call.interview_id, now)
    if ended.outcome == "never_call_again":
        phone = call.phone_hash or turns.phone_of(session, call.case_id, call.phone_rank)
        if phone is not None:
            optouts.add(session, phone, "key", now)
    if ended.outcome is not None:
        _judge_again(session, catalogue, calendar, call, ended, now)


def _judge_again(
    session: Session,
    catalogue: Catalogue,
    calendar: OpenHours,
    call: turns.Call,
    ended: engine.Interview,
    now: datetime,
) -> None:
    attempt = attempts.get(session, call.attempt_id)
    assert ended.outcome is not None
    if attempt.outcome == ended.outcome or attempt.outcome not in _JUDGED_BY_THE_ENGINE:
        return
    attempts.note(session, attempt.id, outcome=ended.outcome)
    events.add(session, "corrected", now, attempt_id=attempt.id, outcome=ended.outcome)
    history = attempts.history(session, attempt.case_id)
    if history and history[-1]["id"] == attempt.id:
        closing.settle_case(session, catalogue, calendar, attempt, ended.outcome, now, by="late_key", wish=ended.wish)
    working.settle_cell(session, attempt.cell_id, now)
