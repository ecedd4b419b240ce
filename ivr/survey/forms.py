"""The questionnaires by id, for every mode: which questions each has and which values they take.

The two telephone questionnaires come from `config/questionnaires`. `regulier` shares the questions, ids and codes
of `laagdrempelig` (only its wording in print is less simple, and that lives with the mailing tool), so it is
derived, never copied. `opdrachtgever` is the grid of grades of a commissioner; it is never asked by phone, so it
has no keys. Its aspects are open: an id `OG_CIJFER_<aspect>` or `OG_PERSONEN_<service>` is known by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Literal

from ivr.survey.questionnaire import Option, Question, Questionnaire

MISSING: frozenset[str] = frozenset({"weet_niet", "niet_begrepen", "geen_antwoord"})
"""Values that are no answer, in every question and every mode; `geen_mening` is an opinion and not among them."""

GRADE_OF: Mapping[str, str] = {
    "inburgering": "INB_CIJFER",
    "laagdrempelig": "LD_CIJFER",
    "regulier": "LD_CIJFER",
    "opdrachtgever": "OG_CIJFER",
}
"""The question that asks the rapportcijfer, per questionnaire."""

RECOMMENDED = "LD_AANGERADEN"
DECIMAL_SCALE = "rapportcijfer_decimaal"

ValueFault = Literal["unknown_question", "bad_value"]

_OPEN_GRADE = re.compile(r"OG_CIJFER_[A-Za-z0-9_]{1,60}")
_OPEN_COUNT = re.compile(r"OG_PERSONEN_(?:[1-9]|1[0-3])")
_YES_NO = (Option("1", "ja", "Ja"), Option("2", "nee", "Nee"), Option("0", "weet_niet", "Weet ik niet", True))
_SOLVED = (*_YES_NO[:2], Option("3", "deels", "Deels"), _YES_NO[2])


def forms_of(telephone: Mapping[str, Questionnaire]) -> dict[str, Questionnaire]:
    """All questionnaires by id, in the order of the files: inburgering, laagdrempelig, regulier, opdrachtgever.

    `telephone` is what the catalogue holds; an entry of it named `regulier` or `opdrachtgever` is taken as it is.
    """
    forms = {id: telephone[id] for id in ("inburgering", "laagdrempelig") if id in telephone}
    if "regulier" in telephone:
        forms["regulier"] = telephone["regulier"]
    elif "laagdrempelig" in forms:
        forms["regulier"] = replace(forms["laagdrempelig"], id="regulier", title="Regulier")
    forms["opdrachtgever"] = telephone.get("opdrachtgever") or opdrachtgever()
    return forms


def opdrachtgever() -> Questionnaire:
    """What a commissioner is asked, as far as its questions have fixed ids."""
    grade = Question(
        id="OG_CIJFER",
        kind="grade",
        text="Welk cijfer geeft u deze dienstverlener?",
        label="Rapportcijfer van de opdrachtgever",
        minimum=1,
        maximum=10,
        scale=DECIMAL_SCALE,
    )
    choices = (
        ("OG_AANGERADEN", "Heeft u deze dienstverlener aangeraden bij anderen?", "Aangeraden", _YES_NO),
        ("OG_KLACHT", "Had u een klacht over deze dienstverlener?", "Klacht", _YES_NO),
        ("OG_KLACHT_OPL", "Is uw klacht opgelost?", "Klacht opgelost", _SOLVED),
    )
    questions = [Question(id, "single", text, label, options) for id, text, label, options in choices]
    return Questionnaire("opdrachtgever", 1, "Opdrachtgevers", 0, (grade, *questions))


def find_question(form: Questionnaire, id: str) -> Question | None:
    """The question with this id, also one that is only known by its shape; None if the form has no such question."""
    for question in form.questions:
        if question.id == id:
            return question
    if form.id == "opdrachtgever":
        if _OPEN_GRADE.fullmatch(id):
            label = "Cijfer voor " + id.removeprefix("OG_CIJFER_")
            return Question(id, "grade", label, label, minimum=1, maximum=10, scale=DECIMAL_SCALE)
        if _OPEN_COUNT.fullmatch(id):
            label = "Aantal personen bij dienst " + id.removeprefix("OG_PERSONEN_")
            return Question(id, "number", label, label, minimum=0, maximum=1_000_000)
    return None


def read_value(form: Questionnaire, id: str, text: str) -> tuple[str, None] | tuple[None, ValueFault]:
    """`text` as it is stored (`8,5` → `8.5`, `7,0` → `7`, `Zeer tevreden` → `zeer_tevreden`), or what is
    wrong with it."""
    question = find_question(form, id)
    if question is None:
        return None, "unknown_question"
    value = text.strip()
    if (missing := re.sub(r"[\s-]+", "_", value.lower())) in MISSING:
        return missing, None
    if question.kind == "single":
        code = re.sub(r"[\s-]+", "_", value.lower())
        return (code, None) if any(option.code == code for option in question.options) else (None, "bad_value")
    number = as_number(value)
    low, high = question.minimum, question.maximum
    if number is None or (low is not None and number < low) or (high is not None and number > high):
        return None, "bad_value"
    if question.scale != DECIMAL_SCALE and number != number.to_integral_value():
        return None, "bad_value"
    return f"{number:f}", None


def as_number(text: str) -> Decimal | None:
    """A plain number with a comma or a point, without needless zeros; None for anything else."""
    if not re.fullmatch(r"-?[0-9]{1,9}(?:[.,][0-9]{1,6})?", text):
        return None
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:  # pragma: no cover - the pattern admits numbers only
        return None
    whole = number.to_integral_value()
    return whole if number == whole else number.normalize()


def grade_of(questionnaire: str, answers: Mapping[str, str]) -> Decimal | None:
    """The rapportcijfer in `answers`; None when it was not given or is no number from 1 to 10."""
    number = as_number(answers.get(GRADE_OF.get(questionnaire, ""), ""))
    return number if number is not None and 1 <= number <= 10 else None
