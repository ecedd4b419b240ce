"""What a questionnaire is: questions, options, conditions, as frozen data.

Decides the shape; `interview.py` decides how it is walked, `speech/script.py` how it is spoken, and
`check` (below) what cannot work by phone. Loaded from TOML by `catalogue.py`; a version is frozen in the
store when it is first used, so a change needs a new version number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["single", "grade", "number"]


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

    def holds(self, answers: Mapping[str, str], service: int) -> bool:
        value = str(service) if self.question == "service" else answers.get(self.question)
        return (value in self.values) != self.is_negated


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
    options: tuple[Option, ...] = ()
    is_aspect: bool = False
    is_verbatim: bool = False
    condition: Condition | None = None
    minimum: int | None = None
    maximum: int | None = None
    scale: str = ""
    source: str = ""
    remark: Remark | None = None


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
