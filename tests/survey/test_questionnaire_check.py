"""What cannot work by phone is refused, each fault at its question and with what was expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr.catalogue import load_catalogue
from ivr.settings import ROOT
from ivr.survey.phrases import Phrase
from ivr.survey.questionnaire import Condition, Option, Question, Questionnaire, Remark
from ivr.survey.questionnaire_check import check, check_phrases, check_together, sentences

CATALOGUE = load_catalogue(ROOT / "config")
PHRASES = CATALOGUE.phrases
YES_NO = (Option("1", "ja", "Ja"), Option("2", "nee", "Nee"), Option("0", "weet_niet", "U weet het niet", True))
A = Question("A", "single", "Was het goed?", "Goed", YES_NO, is_aspect=True)
B = Question("B", "single", "En daarna?", "Daarna", YES_NO)
GRADE = Question("G", "grade", "Welk cijfer?", "Cijfer", minimum=1, maximum=10, hint="Een tien: druk op 1 en 0.")


def form(*questions: Question) -> Questionnaire:
    return Questionnaire("klein", 1, "Klein", 1, questions)


def faults(*questions: Question) -> list[tuple[str, str]]:
    return [(fault.question, fault.code) for fault in check(form(*questions), PHRASES)]


def with_option(index: int, **changes: object) -> Question:
    options = list(YES_NO)
    options[index] = replace(options[index], **changes)  # pyright: ignore[reportArgumentType]
    return replace(B, options=tuple(options))


@pytest.mark.parametrize("id", ["inburgering", "laagdrempelig"])
def test_own_questionnaires_have_no_fault(id: str) -> None:
    assert check(CATALOGUE.questionnaires[id], PHRASES) == ()


def test_small_questionnaire_has_no_fault() -> None:
    assert faults(A, B, GRADE) == []


def test_two_answers_on_one_key_are_refused() -> None:
    assert ("B", "key_twice") in faults(A, with_option(1, key="1"))


def test_key_that_means_something_else_elsewhere_is_refused() -> None:
    beter = (Option("1", "beter", "Beter"), Option("2", "slechter", "Slechter"))
    other = (Option("1", "slechter", "Slechter"), Option("2", "beter", "Beter"))
    first = replace(A, options=beter)
    assert faults(first, replace(B, options=other)) == [("B", "key_moves"), ("B", "key_moves")]


def test_yes_stands_on_one_even_in_its_first_question() -> None:
    assert ("A", "key_moves") in faults(replace(A, options=(Option("1", "nee", "Nee"), Option("2", "ja", "Ja"))))


def test_key_that_moves_between_questionnaires_is_refused() -> None:
    one = form(replace(A, options=(Option("1", "beter", "Beter"), Option("2", "slechter", "Slechter"))))
    two = replace(
        form(replace(B, options=(Option("1", "anders", "Anders"), Option("3", "beter", "Beter")))), id="ander"
    )
    found = check_together({"klein": one, "ander": two})
    assert [(fault.questionnaire, fault.question, fault.code) for fault in found] == [("ander", "B", "key_moves")]


@pytest.mark.parametrize("key", ["9", "*", "#", "6", "12"])
def test_keys_with_a_meaning_of_their_own_are_no_answers(key: str) -> None:
    assert ("B", "bad_key") in faults(A, with_option(0, key=key, code="iets"))


def test_keys_out_of_order_are_refused() -> None:
    assert ("B", "key_order") in faults(A, replace(B, options=(YES_NO[1], YES_NO[0])))


def test_condition_on_a_later_question_is_refused() -> None:
    assert faults(replace(A, condition=Condition("B", ("ja",))), B) == [("A", "later_question")]
    assert faults(replace(A, condition=Condition("A", ("ja",))), B) == [("A", "later_question")]


def test_condition_on_no_question_is_refused() -> None:
    assert faults(A, replace(B, condition=Condition("Z", ("ja",)))) == [("B", "unknown_question")]


def test_condition_on_a_value_nobody_can_give_is_refused() -> None:
    found = faults(A, replace(B, condition=Condition("A", ("misschien",))))
    assert found == [("B", "unknown_value"), ("B", "unreachable")]
    assert ("B", "unknown_value") in faults(A, replace(B, condition=Condition("service", ("14",))))


def test_question_that_can_never_be_reached_is_refused() -> None:
    nobody = Condition("A", ("ja", "nee", "weet_niet", "niet_begrepen", "geen_antwoord"), is_negated=True)
    assert faults(A, replace(B, condition=nobody)) == [("B", "unreachable")]
    assert faults(A, replace(B, condition=Condition("A", ()))) == [("B", "unreachable")]


def test_what_hangs_on_an_unreachable_question_is_refused_too() -> None:
    dead = replace(B, condition=Condition("A", ()))
    behind = replace(B, id="C", condition=Condition("B", ("ja",)))
    assert faults(A, dead, behind) == [("B", "unreachable"), ("C", "unreachable")]


def test_condition_on_a_service_that_never_gets_this_questionnaire_is_unreachable() -> None:
    job_coaching = replace(B, condition=Condition("service", ("5",)))
    assert faults(A, job_coaching) == []
    inburgering = replace(form(A, job_coaching), id="inburgering")
    assert [fault.code for fault in check(inburgering, PHRASES)] == ["unreachable"]


def test_remark_on_an_unknown_value_is_refused() -> None:
    remark = Remark("B.remark", "Denk aan toen.", Condition("A", ("ooit",)))
    assert ("B", "unknown_value") in faults(A, replace(B, remark=remark))


@pytest.mark.parametrize(
    "question", [replace(B, text=""), replace(B, label=""), with_option(0, text=""), replace(GRADE, hint="")]
)
def test_missing_text_is_refused(question: Question) -> None:
    assert (question.id, "missing_text") in faults(A, question)


def test_missing_remark_text_is_refused() -> None:
    assert ("B", "missing_text") in faults(A, replace(B, remark=Remark("B.remark", "")))


def test_prompt_over_four_hundred_characters_is_refused_even_when_verbatim() -> None:
    long = "Dit is een zin. " * 25
    assert faults(A, replace(B, text=long.strip(), is_verbatim=True)) == [("B", "too_long")]


def test_long_sentence_is_refused_unless_verbatim() -> None:
    thirteen = " ".join(["woord"] * 13) + "."
    assert faults(A, replace(B, text=thirteen)) == [("B", "long_sentence")]
    assert faults(A, replace(B, text=thirteen, is_verbatim=True)) == []
    assert faults(A, replace(B, text=" ".join(["woord"] * 12) + ". Goed?")) == []


def test_options_are_never_verbatim() -> None:
    options = (replace(YES_NO[0], text=" ".join(["woord"] * 12)), YES_NO[1])
    assert ("B", "long_sentence") in faults(A, replace(B, options=options, is_verbatim=True))


def test_toets_is_refused() -> None:
    assert faults(A, replace(B, text="Toets 1 als u wilt.")) == [("B", "wrong_word")]


def test_unknown_placeholder_is_refused() -> None:
    assert faults(A, replace(B, text="Dag {naam}.")) == [("B", "unknown_placeholder")]
    assert faults(A, replace(B, text="Dag {dienstverlener}.", is_verbatim=True)) == []


def test_double_ids_and_names_of_phrases_are_refused() -> None:
    assert ("A", "double_id") in faults(A, A)
    assert ("greeting", "bad_id") in faults(A, replace(B, id="greeting"))


def test_questionnaire_without_aspects_can_never_be_usable() -> None:
    assert faults(B) == [("", "no_aspects")]
    assert ("", "no_questions") in faults()


def test_number_needs_bounds_and_a_grade_has_its_own() -> None:
    number = Question("N", "number", "Hoe vaak?", "Aantal", hint="Vijf: druk op 5.", minimum=0, maximum=31)
    assert faults(A, number) == []
    assert ("N", "bad_bounds") in faults(A, replace(number, maximum=None))
    assert ("N", "bad_bounds") in faults(A, replace(number, maximum=100))
    assert ("N", "bad_key") in faults(A, replace(number, options=(YES_NO[2],)))
    assert ("G", "bad_bounds") in faults(A, replace(GRADE, maximum=20))


def test_codes_without_a_key_and_missing_codes_keep_their_meaning() -> None:
    assert ("B", "bad_code") in faults(A, with_option(1, code="geen_antwoord"))
    assert ("B", "bad_code") in faults(A, with_option(2, is_missing=False))


def test_single_question_needs_two_answers() -> None:
    assert ("B", "no_options") in faults(A, replace(B, options=YES_NO[:1]))


def test_missing_phrase_and_missing_slow_variant_are_refused() -> None:
    without = {id: phrase for id, phrase in PHRASES.items() if id != "still_there"}
    assert [(fault.question, fault.code) for fault in check_phrases(without)] == [("still_there", "missing_text")]
    fast = {**PHRASES, "greeting": replace(PHRASES["greeting"], has_slow=False)}
    assert [fault.code for fault in check_phrases(fast)] == ["no_slow"]


def test_provider_is_not_named_before_the_person_is_known() -> None:
    named = {**PHRASES, "greeting": Phrase("greeting", "Wij bellen over {dienstverlener}.")}
    assert [fault.code for fault in check_phrases(named)] == ["names_provider"]


def test_phrase_that_is_never_said_is_refused() -> None:
    assert [fault.code for fault in check_phrases({**PHRASES, "grapje": Phrase("grapje", "Ha.")})] == ["unknown_phrase"]


def test_fault_names_file_question_and_what_was_expected() -> None:
    fault = check(form(A, with_option(1, key="1", code="iets")), PHRASES)[0]
    assert str(replace(fault, file="klein.toml")) == (
        "klein.toml, B: two answers stand on key 1; expected a key of its own for each answer."
    )


def test_sentences_end_at_their_marks() -> None:
    assert sentences("Goedendag. Is dat goed? Ja: druk op 1.") == ["Goedendag.", "Is dat goed?", "Ja: druk op 1."]
