"""Distributions per question, the promotor score, the benchmark of all participants, and what scores relatively well.

Works on counts, never on persons: question → value → how often. The base n of a question is everyone who gave it a
substantive answer; `geen mening` is an opinion and is printed (JOP: 14 and 7 of 21, the 22nd gave no answer).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ivr.survey.forms import MISSING, as_number
from ivr.survey.questionnaire import Question
from ivr.survey.scoring_rounding import half_up, percentage, printed_mean
from ivr.survey.scoring_rules import Figure, Rules

PROVINCE = "PROVINCIE"

Counts = Mapping[str, int]
Tally = Mapping[str, Counts]
"""Question id → stored value → how many counted questionnaires hold it."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How one question was answered: (value, count) in print order, and the base n."""

    question: str
    parts: tuple[tuple[str, int], ...]
    n: int

    def percent(self, count: int) -> Decimal:
        """Whole percentage of the base, half up; parts are not forced to add up to 100."""
        return percentage(count, self.n)


def distribution(question: str, known: Question | None, counts: Counts) -> Distribution:
    """The distribution of a question: its options in their order, then values it does not know, in byte order.

    Grades and counts are ordered by size; grades with decimals are rounded half up for the histogram.
    """
    given = {value: count for value, count in counts.items() if value not in MISSING}
    if known is not None and known.kind != "single":
        rounded: Counter[Decimal] = Counter()
        for value, count in given.items():
            number = as_number(value)
            if number is not None:
                rounded[half_up(Fraction(number))] += count
        grades = range(1, 11) if known.kind == "grade" else sorted(int(number) for number in rounded)
        parts = tuple((str(grade), rounded.get(Decimal(grade), 0)) for grade in grades)
    else:
        options = [option.code for option in known.options if not option.is_missing] if known else []
        parts = tuple((code, given.get(code, 0)) for code in [*options, *sorted(given.keys() - set(options))])
    return Distribution(question, parts, sum(count for _, count in parts))


def mean_of(counts: Counts) -> Decimal | None:
    """The mean of the numbers among the values, one decimal half up; None without one."""
    return printed_mean(numbers(counts))


def numbers(counts: Counts) -> Counter[Decimal]:
    """The values that are numbers, with their counts."""
    found: Counter[Decimal] = Counter()
    for value, count in counts.items():
        number = as_number(value)
        if number is not None:
            found[number] += count
    return found


def promotor_score(recommended: int, usable: int) -> Decimal | None:
    """100 x recommended / all usable questionnaires, one decimal; None where none was usable (rule 21)."""
    return percentage(recommended, usable, 1) if usable else None


@dataclass(frozen=True, slots=True)
class NumberedFigure:
    """A figure as it is printed for one provider: `3.4`, its title, and the questions that have answers."""

    number: str
    title: str
    questions: tuple[str, ...]
    is_mean: bool


def numbered(figures: Sequence[Figure], answered: Sequence[str]) -> list[NumberedFigure]:
    """Give numbers as the reports do: a figure without answers is left out and those after it move up.

    `answered`: ids of the questions that have a base, in the order in which an open `OG_CIJFER_*` lists them.
    """
    last: Counter[int] = Counter()
    result: list[NumberedFigure] = []
    for figure in figures:
        questions = [id for wanted in figure.questions for id in _matching(wanted, answered)]
        groups = [[id] for id in questions] if figure.is_series else [questions]
        for group in groups:
            if group:
                last[figure.chapter] += 1
                number = f"{figure.chapter}.{last[figure.chapter]}"
                result.append(NumberedFigure(number, figure.title, tuple(group), figure.is_mean))
    return result


def relatively_good(
    own: Mapping[str, Distribution], everyone: Mapping[str, Distribution], rules: Rules
) -> tuple[str, ...]:
    """The aspects that "score relatively well": the best of the staff, then four of the others, by the largest
    positive difference in satisfied answers to all participants, in questionnaire order (rule 22).

    Differences are exact, not those of the printed percentages; of two equal ones the earlier question goes first.
    """
    order = [*rules.staff_aspects, *rules.other_aspects]

    def difference(question: str) -> Fraction:
        mine, theirs = own.get(question), everyone.get(question)
        if mine is None or theirs is None or not mine.n or not theirs.n:
            return Fraction(0)
        return _satisfied(mine, rules) - _satisfied(theirs, rules)

    def best(questions: Sequence[str], count: int) -> list[str]:
        positive = [question for question in questions if difference(question) > 0]
        return sorted(positive, key=lambda question: (-difference(question), order.index(question)))[:count]

    chosen = best(rules.staff_aspects, rules.staff_points) + best(rules.other_aspects, rules.other_points)
    return tuple(sorted(chosen, key=order.index))


def _satisfied(part: Distribution, rules: Rules) -> Fraction:
    return Fraction(sum(count for code, count in part.parts if code in rules.satisfied), part.n)


def _matching(wanted: str, answered: Sequence[str]) -> list[str]:
    if wanted.endswith("*"):
        return [id for id in answered if id.startswith(wanted[:-1])]
    return [wanted] if wanted in answered else []
