"""What a person understands, told by the texts that the call really speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.catalogue import load_catalogue
from ivr.rehearsal.hearing import Ear, plain, read_questionnaires
from ivr.speech.script import spoken_values, texts_for

CONFIG = Path(__file__).resolve().parents[2] / "config"
CATALOGUE = load_catalogue(CONFIG)
QUESTIONS = read_questionnaires(CONFIG)


def texts(questionnaire: str, provider: str = "Bureau De Brug B.V. & Zn.") -> dict[tuple[str, bool], str]:
    values = spoken_values(provider=provider, minutes=5, help_number="0881234567", web_address="b.nl")
    prompts = texts_for(CATALOGUE.questionnaires[questionnaire], CATALOGUE.phrases, values)
    return {(prompt.id, prompt.slow): prompt.text for prompt in prompts}


@pytest.mark.parametrize("provider", ["Taalhuis Noord", "Bureau De Brug B.V. & Zn.", "Ja, ik wil", "É"])
@pytest.mark.parametrize("questionnaire", ["inburgering", "laagdrempelig"])
def test_every_question_is_recognised_whatever_the_provider_is_called(questionnaire, provider):
    ear = Ear(QUESTIONS)
    said = texts(questionnaire, provider)
    for question in CATALOGUE.questionnaires[questionnaire].questions:
        for slow in (False, True):
            understood = ear.understand("Goed zo. De vragen gaan over iets.", said[question.id, slow])
            assert understood.situation == "question"
            assert understood.question is not None
            assert understood.question.id == question.id


@pytest.mark.parametrize("provider", ["Werkplein Zuid", "Bureau De Brug B.V. & Zn.", "Ja, ik wil", "É"])
def test_a_question_that_names_the_provider_tells_all_of_its_name(provider):
    """Also where the name ends the question: who is client of two providers must know which one was meant."""
    ear = Ear(QUESTIONS)
    name = plain(
        spoken_values(provider=provider, minutes=5, help_number="0881234567", web_address="b.nl")["dienstverlener"]
    )
    told: dict[str, set[str]] = {}
    for questionnaire in CATALOGUE.questionnaires.values():
        said = texts(questionnaire.id, provider)
        for question in questionnaire.questions:
            if "{dienstverlener}" in question.text:
                told[question.id] = {ear.understand("", said[question.id, slow]).provider for slow in (False, True)}
    assert told == {id: {name} for id in told}
    assert {"INB_VOLGT", "LD_KLACHT", "LD_K_TEL"} <= set(told)


def test_the_files_are_read_as_the_house_reads_them():
    """Two readings of the same files: ours decides what must have been recorded."""
    ours = {question.id: question for question in QUESTIONS}
    for questionnaire in CATALOGUE.questionnaires.values():
        for question in questionnaire.questions:
            assert {option.key: option.code for option in question.options} == dict(ours[question.id].options)
            assert question.kind == ours[question.id].kind


@pytest.mark.parametrize(
    ("ids", "situation"),
    [
        (["greeting_menu"], "greeting"),
        (["greeting", "greeting_minutes", "greeting_voluntary", "greeting_menu"], "greeting"),
        (["wrong_key", "greeting_menu"], "greeting"),
        (["not_taking_part"], "not_taking_part"),
        (["never_check"], "never_check"),
        (["later_day", "later_vanavond", "later_zaterdag"], "later_day"),
        (["later_part", "later_ochtend", "later_avond"], "later_part"),
        (["later_part", "later_avond"], "later_part"),
        (["later_zaterdag_ochtend", "later_check"], "later_check"),
        (["right_person"], "right_person"),
        (["person_home"], "person_home"),
        (["fetch_start"], "fetching"),
        (["fetch_wait"], "fetching"),
        (["code"], "code"),
        (["code_wrong", "code"], "code"),
        (["practice"], "practice"),
        (["practice_help"], "practice"),
        (["practice_help_more"], "practice"),
        (["grade_check"], "grade_check"),
        (["still_there"], "still_there"),
        (["wrong_key", "INB_LES.keys"], "same"),
        (["stilte"], "same"),
    ],
)
def test_every_menu_of_the_call_is_recognised(ids, situation):
    said = texts("inburgering")
    for slow in (False, True):
        text = " ".join(said.get((id, slow)) or said[id, False] for id in ids)
        assert Ear(QUESTIONS).understand("", text).situation == situation


def test_options_are_heard_with_their_keys():
    heard = Ear(QUESTIONS).understand("", texts("inburgering")["INB_LES", False])
    assert heard.options[:4] == (("altijd", "1"), ("vaak", "2"), ("soms", "3"), ("nooit", "4"))
    assert heard.options[4][1] == "0"


def test_words_are_compared_as_they_sound():
    assert plain("  Eén café — “ja”, zei zij!\n") == "een cafe ja zei zij"
