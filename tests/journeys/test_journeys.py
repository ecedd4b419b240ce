"""Each file in `calls/` is a whole call: keys pressed, prompts heard, answers kept, outcome."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ivr.catalogue import Catalogue, load_catalogue
from ivr.settings import ROOT
from ivr.survey.interview import Interview, Outcome, Step
from ivr.survey.phrases import NEEDED
from tests.journeys.transcript import parse, play, through_storage

CALLS = sorted((Path(__file__).parent / "calls").glob("*.txt"))
SAID_BY_DOORS = {
    "voicemail",
    "technical_apology",
    "inbound_full",
    "inbound_later",
    "inbound_done",
    "inbound_closed",
    "inbound_unknown",
    "goodbye_not_now",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "config")


def _transcript(text: str) -> str:
    return text.split("\n\n", 1)[1]


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_call_goes_as_written(path: Path, catalogue: Catalogue) -> None:
    """The state is dumped to JSON and read back between every two keys."""
    text = path.read_text(encoding="utf-8")
    journey = parse(text)
    questionnaire = catalogue.questionnaires[journey.questionnaire]
    assert "\n".join(play(questionnaire, journey, through_storage)) + "\n" == _transcript(text)


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.stem)
def test_dump_and_reload_change_no_call(path: Path, catalogue: Catalogue) -> None:
    journey = parse(path.read_text(encoding="utf-8"))
    questionnaire = catalogue.questionnaires[journey.questionnaire]
    assert play(questionnaire, journey, lambda interview: interview) == play(questionnaire, journey, through_storage)


def test_there_are_at_least_sixty_journeys() -> None:
    assert len(CALLS) >= 60


def test_journeys_pass_every_step_and_outcome(catalogue: Catalogue) -> None:
    steps: set[str] = set()
    outcomes: set[str] = set()

    def watch(interview: Interview) -> Interview:
        steps.add(interview.step)
        return interview

    for path in CALLS:
        journey = parse(path.read_text(encoding="utf-8"))
        lines = play(catalogue.questionnaires[journey.questionnaire], journey, watch)
        outcomes |= {line.split()[1] for line in lines if line.startswith("ends: ")}
    assert steps | {"over"} == set(get_args(Step))
    assert outcomes == set(get_args(Outcome))


def test_every_phrase_is_heard_in_some_journey() -> None:
    heard = {word.rstrip("!~") for path in CALLS for word in _transcript(path.read_text(encoding="utf-8")).split()}
    assert set(NEEDED) - SAID_BY_DOORS - heard == set()


def test_every_question_is_heard_in_some_journey(catalogue: Catalogue) -> None:
    heard = {word.rstrip("!~") for path in CALLS for word in _transcript(path.read_text(encoding="utf-8")).split()}
    for questionnaire in catalogue.questionnaires.values():
        assert {question.id for question in questionnaire.questions} <= heard
