"""The engine: a pure function from a signal to the next turn, doing the whole call of docs/call.md.

    begin(questionnaire, occasion)            → (Interview, Turn)
    advance(questionnaire, interview, signal) → (Interview, Turn)

It knows neither database nor carrier: the same function serves the phone, the read-aloud web page, the
softphone and the rehearsal. `dump`/`load` turn the state into JSON and back without loss.

    greeting ─1→ right_person ─1→ [code] → practice → question ⇄ digit, grade_check, still_there → over
        │             └2→ person_home ─1→ fetching → greeting
        ├2→ later_day → later_part → later_check → over
        └3→ not_taking_part → never_check → over

The steps live in `opening.py`, `arranging.py`, `asking.py`; endings in `ending.py`; the state in `state.py`.
A person may hang up at every step, silence is a signal like a key, and every step ends after a bounded number
of signals whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable

from ivr.errors import InvariantError
from ivr.survey import arranging, asking, opening
from ivr.survey.ending import hang_up
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.state import Interview, Occasion, Outcome, Reply, Step, dump, load
from ivr.survey.turn import HungUp, Signal, Turn

__all__ = ["Interview", "Occasion", "Outcome", "Step", "advance", "begin", "dump", "load"]

_ALONE: dict[Step, Callable[[Interview, Signal], Reply]] = {
    "greeting": opening.on_greeting,
    "not_taking_part": arranging.on_not_taking_part,
    "never_check": arranging.on_never_check,
    "later_day": arranging.on_later_day,
    "later_part": arranging.on_later_part,
    "later_check": arranging.on_later_check,
    "person_home": opening.on_person_home,
    "fetching": opening.on_fetching,
}
_WITH_QUESTIONS: dict[Step, Callable[[Questionnaire, Interview, Signal], Reply]] = {
    "right_person": opening.on_right_person,
    "code": opening.on_code,
    "practice": opening.on_practice,
    "question": asking.on_question,
    "digit": asking.on_digit,
    "grade_check": asking.on_grade_check,
    "still_there": asking.on_still_there,
}


def begin(questionnaire: Questionnaire, occasion: Occasion) -> Reply:
    """The first turn of a call, or the first open question of a web visit.

    Answers of an earlier call (`occasion.earlier`) are kept, never read out, and not asked again; a question that
    was passed over in silence is. An answer to a question this questionnaire does not have is refused:
    InvariantError (resume with the version it began with).
    """
    known = {question.id for question in questionnaire.questions}
    kept = (*occasion.earlier, *(pair for _, pairs in occasion.earlier_of for pair in pairs))
    if unknown := {question for question, _ in kept} - known:
        raise InvariantError(
            f"{questionnaire.id} version {questionnaire.version} has no question {min(unknown)}: "
            "an interview goes on with the version it began with."
        )
    interview = Interview(questionnaire.id, questionnaire.version, occasion, step="greeting")
    interview = asking.with_earlier(questionnaire, interview, occasion.earlier)
    if occasion.direction == "web":
        return opening.start_questions(questionnaire, interview)
    return opening.greet(interview)


def advance(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """What happens after a key, a silence or hanging up. Deterministic; after the end it changes and says nothing.

    Raises InvariantError when the interview was begun with another questionnaire or version.
    """
    if (questionnaire.id, questionnaire.version) != (interview.questionnaire, interview.version):
        raise InvariantError(
            f"This interview was begun with {interview.questionnaire} version {interview.version}, "
            f"not with {questionnaire.id} version {questionnaire.version}."
        )
    if interview.is_over:
        return interview, Turn()
    if isinstance(signal, HungUp):
        return hang_up(interview), Turn()
    if handler := _ALONE.get(interview.step):
        return handler(interview, signal)
    return _WITH_QUESTIONS[interview.step](questionnaire, interview, signal)
