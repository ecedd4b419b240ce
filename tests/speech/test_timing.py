"""The shortest complete call, found by walking the real engine."""

from __future__ import annotations

import pytest

from ivr.catalogue import load_catalogue
from ivr.settings import ROOT
from ivr.speech.timing import shortest_path, shortest_path_seconds
from ivr.survey.interview import Occasion, advance, begin
from ivr.survey.questionnaire import Condition, Option, Question, Questionnaire
from ivr.survey.turn import Keypress, Prompt

CATALOGUE = load_catalogue(ROOT / "config")
JA_NEE = (Option("1", "ja", "Ja"), Option("2", "nee", "Nee"), Option("0", "weet_niet", "U weet het niet", True))


def questionnaire(*questions: Question) -> Questionnaire:
    return Questionnaire("inburgering", 1, "x", 5, questions)


def only_questions(prompt: Prompt) -> float:
    return {"A": 10.0, "B": 7.0, "C": 5.0}.get(prompt.id, 0.0)


def test_a_question_that_can_be_avoided_by_an_answer_is() -> None:
    asked = questionnaire(
        Question("A", "single", "A?", "a", JA_NEE, is_aspect=True),
        Question("B", "single", "B?", "b", JA_NEE, condition=Condition("A", ("ja",))),
        Question("C", "single", "C?", "c", JA_NEE),
    )
    path = shortest_path(asked, 11, only_questions)
    assert path.seconds == 15.0
    assert [id for id in path.prompts if id in "ABC"] == ["A", "C"]
    assert path.keys.endswith("21")


def test_not_knowing_is_no_way_out() -> None:
    asked = questionnaire(
        Question("A", "single", "A?", "a", (JA_NEE[0], JA_NEE[2]), is_aspect=True),
        Question("B", "single", "B?", "b", JA_NEE, condition=Condition("A", ("ja",))),
    )
    assert shortest_path_seconds(asked, 11, only_questions) == 17.0


@pytest.mark.parametrize("id", ["inburgering", "laagdrempelig"])
def test_the_keys_of_the_path_lead_the_engine_to_a_complete_interview(id: str) -> None:
    service = 11 if id == "inburgering" else 5
    path = shortest_path(CATALOGUE.questionnaires[id], service, lambda prompt: 1.0)
    interview, turn = begin(CATALOGUE.questionnaires[id], Occasion(service=service))
    heard = [prompt.id for prompt in (*turn.announces, *turn.asks)]
    for key in path.keys:
        interview, turn = advance(CATALOGUE.questionnaires[id], interview, Keypress(key))
        heard += [prompt.id for prompt in (*turn.announces, *turn.asks)]
    assert interview.outcome == "complete"
    assert tuple(heard) == path.prompts
    assert path.seconds == len(heard)


def test_a_questionnaire_without_a_complete_way_is_an_error() -> None:
    stuck = questionnaire(Question("A", "single", "A?", "a", (JA_NEE[2],), is_aspect=True))
    with pytest.raises(ValueError, match="no complete interview"):
        shortest_path(stuck, 11, only_questions)
