"""When a questionnaire that somebody filled in without the telephone's engine is usable, and how far it got.

Rules 10 and 11: at least half of the service aspects that were shown hold a substantive answer. On the phone the
engine decides this itself, because there every shown aspect must also have been put to the person; on paper and
on the web nobody can know what was read, so an aspect without an answer is one that was passed over. A
commissioner's form counts as soon as it holds a grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from ivr.survey.forms import MISSING, grade_of
from ivr.survey.questionnaire import Question, Questionnaire


def is_usable(form: Questionnaire, answers: Mapping[str, str], service: int | None) -> bool:
    """Whether these answers (question id → stored value) make a usable questionnaire."""
    if form.id == "opdrachtgever":
        return grade_of(form.id, answers) is not None
    aspects = [question for question in shown(form, answers, service) if question.is_aspect]
    substantive = sum(answers.get(question.id, "geen_antwoord") not in MISSING for question in aspects)
    return bool(aspects) and substantive * 2 >= len(aspects)


def shown(form: Questionnaire, answers: Mapping[str, str], service: int | None) -> list[Question]:
    """The questions that these answers lead past, in order. A question whose condition looks at an answer that
    was not given is not shown, whichever way the condition runs."""
    found: list[Question] = []
    for question in form.questions:
        condition = question.condition
        if condition is not None:
            if condition.question != "service" and answers.get(condition.question, "geen_antwoord") in MISSING:
                continue
            if not condition.holds(answers, service or 0):
                continue
        found.append(question)
    return found


def usable_since(
    form: Questionnaire, given: Iterable[tuple[datetime, str, str]], service: int | None
) -> datetime | None:
    """The moment from which the answers (answered_at, question, value) are usable for good; None if they never are.

    An answer given later may show a further aspect, so the moment is the last one at which they became usable.
    """
    answers: dict[str, str] = {}
    since: datetime | None = None
    ordered: Sequence[tuple[datetime, str, str]] = sorted(given)
    for index, (at, question, value) in enumerate(ordered):
        answers[question] = value
        if index + 1 < len(ordered) and ordered[index + 1][0] == at:
            continue
        since = (since or at) if is_usable(form, answers, service) else None
    return since


def disposition_of(
    form: Questionnaire, answers: Mapping[str, str], service: int | None
) -> Literal["complete", "partial", "unusable"]:
    """How a questionnaire on paper, web or through a human interviewer ended."""
    if not is_usable(form, answers, service):
        return "unusable"
    return "complete" if all(question.id in answers for question in shown(form, answers, service)) else "partial"
