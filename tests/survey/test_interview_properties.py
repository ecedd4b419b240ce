"""What holds for any keys, in any order, at any time."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.catalogue import load_catalogue
from ivr.settings import ROOT
from ivr.survey.interview import Interview, Occasion, advance, begin, dump, load
from ivr.survey.keypad import is_substantive
from ivr.survey.phrases import NEEDED
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.state import changed
from ivr.survey.turn import HungUp, Keypress, Signal, Silence, Turn, from_mapping, to_mapping

CATALOGUE = load_catalogue(ROOT / "config")
BOUND = 900
"""Turns after which any call has ended: 25 questions of at most 8 free keys, 2 silences, 2 wrong keys, and so on."""

keys = st.sampled_from("0123456789*#").map(Keypress)
odd_keys = st.sampled_from(["", "12", "1234", "10", "A", "0000", "*1", "##"]).map(Keypress)
signals = st.one_of(keys, keys, keys, st.just(Silence()), odd_keys)
PARTS = ("ochtend", "middag", "avond")


@st.composite
def occasions(draw: st.DrawFn, questionnaire: Questionnaire) -> Occasion:
    first = questionnaire.questions[0]
    day = st.tuples(
        st.sampled_from(["vanavond", "morgen", "zaterdag", "volgende_week"]),
        st.lists(st.sampled_from(PARTS), unique=True).map(tuple),
    )
    return Occasion(
        service=draw(st.integers(1, 13)),
        codes=draw(st.sampled_from([(), (("1234", "a"), ("0000", "b"))])),
        days=draw(st.lists(day, max_size=4, unique_by=lambda pair: pair[0]).map(tuple)),
        earlier=draw(st.sampled_from([(), ((first.id, "geen_antwoord"),), ((first.id, first.options[0].code),)])),
        direction=draw(st.sampled_from(["outbound", "outbound", "inbound", "web"])),
    )


@st.composite
def calls(draw: st.DrawFn) -> tuple[Questionnaire, Occasion, list[Signal]]:
    questionnaire = CATALOGUE.questionnaires[draw(st.sampled_from(sorted(CATALOGUE.questionnaires)))]
    # Mostly answering: else few calls would come far.
    opening: list[Signal] = [Keypress("1")] * draw(st.integers(0, 14))
    return questionnaire, draw(occasions(questionnaire)), opening + draw(st.lists(signals, max_size=40))


def play(questionnaire: Questionnaire, occasion: Occasion, given_signals: list[Signal]) -> list[tuple[Interview, Turn]]:
    steps = [begin(questionnaire, occasion)]
    for signal in given_signals:
        steps.append(advance(questionnaire, steps[-1][0], signal))
    return steps


@settings(deadline=None)
@given(calls(), st.lists(signals, min_size=1, max_size=12))
def test_any_keys_without_end_end_the_call(
    call: tuple[Questionnaire, Occasion, list[Signal]], for_ever: list[Signal]
) -> None:
    questionnaire, occasion, first = call
    interview, _ = play(questionnaire, occasion, first)[-1]
    turns = len(first)
    while not interview.is_over:
        interview, _ = advance(questionnaire, interview, for_ever[turns % len(for_ever)])
        turns += 1
        assert turns < BOUND


@settings(deadline=None)
@given(calls())
def test_dumping_and_reloading_changes_nothing(call: tuple[Questionnaire, Occasion, list[Signal]]) -> None:
    questionnaire, occasion, given_signals = call
    plain = play(questionnaire, occasion, given_signals)
    interview, turn = begin(questionnaire, occasion)
    for signal, (expected, expected_turn) in zip(given_signals, plain[1:], strict=True):
        interview = load(json.loads(json.dumps(dump(interview))))
        interview, turn = advance(questionnaire, interview, signal)
        assert interview == expected
        assert from_mapping(json.loads(json.dumps(to_mapping(turn)))) == expected_turn


@settings(deadline=None)
@given(calls(), st.integers(0, 5), st.booleans())
def test_a_changed_state_is_the_old_one_but_for_what_was_changed(
    call: tuple[Questionnaire, Occasion, list[Signal]], silences: int, has_pressed: bool
) -> None:
    last, _ = play(*call)[-1]
    expected = replace(last, silences=silences, has_pressed=has_pressed)
    assert changed(last, silences=silences, has_pressed=has_pressed) == expected


@settings(deadline=None)
@given(calls())
def test_the_same_signal_gives_the_same_turn(call: tuple[Questionnaire, Occasion, list[Signal]]) -> None:
    assert play(*call) == play(*call)


@settings(deadline=None)
@given(calls())
def test_usable_never_goes_back(call: tuple[Questionnaire, Occasion, list[Signal]]) -> None:
    for (before, _), (after, _) in pairwise(play(*call)):
        assert after.usable or not before.usable


@settings(deadline=None)
@given(calls())
def test_usable_means_half_of_the_shown_aspects_and_each_was_put(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    """Counted here in another way than the engine does it: over the finished state."""
    questionnaire, occasion, _ = call
    for interview, _ in play(*call):
        if interview.usable:
            shown = [
                q for q in questionnaire.questions if q.is_aspect and q.applies(interview.answers, occasion.service)
            ]
            values = [interview.answers.get(question.id) for question in shown]
            assert None not in values
            assert sum(is_substantive(value) for value in values if value) * 2 >= len(shown)


@settings(deadline=None)
@given(calls())
def test_answers_are_only_to_shown_questions_and_of_their_options(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    questionnaire, occasion, _ = call
    interview, _ = play(*call)[-1]
    for id, value in interview.answers.items():
        question = questionnaire.question(id)
        assert question.applies(interview.answers, occasion.service)
        numbers: set[str] = set()
        if question.minimum is not None and question.maximum is not None:
            numbers = {str(number) for number in range(question.minimum, question.maximum + 1)}
        assert value in {option.code for option in question.options} | numbers | {"niet_begrepen", "geen_antwoord"}


@settings(deadline=None)
@given(calls())
def test_each_answer_is_recorded_once_and_only_while_it_is_given(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    steps = play(*call)
    recorded = [answer for _, turn in steps for answer in turn.records]
    assert len({answer.question for answer in recorded}) == len(recorded)
    assert dict(call[1].earlier) | {answer.question: answer.value for answer in recorded} == dict(steps[-1][0].answers)
    for (before, _), (_, turn) in pairwise(steps):
        assert {answer.question for answer in turn.records} <= {before.question}


@settings(deadline=None)
@given(calls())
def test_a_call_that_is_not_over_always_says_or_awaits_something_within_ten_seconds(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    for interview, turn in play(*call):
        if interview.is_over:
            assert turn.awaits is None
        else:
            assert turn.awaits is not None
            assert 0 < turn.awaits.timeout_seconds <= 9
            assert turn.asks or turn.awaits.timeout_seconds == 2.5


@settings(deadline=None)
@given(calls())
def test_every_prompt_exists_in_the_speed_it_is_asked_for(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    questionnaire, _, _ = call
    spoken = {question.id for question in questionnaire.questions}
    others = {f"{id}.keys" for id in spoken} | {q.remark.id for q in questionnaire.questions if q.remark}
    for _, turn in play(*call):
        assert not any(prompt.slow for prompt in turn.announces)
        for prompt in (*turn.announces, *turn.asks):
            if prompt.id in NEEDED:
                assert CATALOGUE.phrases[prompt.id].has_slow or not prompt.slow
            else:
                assert prompt.id in spoken or (prompt.id in others and not prompt.slow)


@settings(deadline=None)
@given(calls())
def test_nothing_of_the_provider_is_said_before_the_person_is_known(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    for interview, turn in play(*call):
        if interview.has_begun:
            break
        texts = [CATALOGUE.phrases[prompt.id].text for prompt in (*turn.announces, *turn.asks)]
        assert not any("{dienstverlener}" in text for text in texts)


@settings(deadline=None)
@given(calls())
def test_hanging_up_anywhere_gives_an_outcome_and_loses_no_answer(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    questionnaire, _, _ = call
    for interview, _ in play(*call):
        after, turn = advance(questionnaire, interview, HungUp())
        assert turn == Turn()
        assert after.outcome is not None
        assert after.answers == interview.answers
        if not interview.is_over and interview.has_begun:
            assert after.outcome == ("partial" if interview.usable else "break_off")


@settings(deadline=None)
@given(calls(), st.lists(signals, min_size=1, max_size=5))
def test_after_the_end_nothing_changes(call: tuple[Questionnaire, Occasion, list[Signal]], late: list[Signal]) -> None:
    questionnaire, _, _ = call
    over, _ = advance(questionnaire, play(*call)[-1][0], HungUp())
    for signal in late:
        assert advance(questionnaire, over, signal) == (over, Turn())


@settings(deadline=None)
@given(calls())
def test_on_a_shared_number_only_a_code_begins_the_questions(
    call: tuple[Questionnaire, Occasion, list[Signal]],
) -> None:
    _, occasion, _ = call
    for interview, _ in play(*call):
        if occasion.codes and occasion.direction != "web" and interview.has_begun:
            assert interview.identified in dict(occasion.codes).values()


def _at_grade(name: str) -> Interview:
    questionnaire = CATALOGUE.questionnaires[name]
    interview, _ = begin(questionnaire, Occasion(5))
    while interview.question is None or questionnaire.question(interview.question).kind != "grade":
        interview, _ = advance(questionnaire, interview, Keypress("1"))
    return interview


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["inburgering", "laagdrempelig"]),
    st.lists(st.sampled_from([Silence(), Keypress("*"), Keypress("9"), Keypress("#")]), max_size=3),
)
def test_a_slowly_keyed_ten_never_becomes_a_one(name: str, between: list[Signal]) -> None:
    """1, then any pause, then 0: whatever comes in between, no 1 is stored."""
    questionnaire = CATALOGUE.questionnaires[name]
    interview = _at_grade(name)
    grade = interview.question
    assert grade is not None
    interview, _ = advance(questionnaire, interview, Keypress("1"))
    for signal in [Silence(), *between, Keypress("0")]:
        interview, _ = advance(questionnaire, interview, signal)
        if interview.question != grade or interview.step == "still_there":
            break
    assert interview.answers.get(grade) in ("10", "weet_niet", "geen_antwoord", "niet_begrepen")
    if not between:
        assert interview.answers[grade] == "10"


@settings(deadline=None)
@given(st.sampled_from(["inburgering", "laagdrempelig"]), st.lists(signals, max_size=30))
def test_a_one_is_stored_only_when_it_was_confirmed(name: str, given_signals: list[Signal]) -> None:
    questionnaire = CATALOGUE.questionnaires[name]
    interview = _at_grade(name)
    grade = interview.question
    for signal in given_signals:
        before = interview
        interview, turn = advance(questionnaire, interview, signal)
        if any(answer.question == grade and answer.value == "1" for answer in turn.records):
            assert before.step == "grade_check"
            assert signal == Keypress("1")
