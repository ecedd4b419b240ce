"""Going back: whatever is answered again in whatever order, only what was asked and still applies is held."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.survey import interview as engine
from ivr.survey.questionnaire import Questionnaire, from_mapping
from ivr.survey.revisiting import put_again, without_ground
from ivr.survey.turn import Keypress

FILES = sorted((Path(__file__).parents[2] / "config" / "questionnaires").glob("*.toml"))
FORMS = {file.stem: from_mapping(tomllib.loads(file.read_text("utf-8"))) for file in FILES}


def begin(form: Questionnaire, service: int = 9) -> engine.Interview:
    return engine.begin(form, engine.Occasion(service=service, direction="web"))[0]


def press(form: Questionnaire, state: engine.Interview, key: str) -> engine.Interview:
    state, _ = engine.advance(form, state, Keypress(key))
    return without_ground(form, state)[0]


def key_for(form: Questionnaire, question: str, number: int) -> str:
    put = form.question(question)
    keys = [option.key for option in put.options] or [str(put.minimum or 0)]
    return keys[number % len(keys)]


def test_a_question_put_again_keeps_its_answer_until_there_is_another() -> None:
    form = FORMS["inburgering"]
    state = press(form, press(form, begin(form), "1"), "2")
    again = put_again(state, "INB_VOLGT")
    assert again.answers["INB_VOLGT"] == "ja"
    assert press(form, again, "3").answers["INB_VOLGT"] == "nee_gestopt"


def test_after_it_the_first_open_question_comes() -> None:
    form = FORMS["inburgering"]
    state = press(form, press(form, begin(form), "1"), "2")
    assert press(form, put_again(state, "INB_VOLGT"), "1").question == state.question


@pytest.mark.parametrize("stem", sorted(FORMS))
@settings(max_examples=60, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.booleans()), max_size=60))
def test_any_walk_forth_and_back_holds_only_what_applies_and_can_still_end(
    stem: str, moves: list[tuple[int, int, bool]]
) -> None:
    form = FORMS[stem]
    state, put = begin(form), list[str]()
    for number, place, goes_back in moves:
        if goes_back and put:
            state = put_again(state, put[place % len(put)])
        elif state.is_over:
            continue
        assert state.question is not None
        put.append(state.question)
        state = press(form, state, key_for(form, state.question, number))
        for held in state.answers:
            assert form.question(held).applies(state.answers, state.occasion.service), held
    for _ in range(len(form.questions) + 1):
        if not state.is_over and state.question is not None:
            state = press(form, state, key_for(form, state.question, 0))
    assert state.outcome == ("complete" if state.usable else "unusable")
