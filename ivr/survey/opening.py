"""From the greeting to the first question: who we are, the right person, the letter's code, a practice key.

Neither school nor course is named before the right person has been confirmed: a housemate may answer.
"""

from __future__ import annotations

from ivr.survey.arranging import start_later, start_refusing
from ivr.survey.asking import next_question, with_earlier
from ivr.survey.ending import end, end_later
from ivr.survey.keypad import AGAIN, FREE_KEYS, TRIES, UNCLEAR
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.state import Interview, Reply, ask, changed, enter, key_of, listen, menu_again, misses, say
from ivr.survey.turn import Signal, Wish

CODE_DIGITS = 4
FETCH_ROUNDS = 6
FETCH_SECONDS = 5.5
"""Each round is a spoken line of about two seconds and this wait: six rounds make the 45 seconds."""


def greet(interview: Interview) -> Reply:
    """The introduction cannot be interrupted: it must be heard. Then the three keys."""
    menu = ask(say("greeting_menu"), announces=say(*_introduction(interview)))
    return enter(interview, "greeting"), menu


def _introduction(interview: Interview) -> tuple[str, ...]:
    opening = "greeting_inbound" if interview.occasion.direction == "inbound" else "greeting"
    # Who goes on where they were needs fewer minutes than a whole interview takes.
    minutes = () if interview.occasion.earlier else ("greeting_minutes",)
    return (opening, *minutes, "greeting_voluntary")


def on_greeting(interview: Interview, signal: Signal) -> Reply:
    interview, heard = listen(interview, signal, "123")
    if heard == "key":
        if key_of(signal) == "1":
            return enter(interview, "right_person"), ask(say("right_person"))
        return start_later(interview) if key_of(signal) == "2" else start_refusing(interview)
    if interview.silences >= 2 and not interview.has_pressed:
        # A voicemail is silent too: this must never look like a refusal.
        return end(interview, "no_interaction")
    if misses(interview) >= TRIES:
        return end(interview, "hung_up_introduction")
    if heard in ("silence", "again", "unclear"):
        return interview, ask(say(*_introduction(interview), "greeting_menu", slow=True))
    return menu_again(interview, heard, ("greeting_menu",))


def on_right_person(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    interview, heard = listen(interview, signal, "12")
    if heard == "key" and key_of(signal) == "1":
        if interview.occasion.codes:
            return enter(interview, "code"), ask(say("code"), digits=CODE_DIGITS)
        return _known(questionnaire, interview)
    if heard == "key":
        if interview.was_fetched:
            return start_later(interview)
        return enter(interview, "person_home"), ask(say("person_home"))
    if misses(interview) >= TRIES:
        return end(interview, "hung_up_introduction")
    return menu_again(interview, heard, ("right_person",))


def on_person_home(interview: Interview, signal: Signal) -> Reply:
    interview, heard = listen(interview, signal, "12")
    if heard == "key" and key_of(signal) == "1":
        return enter(interview, "fetching"), ask(say("fetch_start"), seconds=FETCH_SECONDS)
    if heard == "key":
        return start_later(interview)
    if misses(interview) >= TRIES:
        return end_later(interview, Wish())
    return menu_again(interview, heard, ("person_home",))


def on_fetching(interview: Interview, signal: Signal) -> Reply:
    """Somebody walks through the house. Whoever comes hears the whole greeting: they may refuse too."""
    interview, heard = listen(interview, signal, "1", free="")
    if heard == "key":
        return greet(enter(interview, "greeting", was_fetched=True))
    if misses(interview) >= FETCH_ROUNDS:
        return end_later(interview, Wish(), "fetch_over")
    return interview, ask(say("fetch_wait"), seconds=FETCH_SECONDS)


def on_code(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """Only the right code makes a person known on a number that people share."""
    keyed = key_of(signal)
    reference = dict(interview.occasion.codes).get(keyed)
    if reference is not None:
        known = enter(interview, "code", identified=reference, has_pressed=True)
        if earlier := dict(interview.occasion.earlier_of).get(reference):
            known = with_earlier(questionnaire, known, earlier)
        return _known(questionnaire, known)
    if keyed in (AGAIN, UNCLEAR) and interview.free < FREE_KEYS:
        interview = changed(interview, free=interview.free + 1, has_pressed=True)
        return interview, ask(say("code", slow=True), digits=CODE_DIGITS)
    interview, heard = listen(interview, signal, "", free="")
    if misses(interview) >= TRIES:
        return end_later(interview, Wish(), "code_failed")
    if heard == "silence":
        return interview, ask(say("code", slow=True), digits=CODE_DIGITS)
    return interview, ask(say("code_wrong", "code"), digits=CODE_DIGITS)


def _known(questionnaire: Questionnaire, interview: Interview) -> Reply:
    if interview.occasion.earlier:
        # Who has answered before needs no practice.
        return start_questions(questionnaire, interview)
    return enter(interview, "practice"), ask(say("practice"))


def on_practice(questionnaire: Questionnaire, interview: Interview, signal: Signal) -> Reply:
    """Helped twice, then on with it: nobody fails at practising."""
    interview, heard = listen(interview, signal, "1", free=AGAIN)
    if heard == "key":
        return start_questions(questionnaire, interview, "practice_done")
    if heard == "again":
        return menu_again(interview, heard, ("practice",))
    if misses(interview) >= TRIES:
        return start_questions(questionnaire, interview, "practice_skipped")
    return interview, ask(say("practice_help" if misses(interview) == 1 else "practice_help_more"))


def start_questions(questionnaire: Questionnaire, interview: Interview, *first: str) -> Reply:
    """What it is about, now that the person is known; then the first question that has no answer yet."""
    ids = (*first, *(("resume",) if interview.occasion.earlier else ()), "about")
    if interview.occasion.direction != "web":
        ids = (*ids, "about_keys")
    return next_question(questionnaire, interview, announces=say(*ids))
