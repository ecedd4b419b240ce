"""Exact arithmetic of the printed figures: fractions in, decimals rounded half up out (rule 15).

A published split proves it: 10 of 16 is 62,5 % and prints as 63 %. Python's own `round` prints 62, and a float
mean of 8,85 may be a hair below 8,85. So sums stay fractions until they are printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction


def half_up(value: Fraction, places: int = 0) -> Decimal:
    """`value` with so many decimals, a half away from zero: 62,5 → 63, 8,85 → 8,9, -0,5 → -1."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def percentage(part: int, base: int, places: int = 0) -> Decimal:
    """100 x part / base, half up; 0 when there is no base."""
    return half_up(Fraction(100 * part, base), places) if base else half_up(Fraction(0), places)


def exact_mean(counts: Mapping[Decimal, int]) -> Fraction | None:
    """The mean of values with their counts; None when nothing was counted."""
    total = sum(counts.values())
    if not total:
        return None
    return sum((Fraction(value) * count for value, count in counts.items()), Fraction(0)) / total


def printed_mean(counts: Mapping[Decimal, int], places: int = 1) -> Decimal | None:
    """The mean as it is printed; None when nothing was counted."""
    exact = exact_mean(counts)
    return None if exact is None else half_up(exact, places)


def comma(value: Decimal) -> str:
    """`8.9` → `8,9`, with the decimals it has."""
    return f"{value:f}".replace(".", ",")


def spread(counts: Mapping[Decimal, int]) -> Decimal | None:
    """The standard deviation (over n, not n - 1) with two decimals; None when nothing was counted."""
    exact = exact_mean(counts)
    if exact is None:
        return None
    total = sum(counts.values())
    variance = sum((count * (Fraction(value) - exact) ** 2 for value, count in counts.items()), Fraction(0)) / total
    root = (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
    return half_up(Fraction(root), 2)
