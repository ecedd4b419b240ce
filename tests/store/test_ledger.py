"""The ledger: lines once, twenty subsidised over all orders, withdrawals taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ivr.store import Database, ledger, orders
from ivr.store.samples import ensure_sample
from ivr.survey.billing import SubsidyRules, split_order

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))


class Book:
    """A provider's ledger, with two orders of one period and one of another."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            sample = ensure_sample(session, "Werkpad", PERIOD)
            other = ensure_sample(session, "Werkpad", (date(2025, 1, 1), date(2025, 12, 31)))
            self.first = orders.open_purchased(session, sample.id, 15, Decimal("12.50"), None, NOW)[1]
            self.second = orders.open_purchased(session, sample.id, 10, Decimal("10.00"), [5], NOW)[1]
            self.earlier = orders.open_purchased(session, other.id, 10, Decimal("8.00"), None, NOW)[1]
            self.inburgering = orders.ensure_inburgering(session, sample.id, 25, NOW)

    def enter(self, cell_id: int, *names: str) -> None:
        for name in names:
            with self.database.write() as session:
                ledger.enter(session, cell_id, name, NOW)

    def lines(self, provider: str | None = None) -> list[ledger.LedgerLine]:
        with self.database.read() as session:
            return ledger.lines(session, provider)


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


def test_inburgering_is_no_purchase(book: Book) -> None:
    book.enter(book.inburgering, "a")
    assert book.lines() == []


def test_an_interview_is_billed_once(book: Book) -> None:
    book.enter(book.first, "a", "a")
    (line,) = book.lines("WERKPAD")
    assert (line.number, line.price, line.subsidy, line.provider_share) == (
        1,
        Decimal("12.50"),
        Decimal("6.25"),
        Decimal("6.25"),
    )
    assert book.lines("Anders") == []


def test_the_first_twenty_are_counted_over_the_orders_of_a_period(book: Book) -> None:
    book.enter(book.first, *(f"a{n}" for n in range(15)))
    book.enter(book.second, *(f"b{n}" for n in range(10)))
    book.enter(book.earlier, "c")
    lines = book.lines()
    assert [line.number for line in lines] == [*range(1, 26), 1]
    assert [line.subsidy for line in lines[15:]] == [Decimal(5)] * 5 + [Decimal(0)] * 5 + [Decimal(4)]
    assert all(line.subsidy + line.provider_share == line.price for line in lines)


def test_a_withdrawal_is_taken_back_and_its_subsidy_goes_to_the_next(book: Book) -> None:
    book.enter(book.first, *(f"a{n}" for n in range(15)))
    book.enter(book.second, *(f"b{n}" for n in range(6)))
    for _ in range(2):
        with book.database.write() as session:
            ledger.reverse(session, "a3", NOW)
            ledger.reverse(session, "unknown", NOW)
    book.enter(book.second, "next")
    back, following = book.lines()[-2:]
    assert (back.reverses, back.number, back.price, back.subsidy) == (4, 4, Decimal("-12.50"), Decimal("-6.25"))
    assert (following.number, following.subsidy) == (4, Decimal("5.00"))
    assert len(book.lines()) == 23


def test_an_interview_can_be_billed_again_after_its_line_was_taken_back(book: Book) -> None:
    book.enter(book.first, "a")
    with book.database.write() as session:
        ledger.reverse(session, "a", NOW)
    book.enter(book.first, "a")
    assert sum(line.price for line in book.lines()) == Decimal("12.50")


def test_an_order_keeps_the_terms_under_which_it_was_placed(book: Book) -> None:
    with book.database.write() as session:
        sample = ensure_sample(session, "Zonder", PERIOD)
        terms = SubsidyRules(first=1, share=Decimal("0.25"))
        cell = orders.open_purchased(session, sample.id, 5, Decimal("12.00"), None, NOW, terms)[1]
    book.enter(cell, "a", "b")
    assert [line.subsidy for line in book.lines("Zonder")] == [Decimal("3.00"), Decimal("0.00")]


def test_interviews_beyond_the_order_cost_nothing(book: Book) -> None:
    book.enter(book.second, *(f"b{n}" for n in range(12)))
    assert len(book.lines()) == 10
    with book.database.write() as session:
        ledger.reverse(session, "b3", NOW)
    book.enter(book.second, "b11")
    assert sum(line.price for line in book.lines()) == Decimal(100)


def test_orders_whose_lines_mix_and_are_taken_back_each_add_up_to_their_split(database: Database) -> None:
    with database.write() as session:
        sample = ensure_sample(session, "Werkpad", PERIOD)
        one = orders.open_purchased(session, sample.id, 3, Decimal("9.95"), None, NOW)[1]
        two = orders.open_purchased(session, sample.id, 4, Decimal("9.95"), None, NOW)[1]
        for cell, name in ((one, "a"), (two, "b"), (one, "c"), (two, "d"), (two, "e")):
            ledger.enter(session, cell, name, NOW)
        ledger.reverse(session, "a", NOW)
        ledger.reverse(session, "d", NOW)
        for cell, name in ((two, "f"), (one, "g"), (two, "h"), (one, "i")):
            ledger.enter(session, cell, name, NOW)
        lines = ledger.lines(session)
    for order_id, interviews in zip(sorted({line.order_id for line in lines}), (3, 4), strict=True):
        mine = [line for line in lines if line.order_id == order_id]
        split = split_order(interviews, Decimal("9.95"), 0, SubsidyRules())
        assert sum(line.subsidy for line in mine) == split.subsidy
        assert sum(line.provider_share for line in mine) == split.provider_pays
