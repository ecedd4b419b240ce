"""Who pays what: rules 5-7."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.survey.billing import DEFAULT_SUBSIDY, SubsidyRules, parse_price, split_order, subsidy_of

PRICES = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)


@pytest.mark.parametrize(
    ("n", "half", "rest"), [(20, 10, 10), (25, 10, 15), (8, 4, 4), (1, Decimal("0.5"), Decimal("0.5"))]
)
def test_the_published_splits(n: int, half: Decimal, rest: Decimal) -> None:
    split = split_order(n, Decimal(10), 0, DEFAULT_SUBSIDY)
    assert (split.subsidy, split.provider_pays) == (half * 10, rest * 10)


def test_the_first_twenty_are_counted_over_all_orders() -> None:
    assert split_order(10, Decimal("12.50"), 15, DEFAULT_SUBSIDY).subsidised_interviews == 5
    assert split_order(10, Decimal("12.50"), 20, DEFAULT_SUBSIDY).subsidy == 0
    assert split_order(10, Decimal("12.50"), 45, DEFAULT_SUBSIDY).subsidy == 0


def test_half_a_cent_is_rounded_up() -> None:
    split = split_order(1, Decimal("12.25"), 0, DEFAULT_SUBSIDY)
    assert (split.subsidy, split.provider_pays) == (Decimal("6.13"), Decimal("6.12"))


@given(PRICES, st.integers(1, 40), st.integers(0, 40))
def test_nothing_is_lost_in_a_split(price: Decimal, n: int, before: int) -> None:
    split = split_order(n, price, before, DEFAULT_SUBSIDY)
    assert split.subsidy + split.provider_pays == split.total == price * n
    assert 0 <= split.subsidised_interviews <= 20


@given(PRICES, st.integers(1, 40))
def test_the_lines_of_a_first_order_add_up_to_its_split(price: Decimal, n: int) -> None:
    assert sum(_lines(range(1, n + 1), price)) == split_order(n, price, 0, DEFAULT_SUBSIDY).subsidy


def _lines(numbers: Iterable[int], price: Decimal) -> list[Decimal]:
    lines: list[Decimal] = []
    for number in numbers:
        standing = lines[: DEFAULT_SUBSIDY.first]
        lines.append(subsidy_of(number, price, DEFAULT_SUBSIDY, standing if number <= DEFAULT_SUBSIDY.first else ()))
    return lines


@given(PRICES, st.integers(1, 40), st.integers(0, 40))
def test_the_lines_of_a_second_order_add_up_to_its_split_to_the_cent(price: Decimal, n: int, before: int) -> None:
    lines = _lines(range(before + 1, before + n + 1), price)
    assert sum(lines) == split_order(n, price, before, DEFAULT_SUBSIDY).subsidy
    assert all(abs(line - price / 2) < Decimal("0.01") for line in lines[: max(0, 20 - before)])


def test_the_scheme_is_configuration() -> None:
    assert split_order(4, Decimal(10), 0, SubsidyRules(2, Decimal("0.25"))).subsidy == 5


@pytest.mark.parametrize(
    ("text", "price"), [("12,50", "12.50"), ("12.5", "12.50"), (" € 7", "7.00"), ("0", "0.00"), ("0,05", "0.05")]
)
def test_a_price_is_read_with_comma_or_point(text: str, price: str) -> None:
    assert str(parse_price(text)) == price


@pytest.mark.parametrize("text", ["", "-1", "12,505", "1.000,00", "twaalf", "NaN", "1e3", "12,", "²"])
def test_what_is_no_price_is_refused(text: str) -> None:
    assert parse_price(text) is None
