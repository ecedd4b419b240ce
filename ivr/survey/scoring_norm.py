"""The satisfaction norm and its correction for small samples (rules 16, 17 and 23).

A printed mean that reaches the norm has met it. One that misses it is looked at again with every insufficient grade
counted alike, "whether a 1 or a 5". The corrected mean is never published, only the outcome. Meeting the norm is one
of several demands of the keurmerk, so no outcome is called a keurmerk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from ivr.survey.scoring_rounding import half_up, printed_mean, spread
from ivr.survey.scoring_rules import Rules

NormOutcome = Literal["gehaald", "gehaald_na_correctie", "niet_gehaald", "niet_te_bepalen"]


@dataclass(frozen=True, slots=True)
class NormRow:
    """What the norm says of a service or of Totaal. mean and spread: one and two decimals, None where withheld."""

    service: str
    n: int
    mean: Decimal | None
    norm: Decimal
    outcome: NormOutcome
    spread: Decimal | None


def corrected_mean(grades: Mapping[Decimal, int], rules: Rules) -> Fraction | None:
    """M*: the mean with every insufficient grade counted as a 5, exact. None when the guard, the size of the
    sample or an empty sample rules the correction out."""
    n = sum(grades.values())
    if n == 0 or (rules.correction_max_n is not None and n > rules.correction_max_n):
        return None
    if 2 * sum(count for grade, count in grades.items() if grade >= rules.guard_from) <= n:
        return None
    heavy = sum(count for grade, count in grades.items() if grade < rules.insufficient_below)
    sufficient = sum(
        (Fraction(grade) * count for grade, count in grades.items() if grade >= rules.insufficient_below), Fraction(0)
    )
    return (sufficient + Fraction(rules.insufficient_counts_as) * heavy) / n


def norm_outcome(grades: Mapping[Decimal, int], norm: Decimal, rules: Rules) -> NormOutcome:
    """Whether these grades meet the norm; both means are compared as they would be printed, with one decimal."""
    mean = printed_mean(grades)
    if mean is None:
        return "niet_te_bepalen"
    if mean >= norm:
        return "gehaald"
    again = corrected_mean(grades, rules)
    return "gehaald_na_correctie" if again is not None and half_up(again, 1) >= norm else "niet_gehaald"


def norm_row(service: str, net: int, grades: Mapping[Decimal, int], norm: Decimal, rules: Rules) -> NormRow:
    """A row of norm.csv. Where table 1.1 withholds the grade (one person) the norm says nothing either, and the
    spread of fewer grades than the minimum base would give single grades away."""
    n = sum(grades.values())
    if n == 0 or net == 1:
        return NormRow(service, n, None, norm, "niet_te_bepalen", None)
    shown = spread(grades) if n >= rules.minimum_n else None
    return NormRow(service, n, printed_mean(grades), norm, norm_outcome(grades, norm, rules), shown)
