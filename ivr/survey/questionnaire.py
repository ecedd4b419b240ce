"""What a questionnaire is: questions, options, conditions, as frozen data.

Decides the shape, how it is written as JSON (and read from TOML, which has the same shape), how an option is
spoken, and when a question applies. `interview.py` decides how it is walked, `speech/script.py` how it sounds, and
`questionnaire_check.py` what cannot work by phone. A version is frozen in the store when it is first used, so a
change needs a new version number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ivr.errors import ConfigurationError

Kind = Literal["single", "grade", "number"]

SERVICE = "service"
"""In a condition this word stands for the case's service (1-13) instead of a question."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: its key (`0`-`5`), its stable code, and what it is called ("Altijd")."""

    key: str
    code: str
    text: str
    is_missing: bool = False
    """True for an answer that is no answer (`weet_niet`); `geen_mening` is an opinion and is not missing."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the answer to `question` (or the case's `service`) is one of `values`, or is none of them."""

    question: str
    values: tuple[str, ...]
    is_negated: bool = False

    def is_decided(self, answers: Mapping[str, str]) -> bool:
        """Whether what it depends on is known."""
        return self.question == SERVICE or self.question in answers

    def holds(self, answers: Mapping[str, str], service: int) -> bool:
        """False while what it depends on is not known, negated or not."""
        value = str(service) if self.question == SERVICE else answers.get(self.question)
        return value is not None and (value in self.values) != self.is_negated


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said once, before a question, when its condition holds ("Denk aan de tijd op school.")."""

    id: str
    text: str
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `id` is what everything keys on; figure numbers differ per report."""

    id: str
    kind: Kind
    text: str
    label: str
    """What the code book calls it."""
    options: tuple[Option, ...] = ()
    is_aspect: bool = False
    """A `dienstverleningsaspect`: what makes a questionnaire usable."""
    is_verbatim: bool = False
    """The text is that of the published report: a sentence of more than 12 words may stand."""
    condition: Condition | None = None
    minimum: int | None = None
    maximum: int | None = None
    scale: str = ""
    source: str = ""
    remark: Remark | None = None
    hint: str = ""
    """How a grade or number is keyed ("Een tien: druk op 1 en 0."), spoken where others have their options."""

    def option(self, key: str) -> Option | None:
        """The option on this key, or None."""
        return next((option for option in self.options if option.key == key), None)

    def applies(self, answers: Mapping[str, str], service: int) -> bool:
        """Whether the question is put to a person with these answers so far."""
        return self.condition is None or self.condition.holds(answers, service)


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A questionnaire in the order in which it is asked by phone."""

    id: str
    version: int
    title: str
    minutes: int
    """How long it takes by phone, as the greeting says it."""
    questions: tuple[Question, ...]

    def question(self, id: str) -> Question:
        """The question with this id. KeyError if there is none."""
        for question in self.questions:
            if question.id == id:
                return question
        raise KeyError(id)


def spoken_option(option: Option) -> str:
    """The option before its key: "Altijd: druk op 1." The only place where that form is made."""
    return f"{option.text.rstrip('.:')}: druk op {option.key}."


def spoken_keys(question: Question) -> tuple[str, ...]:
    """What is said of the keys, one line each: prompt `<question id>.keys`, and the end of prompt `<question id>`."""
    hint = (question.hint,) if question.hint else ()
    return hint + tuple(spoken_option(option) for option in question.options)


def spoken_question(question: Question) -> tuple[str, ...]:
    """All that is said of a question, one line each: its text, then its keys."""
    return (question.text, *spoken_keys(question))


def to_mapping(questionnaire: Questionnaire) -> dict[str, Any]:
    """JSON-safe form; `from_mapping` gives the same questionnaire back. The TOML files have this shape too."""
    return {
        "id": questionnaire.id,
        "version": questionnaire.version,
        "title": questionnaire.title,
        "minutes": questionnaire.minutes,
        "questions": [_question_to(question) for question in questionnaire.questions],
    }


def _question_to(question: Question) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "text": question.text,
        "label": question.label,
        "aspect": question.is_aspect,
        "verbatim": question.is_verbatim,
        "scale": question.scale,
        "source": question.source,
    }
    if question.hint:
        written["hint"] = question.hint
    if question.minimum is not None:
        written["minimum"] = question.minimum
    if question.maximum is not None:
        written["maximum"] = question.maximum
    if question.condition is not None:
        written["condition"] = _condition_to(question.condition)
    if question.remark is not None:
        remark: dict[str, Any] = {"id": question.remark.id, "text": question.remark.text}
        if question.remark.condition is not None:
            remark["condition"] = _condition_to(question.remark.condition)
        written["remark"] = remark
    if question.options:
        written["options"] = [
            {"key": option.key, "code": option.code, "text": option.text, "missing": option.is_missing}
            for option in question.options
        ]
    return written


def _condition_to(condition: Condition) -> dict[str, Any]:
    return {"question": condition.question, "not_in" if condition.is_negated else "in": list(condition.values)}


class _Reader:
    """One table of a questionnaire file: gives its values by name and type, and refuses names it does not know."""

    def __init__(self, data: object, where: str, names: set[str]) -> None:
        if not isinstance(data, Mapping):
            raise ConfigurationError(f"{where}: expected a table of names and values, found {data!r}.")
        self.data: dict[str, Any] = {str(name): value for name, value in data.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        self.where = where
        if unknown := sorted(set(self.data) - names):
            raise ConfigurationError(
                f"{where}: unknown name {unknown[0]!r}; expected one of {', '.join(sorted(names))}."
            )

    def text(self, name: str, *, needed: bool = False) -> str:
        """A text; an absent one is empty (the check reports it), unless nothing can be said without it."""
        value = self.data.get(name, "")
        if not isinstance(value, str) or (needed and not value):
            raise ConfigurationError(f"{self.where}: {name} must be a text between quotes, found {value!r}.")
        return value.strip()

    def flag(self, name: str) -> bool:
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            raise ConfigurationError(f"{self.where}: {name} must be true or false, found {value!r}.")
        return value

    def whole(self, name: str) -> int | None:
        value = self.data.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ConfigurationError(f"{self.where}: {name} must be a whole number, found {value!r}.")
        return value

    def needed_whole(self, name: str) -> int:
        value = self.whole(name)
        if value is None or value < 1:
            raise ConfigurationError(f"{self.where}: {name} must be a whole number of at least 1, found {value!r}.")
        return value

    def items(self, name: str) -> list[object]:
        value = self.data.get(name, [])
        if not isinstance(value, list | tuple):
            raise ConfigurationError(f"{self.where}: {name} must be a list, found {value!r}.")
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def from_mapping(data: Mapping[str, Any]) -> Questionnaire:
    """The questionnaire of a TOML file or a stored JSON document.

    Raises ConfigurationError naming question and what was expected when the shape is wrong. What has the right
    shape and cannot work by phone (a text left out, two answers on one key) is for `check`.
    """
    names = {"id", "version", "title", "minutes", "questions"}
    top = _Reader(data, "questionnaire", names)
    id = top.text("id", needed=True)
    questions = tuple(
        _question(item, f"{id}, question {number}") for number, item in enumerate(top.items("questions"), 1)
    )
    return Questionnaire(
        id=id,
        version=top.needed_whole("version"),
        title=top.text("title"),
        minutes=top.needed_whole("minutes"),
        questions=questions,
    )


def _question(data: object, where: str) -> Question:
    names = {"id", "kind", "text", "label", "aspect", "verbatim", "scale", "source", "hint", "minimum", "maximum"}
    table = _Reader(data, where, names | {"condition", "remark", "options"})
    id = table.text("id", needed=True)
    table.where = f"{where} ({id})"
    kinds: dict[str, Kind] = {"single": "single", "grade": "grade", "number": "number"}
    if (kind := table.text("kind")) not in kinds:
        raise ConfigurationError(f"{table.where}: kind must be single, grade or number, found {kind!r}.")
    minimum, maximum = table.whole("minimum"), table.whole("maximum")
    if kind == "grade":
        minimum, maximum = minimum or 1, maximum or 10
    return Question(
        id=id,
        kind=kinds[kind],
        text=table.text("text"),
        label=table.text("label"),
        options=tuple(
            _option(item, f"{table.where}, option {number}") for number, item in enumerate(table.items("options"), 1)
        ),
        is_aspect=table.flag("aspect"),
        is_verbatim=table.flag("verbatim"),
        condition=_condition(table),
        minimum=minimum,
        maximum=maximum,
        scale=table.text("scale"),
        source=table.text("source"),
        remark=_remark(table),
        hint=table.text("hint"),
    )


def _option(data: object, where: str) -> Option:
    table = _Reader(data, where, {"key", "code", "text", "missing"})
    return Option(
        key=table.text("key", needed=True),
        code=table.text("code", needed=True),
        text=table.text("text"),
        is_missing=table.flag("missing"),
    )


def _condition(table: _Reader) -> Condition | None:
    if "condition" not in table.data:
        return None
    inner = _Reader(table.data["condition"], f"{table.where}, condition", {"question", "in", "not_in"})
    if ("in" in inner.data) == ("not_in" in inner.data):
        raise ConfigurationError(f"{inner.where}: expected either in = […] or not_in = […].")
    values = inner.items("in") or inner.items("not_in")
    return Condition(inner.text("question", needed=True), tuple(str(value) for value in values), "not_in" in inner.data)


def _remark(table: _Reader) -> Remark | None:
    if "remark" not in table.data:
        return None
    inner = _Reader(table.data["remark"], f"{table.where}, remark", {"id", "text", "condition"})
    return Remark(inner.text("id", needed=True), inner.text("text"), _condition(inner))
