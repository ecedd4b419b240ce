"""A questionnaire written as data is the same questionnaire."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.errors import ConfigurationError
from ivr.survey.questionnaire import (
    Condition,
    Option,
    Question,
    Questionnaire,
    Remark,
    from_mapping,
    spoken_keys,
    spoken_option,
    spoken_question,
    to_mapping,
)

texts = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=30).map(str.strip)
names = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
conditions = st.builds(Condition, names, st.lists(names, min_size=1, max_size=3).map(tuple), st.booleans())
options = st.builds(Option, st.sampled_from("012345"), names, texts, st.booleans())
questions = st.builds(
    Question,
    id=names,
    kind=st.just("number"),
    text=texts,
    label=texts,
    options=st.lists(options, max_size=6).map(tuple),
    is_aspect=st.booleans(),
    is_verbatim=st.booleans(),
    condition=st.none() | conditions,
    minimum=st.none() | st.integers(0, 9),
    maximum=st.none() | st.integers(10, 99),
    scale=texts,
    source=texts,
    remark=st.none() | st.builds(Remark, names, texts, st.none() | conditions),
    hint=texts,
)
questionnaires = st.builds(
    Questionnaire, names, st.integers(1, 99), texts, st.integers(1, 60), st.lists(questions, max_size=4).map(tuple)
)


@settings(deadline=None)
@given(questionnaires)
def test_mapping_round_trips_through_json(questionnaire: Questionnaire) -> None:
    assert from_mapping(json.loads(json.dumps(to_mapping(questionnaire)))) == questionnaire


def test_option_is_spoken_before_its_key() -> None:
    assert spoken_option(Option("1", "altijd", "Altijd")) == "Altijd: druk op 1."
    assert spoken_option(Option("1", "andere_leraar", "Er komt een andere leraar.")) == (
        "Er komt een andere leraar: druk op 1."
    )


def test_question_is_spoken_with_hint_and_options() -> None:
    question = Question(
        "G", "grade", "Welk cijfer?", "Cijfer", (Option("0", "weet_niet", "U weet het niet"),), hint="Een tien: 1 en 0."
    )
    assert spoken_keys(question) == ("Een tien: 1 en 0.", "U weet het niet: druk op 0.")
    assert spoken_question(question) == ("Welk cijfer?", *spoken_keys(question))


def test_condition_holds_for_its_values_only() -> None:
    only, other = Condition("A", ("ja",)), Condition("A", ("ja",), is_negated=True)
    assert only.holds({"A": "ja"}, 1)
    assert not only.holds({"A": "nee"}, 1)
    assert other.holds({"A": "nee"}, 1)
    assert not only.holds({}, 1)
    assert not other.holds({}, 1), "what is not known yet decides nothing"
    assert Condition("service", ("6",), is_negated=True).holds({}, 5)


QUESTION = {"id": "A", "kind": "single", "text": "Was het goed?", "label": "Goed"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "open"}, "question 1 (A): kind must be single, grade or number"),
        ({"id": 5}, "id must be a text"),
        ({"optoins": []}, "unknown name 'optoins'"),
        ({"aspect": "ja"}, "aspect must be true or false"),
        ({"minimum": "0"}, "minimum must be a whole number"),
        ({"options": {"key": "1"}}, "options must be a list"),
        ({"options": [{"key": 1, "code": "ja"}]}, "option 1: key must be a text"),
        ({"condition": {"question": "B"}}, "either in = […] or not_in = […]"),
        ({"remark": "Denk."}, "expected a table"),
    ],
)
def test_wrong_shape_says_where_and_what_was_expected(change: dict[str, object], said: str) -> None:
    data = {"id": "x", "version": 1, "title": "X", "minutes": 1, "questions": [{**QUESTION, **change}]}
    with pytest.raises(ConfigurationError) as caught:
        from_mapping(data)
    assert said in caught.value.message


@pytest.mark.parametrize("change", [{"version": 0}, {"version": "1"}, {"minutes": None}, {"id": ""}, {"vragen": []}])
def test_wrong_head_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        from_mapping({"id": "x", "version": 1, "title": "X", "minutes": 1, "questions": [QUESTION], **change})
