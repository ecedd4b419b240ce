"""Where the engine begins, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.errors import InvariantError
from ivr.survey.interview import Occasion, advance, begin, dump, load
from ivr.survey.questionnaire import Condition, Option, Question, Questionnaire, Remark
from ivr.survey.turn import Answer, Awaits, HungUp, Keypress, Prompt, Silence, Wish

YES_NO = (Option("1", "ja", "Ja"), Option("2", "nee", "Nee"), Option("0", "weet_niet", "U weet het niet", True))
SMALL = Questionnaire(
    id="klein",
    version=3,
    title="Klein",
    minutes=1,
    questions=(
        Question("A", "single", "Was het goed?", "Goed", YES_NO, is_aspect=True),
        Question("B", "single", "Waarom?", "Reden", YES_NO, is_aspect=True, condition=Condition("A", ("nee",))),
        Question("C", "single", "En nu?", "Nu", YES_NO, remark=Remark("C.remark", "Denk aan nu.")),
    ),
)


def _answering(*keys: str, earlier: tuple[tuple[str, str], ...] = ()):
    reply = begin(SMALL, Occasion(1, earlier=earlier, direction="web"))
    for key in keys:
        reply = advance(SMALL, reply[0], Keypress(key))
    return reply


def test_phone_begins_with_the_greeting_and_nothing_has_begun() -> None:
    interview, turn = begin(SMALL, Occasion(1))
    assert [prompt.id for prompt in turn.announces] == ["greeting", "greeting_minutes", "greeting_voluntary"]
    assert turn.awaits == Awaits(1, 8.0)
    assert not interview.has_begun
    assert interview.question is None
    assert not interview.is_over


def test_web_begins_with_the_first_question() -> None:
    interview, turn = begin(SMALL, Occasion(1, direction="web"))
    assert interview.has_begun
    assert turn.announces == (Prompt("about"),)
    assert turn.asks == (Prompt("A"),)


def test_usable_comes_with_the_last_shown_aspect_and_not_before() -> None:
    assert not _answering("2")[0].usable
    assert _answering("2", "1")[0].usable
    assert _answering("1")[0].usable


def test_remark_is_announced_before_its_question() -> None:
    _, turn = _answering("1")
    assert turn.announces == (Prompt("C.remark"),)
    assert turn.records == (Answer("A", "ja"),)


def test_going_on_asks_only_what_has_no_answer() -> None:
    interview, turn = _answering(earlier=(("A", "nee"), ("B", "ja")))
    assert interview.question == "C"
    assert interview.usable
    assert turn.records == ()
    assert Prompt("resume") in turn.announces


def test_what_was_passed_over_in_silence_is_put_again() -> None:
    interview, _ = _answering(earlier=(("A", "geen_antwoord"), ("C", "ja")))
    assert interview.question == "A"
    interview, turn = advance(SMALL, interview, Keypress("1"))
    assert turn.records == (Answer("A", "ja"),)
    assert interview.outcome == "complete"


def test_silence_that_others_lean_on_is_not_put_again() -> None:
    negated = replace(SMALL.questions[1], condition=Condition("A", ("ja",), is_negated=True))
    form = replace(SMALL, questions=(SMALL.questions[0], negated, SMALL.questions[2]))
    interview, _ = begin(form, Occasion(1, earlier=(("A", "geen_antwoord"), ("B", "ja")), direction="web"))
    assert interview.question == "C"


def test_answers_to_unknown_questions_are_refused() -> None:
    with pytest.raises(InvariantError, match="version it began with"):
        begin(SMALL, Occasion(1, earlier=(("X", "ja"),)))
    with pytest.raises(InvariantError, match="version it began with"):
        begin(SMALL, Occasion(1, codes=(("1234", "a"),), earlier_of=(("a", (("X", "ja"),)),)))


def test_another_version_cannot_go_on() -> None:
    interview, _ = begin(SMALL, Occasion(1))
    with pytest.raises(InvariantError, match="version 3"):
        advance(replace(SMALL, version=4), interview, Silence())


def test_wish_is_kept_only_with_an_appointment() -> None:
    interview, _ = begin(SMALL, Occasion(1, days=(("morgen", ("ochtend", "avond")),)))
    for key in ("2", "2", "3"):
        interview, _ = advance(SMALL, interview, Keypress(key))
    assert interview.wish == Wish("morgen", "avond")
    agreed, _ = advance(SMALL, interview, Keypress("1"))
    assert (agreed.outcome, agreed.wish) == ("appointment", Wish("morgen", "avond"))
    denied, _ = advance(SMALL, interview, Keypress("2"))
    assert denied.wish is None


def test_hanging_up_after_the_goodbye_changes_nothing() -> None:
    interview, _ = begin(SMALL, Occasion(1))
    for signal in (Silence(), Silence()):
        interview, _ = advance(SMALL, interview, signal)
    assert interview.outcome == "no_interaction"
    assert advance(SMALL, interview, HungUp())[0] == interview


def test_state_of_something_else_is_refused() -> None:
    kept = dump(begin(SMALL, Occasion(1))[0])
    for broken in ({}, {**kept, "step": "nowhere"}, {**kept, "outcome": "won"}, {**kept, "answers": None}):
        with pytest.raises(InvariantError):
            load(broken)
