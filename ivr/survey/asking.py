"""The questions of a call: putting them, taking keys, passing over, and knowing when the interview is usable.

Reachable without a greeting: a web page begins here. Decides nothing of what a key is worth (`keypad.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ivr.survey.ending import breaking_off, end
from ivr.survey.keypad import (
    AGAIN,
    DIGIT_SECONDS,
    FREE_KEYS,
    GEEN_ANTWOORD,
    NIET_BEGREPEN,
    TRIES,
    UNCLEAR,
    Entry,
    first_digit,
    is_substantive,
    second_digit,
    whole_number,
)
from ivr.survey.questionnaire import Question, Questionnaire
from ivr.survey.state import Interview, Reply, ask, changed, enter, key_of, listen, menu_again, say
from ivr.survey.turn import Answer, Awaits, Prompt, Signal, Silence, Turn

GRADE_ROUNDS = 3
"""So often a grade may be asked because its read-back was denied."""
UNCLEAR_TRIES = 2
SILENT_QUESTIONS = 2
"""So many questions passed over in silence in a row, and we ask whether anybody is there."""


def with_earlier(questionnaire: Questionnaire, interview: Interview, earlier: tuple[tuple[str, str], ...]) -> Interview:
    """The interview with the answers of an earlier call: kept, and asked again only where nobody answered."""
    answers = dict(earlier)
    return changed(
        interview,
        occasion=replace(interview.occasion, earlier=earlier),
        answers=answers,
        repeat=_to_repeat(questionnaire, answers),
        usable=is_usable(questionnaire, answers, interview.occasion.service),
    )


def _to_repeat(questionnaire: Questionnaire, earlier: dict[str, str]) -> tuple[str, ...]:
    """The questions that an earlier call passed over in silence: nobody answered them, so they are put again.

    Not those on which an answered question hangs: that answer must not lose its ground.
    """
    leaned_on = {q.condition.question for q in questionnaire.questions if q.id in earlier and q.condition is not None}
    return tuple(
        question.id
        for question in questionnaire.questions
        if earlier.get(question.id) == GEEN_ANTWOORD and question.id not in leaned_on
    )


def is_usable(questionnaire: Questionnaire, answers: Mapping[str, str], service: int) -> bool:
    """Every shown aspect was put, and at least half of them were answered substantively."""
    shown = substantive = 0
    for question in questionnaire.questions:
        if not question.is_aspect:
            continue
        if question.condition is not None and not question.condition.is_decided(answers):
            return False
        if not question.applies(answers, service):
            continue
        if question.id not in answers:
            return False
        shown += 1
        substantive += is_substantive(answers[question.id])
    return shown > 0 and 2 * substantive >= shown


def next_question(
    questionnaire: Questionnaire,
    interview: Interview,
    *,
    announces: tuple[Prompt, ...] = (),
    records: tuple[Answer, ...] = (),
) -> Reply:
    """Put the first question that applies and has no answer; say goodbye when there is none."""
    question = _open_question(questionnaire, interview)
    if question is None:
        # Also when nothing was left to put: the person is known, and the interview is there.
        begun = changed(interview, has_begun=True)
        return end(begun, "complete" if begun.usable else "unusable", records=records)
    remarks = _remarks(questionnaire, interview, question)
    put = enter(
        interview,
        "question",
        question=question.id,
        has_begun=True,
        repeat=tuple(id for id in interview.repeat if id != question.id),
    )
    return put, ask(say(question.id), announces=announces + remarks, records=records)


def _open_question(questionnaire: Questionnaire, interview: Interview) -> Question | None:
    for question in questionnaire.questions:
        is_open = question.id not in interview.answers or question.id in interview.repeat
        if is_open and question.applies(interview.answers, interview.occasion.service):
            return question
    return None


def _remarks(questionnaire: Questionnaire, interview: Interview, question: Question) -> tuple[Prompt, ...]:
    """The question's own remark; in a resumed call also those that were said before earlier questions."""
    ids: list[str] = []
    for candidate in questionnaire.questions:
        if candidate.id != question.id and (interview.has_begun or candidate.id not in interview.answers):
            continue
        remark = candidate.remark
        if remark and (
            remark.condition is None or remark.condition.holds(interview.answers, interview.occasion.service)
        ):
            ids.append(remark.id)
        if candidate.id == question.id:
            break
    return say(*ids)


def on_question(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """A key or silence where a question awaits its first key."""
    question = _current(questionnaire, interview)
    is_number = question.kind != "single"
    if is_number and _comes_whole(interview, key_of(signal)):
        return _on_whole_number(questionnaire, interview, question, key_of(signal))
    keys = "0123456789" if is_number else "".join(option.key for option in question.options)
    interview, heard = listen(interview, signal, keys)
    if heard == "silence":
        if interview.silences >= TRIES:
            return _pass_over(questionnaire, interview, in_silence=True)
        return interview, ask(say(question.id, slow=True))
    if heard == "unclear":
        if interview.unclear >= UNCLEAR_TRIES:
            return _record(questionnaire, interview, NIET_BEGREPEN)
        return interview, ask(say(question.id, slow=True))
    if heard == "again":
        return interview, ask(say(question.id, slow=True))
    if heard == "keys":
        return interview, ask(say("which_keys", f"{question.id}.keys"))
    if heard == "wrong":
        return _after_wrong(questionnaire, interview, question)
    if is_number:
        return _on_entry(questionnaire, interview, question, first_digit(question, key_of(signal)))
    option = question.option(key_of(signal))
    assert option is not None
    return _record(questionnaire, interview, option.code)


def _comes_whole(interview: Interview, digits: str) -> bool:
    return len(digits) > 1 or (interview.occasion.direction == "web" and digits not in ("", AGAIN, UNCLEAR))


def _on_whole_number(questionnaire: Questionnaire, interview: Interview, question: Question, digits: str) -> Reply:
    """A page sends the number whole, so its 1 is a 1: no pause, no read-back."""
    option = question.option(digits)
    entry = Entry("answer", option.code) if option else whole_number(question, digits)
    return _on_entry(questionnaire, changed(interview, has_pressed=True), question, entry)


def on_digit(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """The key after a first digit, or its absence."""
    question = _current(questionnaire, interview)
    if isinstance(signal, Silence) or not key_of(signal):
        return _on_entry(questionnaire, interview, question, second_digit(question, interview.entered, None))
    if key_of(signal) == AGAIN and interview.free < FREE_KEYS:
        return on_question(questionnaire, changed(interview, step="question", entered=""), signal)
    return _on_entry(questionnaire, interview, question, second_digit(question, interview.entered, key_of(signal)))


def _on_entry(questionnaire: Questionnaire, interview: Interview, question: Question, entry: Entry) -> Reply:
    if entry.kind == "answer":
        return _record(questionnaire, interview, entry.value)
    if entry.kind == "more":
        return changed(interview, step="digit", entered=entry.value), Turn(awaits=Awaits(1, DIGIT_SECONDS))
    if entry.kind == "check":
        checking = changed(interview, step="grade_check", entered=entry.value, silences=0)
        return checking, ask(say("grade_check"))
    interview = changed(interview, step="question", entered="", wrong=interview.wrong + 1)
    return _after_wrong(questionnaire, interview, question)


def on_grade_check(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """A lone 1 was read back: yes, no, or after all a ten."""
    question = _current(questionnaire, interview)
    interview, heard = listen(interview, signal, "120")
    if heard == "key":
        if key_of(signal) == "1":
            return _record(questionnaire, interview, interview.entered)
        if key_of(signal) == "0":
            return _record(questionnaire, interview, interview.entered + "0")
        interview = changed(interview, step="question", entered="", silences=0, rounds=interview.rounds + 1)
        if interview.rounds >= GRADE_ROUNDS:
            return _pass_over(questionnaire, interview)
        return interview, ask(say(question.id))
    if heard == "silence" and interview.silences >= TRIES:
        return _pass_over(questionnaire, interview, in_silence=True)
    if heard == "unclear" and interview.unclear >= UNCLEAR_TRIES:
        return _record(questionnaire, interview, NIET_BEGREPEN)
    if heard == "wrong" and interview.wrong >= TRIES:
        return _pass_over(questionnaire, interview)
    return menu_again(interview, heard, ("grade_check",))


def on_still_there(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """Any key shows that somebody is there."""
    if key_of(signal):
        interview = changed(interview, passed_in_silence=0, has_pressed=True)
        return next_question(questionnaire, interview, announces=say("go_on"))
    interview, _ = listen(interview, signal, "")
    if interview.silences >= 2:
        return end(interview, breaking_off(interview))
    return interview, ask(say("still_there", slow=True))


def _current(questionnaire: Questionnaire, interview: Interview) -> Question:
    assert interview.question is not None
    return questionnaire.question(interview.question)


def _after_wrong(questionnaire: Questionnaire, interview: Interview, question: Question) -> Reply:
    if interview.wrong >= TRIES:
        return _pass_over(questionnaire, interview)
    return interview, ask(say("wrong_key", f"{question.id}.keys"))


def _record(questionnaire: Questionnaire, interview: Interview, value: str) -> Reply:
    interview, records = _keep(questionnaire, interview, value, passed_in_silence=0)
    return next_question(questionnaire, interview, records=records)


def _pass_over(questionnaire: Questionnaire, interview: Interview, *, in_silence: bool = False) -> Reply:
    passed = interview.passed_in_silence + 1 if in_silence else 0
    interview, records = _keep(questionnaire, interview, GEEN_ANTWOORD, passed_in_silence=passed)
    if passed >= SILENT_QUESTIONS and _open_question(questionnaire, interview) is not None:
        return enter(interview, "still_there"), ask(say("still_there"), records=records)
    return next_question(questionnaire, interview, records=records)


def _keep(
    questionnaire: Questionnaire, interview: Interview, value: str, *, passed_in_silence: int
) -> tuple[Interview, tuple[Answer, ...]]:
    question = _current(questionnaire, interview)
    answers = {**interview.answers, question.id: value}
    usable = interview.usable or is_usable(questionnaire, answers, interview.occasion.service)
    kept = changed(interview, answers=answers, usable=usable, passed_in_silence=passed_in_silence)
    return kept, (Answer(question.id, value),)
