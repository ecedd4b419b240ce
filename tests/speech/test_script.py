"""Every text of a call, as it is spoken."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.catalogue import load_catalogue
from ivr.errors import ConfigurationError
from ivr.settings import ROOT
from ivr.speech import script
from ivr.survey.interview import Occasion, advance, begin
from ivr.survey.phrases import Phrase
from ivr.survey.questionnaire import Option, Question, Questionnaire, Remark
from ivr.survey.turn import Keypress, Signal, Silence

CATALOGUE = load_catalogue(ROOT / "config")
VALUES = script.spoken_values(
    provider="Jansen & Co. B.V.", minutes=5, help_number="088 123 45 67", web_address="https://www.blikopwerk.nl/echt"
)
LES = Question(
    "INB_LES",
    "single",
    "Denk aan {dienstverlener}. Geeft uw leraar goed les?",
    "les",
    (Option("1", "altijd", "Altijd"), Option("0", "weet_niet", "U weet het niet")),
    remark=Remark("INB_LES_OPM", "Denk aan de tijd op school."),
)
SMALL = Questionnaire("inburgering", 1, "x", 5, (LES,))
PHRASES = {
    "kort": Phrase("kort", "Het duurt {minuten} minuten.", has_slow=False),
    "menu": Phrase("menu", "Wilt u meedoen? Ja: druk op 1. Nee: druk op 2. Dank u wel."),
}


def texts() -> dict[tuple[str, bool], script.PromptText]:
    return {(text.id, text.slow): text for text in script.texts_for(SMALL, PHRASES, VALUES)}


def test_a_question_is_followed_by_its_options_with_the_pauses_of_the_voice_menu() -> None:
    assert texts()["INB_LES", False].segments == (
        ("Denk aan Jansen en Co BV.", 0.3),
        ("Geeft uw leraar goed les?", 0.6),
        ("Altijd: druk op 1.", 0.5),
        ("U weet het niet: druk op 0.", 0.5),
    )


def test_the_keys_of_a_question_are_its_options_alone() -> None:
    assert texts()["INB_LES.keys", True].text == "Altijd: druk op 1. U weet het niet: druk op 0."


def test_questions_keys_and_remarks_have_both_speeds_and_phrases_as_they_say() -> None:
    assert {key for key in texts() if key[0] != "kort"} == {
        (id, slow)
        for id in ("INB_LES", "INB_LES.keys", "INB_LES_OPM", "menu", script.SILENCE)
        for slow in (False, True)
    }
    assert ("kort", False) in texts()
    assert ("kort", True) not in texts()


def test_a_menu_in_a_phrase_gets_the_pauses_of_a_question() -> None:
    assert [pause for _, pause in texts()["menu", False].segments] == [0.6, 0.5, 0.5, 0.3]


def test_the_silence_says_nothing() -> None:
    assert texts()[script.SILENCE, False].segments == (("", 0.5),)
    assert texts()[script.SILENCE, False].text == ""


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Prompt x .*\{voornaam\}"):
        script.texts_for(SMALL, {"x": Phrase("x", "Dag {voornaam}.")}, VALUES)


def test_a_prompt_without_a_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Prompt leeg has no text"):
        script.texts_for(SMALL, {"leeg": Phrase("leeg", "  ")}, VALUES)


def test_a_recordings_name_carries_whatever_its_words_depend_on() -> None:
    assert texts()["INB_LES", True].recording == "INB_LES@jansen-en-co-bv.slow"
    assert texts()["INB_LES.keys", False].recording == "INB_LES.keys"
    assert texts()["kort", False].recording == "kort@inburgering"
    assert texts()[script.SILENCE, False].recording == ""


@pytest.mark.parametrize("id", ["inburgering", "laagdrempelig"])
def test_no_placeholder_reaches_an_engine(id: str) -> None:
    for text in script.texts_for(CATALOGUE.questionnaires[id], CATALOGUE.phrases, VALUES):
        for sentence, pause in text.segments:
            assert "{" not in sentence
            assert pause >= 0.3
            assert "\n" not in sentence


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["inburgering", "laagdrempelig"]), st.booleans())
def test_whatever_a_caller_presses_each_prompt_of_the_call_has_a_text(seed: int, id: str, is_shared: bool) -> None:
    questionnaire = CATALOGUE.questionnaires[id]
    known = {(text.id, text.slow) for text in script.texts_for(questionnaire, CATALOGUE.phrases, VALUES)}
    chance = random.Random(seed)
    occasion = Occasion(
        service=11 if id == "inburgering" else chance.choice([1, 5, 9]),
        codes=(("1234", "a"), ("5678", "b")) if is_shared else (),
        days=(("vanavond", ("avond",)), ("morgen", ("ochtend", "middag", "avond")), ("zaterdag", ("ochtend",))),
        direction=chance.choice(["outbound", "inbound"]),
    )
    interview, turn = begin(questionnaire, occasion)
    for _ in range(300):
        heard = {(prompt.id, prompt.slow) for prompt in (*turn.announces, *turn.asks)}
        assert heard <= known, heard - known
        if interview.is_over:
            return
        signal: Signal = Silence() if chance.random() < 0.25 else Keypress(chance.choice("1111112223450*#9"))
        if turn.awaits and turn.awaits.digits > 1 and isinstance(signal, Keypress) and chance.random() < 0.7:
            signal = Keypress("1234")
        interview, turn = advance(questionnaire, interview, signal)
    pytest.fail("the call did not end")


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0, "nul"),
        (1, "één"),
        (5, "vijf"),
        (10, "tien"),
        (14, "veertien"),
        (20, "twintig"),
        (21, "eenentwintig"),
        (22, "tweeëntwintig"),
        (35, "vijfendertig"),
        (83, "drieëntachtig"),
        (99, "negenennegentig"),
        (100, "100"),
    ],
)
def test_numbers_are_said_as_words(number: int, word: str) -> None:
    assert script.number_word(number) == word


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("088 123 45 67", "nul acht acht, één twee drie, vier vijf, zes zeven"),
        ("0881234567", "nul acht acht, één twee drie, vier vijf, zes zeven"),
        ("+31 (0)88 123 45 67", "nul acht acht, één twee drie, vier vijf, zes zeven"),
        ("+31881234567", "nul acht acht, één twee drie, vier vijf, zes zeven"),
        ("0800-1234", "nul acht nul nul, één twee drie vier"),
    ],
)
def test_a_telephone_number_is_said_digit_by_digit_in_groups(written: str, said: str) -> None:
    assert script.spoken_telephone(written) == said


def test_a_telephone_number_without_digits_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="IVR_HELP_NUMBER"):
        script.spoken_telephone("onbekend")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("blikopwerk.nl", "blikopwerk punt nl"),
        ("https://www.blikopwerk.nl/echt/", "blikopwerk punt nl, schuine streep echt"),
        ("blik-op-werk.nl", "blik streepje op streepje werk punt nl"),
    ],
)
def test_a_web_address_is_said_so_that_it_can_be_typed(written: str, said: str) -> None:
    assert script.spoken_web_address(written) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("UPGRADE", "UPGRADE"),
        ("Jansen & Zn. (B.V.)", "Jansen en Zn BV"),
        ("Werk.nl Groep", "Werk punt nl Groep"),
        ("Blij! Verder?", "Blij Verder"),
        ("???", "deze organisatie"),
    ],
)
def test_a_companys_name_is_made_speakable(name: str, said: str) -> None:
    assert script.spoken_name(name) == said


@given(st.text(max_size=60))
def test_no_companys_name_ends_a_sentence_or_is_empty(name: str) -> None:
    said = script.spoken_name(name)
    assert said
    assert not set(said) & set(".!?;:{}\n")
    assert script.split_sentences(f"{said} hoort niet wat u zegt.") == [f"{said} hoort niet wat u zegt."]


def test_sentences_are_split_where_they_end_and_nowhere_else() -> None:
    assert script.split_sentences("Dag. Het kost 2,50 euro.  Is dat\ngoed? 9 keer!") == [
        "Dag.",
        "Het kost 2,50 euro.",
        "Is dat goed?",
        "9 keer!",
    ]
