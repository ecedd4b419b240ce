"""How long a call lasts for somebody who hears everything once and answers at once.

Decides the shortest complete path: the real engine is walked with substantive answers, and where an answer decides
what is asked further on each kind of answer is tried. Only sound is counted, not the time in which people think.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ivr.survey.interview import Interview, Occasion, advance, begin
from ivr.survey.keypad import first_digit, is_substantive
from ivr.survey.questionnaire import Question, Questionnaire
from ivr.survey.turn import Keypress, Prompt, Turn

_GRADE_FIRST = "8765432"
_MOST_TURNS = 200


@dataclass(frozen=True, slots=True)
class Path:
    """A way through a call. `prompts` as they are heard; `keys` as they are pressed."""

    seconds: float
    prompts: tuple[str, ...]
    keys: str


def shortest_path(questionnaire: Questionnaire, service: int, seconds_of: Callable[[Prompt], float]) -> Path:
    """The shortest way from the greeting to the goodbye in which every question put gets a substantive answer.

    `seconds_of` says how long a prompt lasts. Raises ValueError when no such way exists.
    """
    best = _walk(questionnaire, *begin(questionnaire, Occasion(service=service)), seconds_of, ())
    if best is None:
        raise ValueError(f"no complete interview is possible with questionnaire {questionnaire.id}")
    return best


def shortest_path_seconds(questionnaire: Questionnaire, service: int, seconds_of: Callable[[Prompt], float]) -> float:
    """Seconds of sound on the shortest complete path, at normal speed."""
    return shortest_path(questionnaire, service, seconds_of).seconds


def _walk(
    questionnaire: Questionnaire,
    interview: Interview,
    turn: Turn,
    seconds_of: Callable[[Prompt], float],
    pressed: tuple[str, ...],
) -> Path | None:
    said = (*turn.announces, *turn.asks)
    seconds = sum(seconds_of(prompt) for prompt in said)
    ids = tuple(prompt.id for prompt in said)
    if interview.is_over:
        return Path(seconds, ids, "".join(pressed)) if interview.outcome == "complete" else None
    if len(pressed) > _MOST_TURNS:
        return None
    best: Path | None = None
    for key in _keys(questionnaire, interview):
        rest = _walk(questionnaire, *advance(questionnaire, interview, Keypress(key)), seconds_of, (*pressed, key))
        if rest is not None and (best is None or seconds + rest.seconds < best.seconds):
            best = Path(seconds + rest.seconds, ids + rest.prompts, rest.keys)
    return best


def _keys(questionnaire: Questionnaire, interview: Interview) -> tuple[str, ...]:
    """What is worth pressing: 1 (take part, it is me, practice), or one answer of each kind that leads elsewhere."""
    if interview.step != "question" or interview.question is None:
        return ("1",)
    question = questionnaire.question(interview.question)
    kinds: dict[tuple[bool, ...], str] = {}
    for key, code in _answers(question):
        kinds.setdefault(_consequences(questionnaire, question, code), key)
    return tuple(kinds.values())


def _answers(question: Question) -> list[tuple[str, str]]:
    if question.kind == "single":
        return [(option.key, option.code) for option in question.options if is_substantive(option.code)]
    # A digit that ends the number at once: a 1 would wait for a 0.
    entries = ((key, first_digit(question, key)) for key in _GRADE_FIRST)
    return [(key, entry.value) for key, entry in entries if entry.kind == "answer"]


def _consequences(questionnaire: Questionnaire, question: Question, code: str) -> tuple[bool, ...]:
    conditions = [later.condition for later in questionnaire.questions]
    conditions += [later.remark.condition if later.remark else None for later in questionnaire.questions]
    depending = [condition for condition in conditions if condition is not None and condition.question == question.id]
    return tuple(condition.holds({question.id: code}, 0) for condition in depending)
