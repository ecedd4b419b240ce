"""Orders: who joins, what it costs, and what a second order finds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ivr.errors import UsageError
from ivr.fieldwork.intake import IntakeRules, import_clients
from ivr.fieldwork.ordering import PlacedOrder, parse_services, place_order
from ivr.store import Database, orders
from ivr.store.sealing import Sealer
from ivr.store.tables import cases, cells, interviews
from ivr.survey.billing import DEFAULT_SUBSIDY

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
RULES = IntakeRules(inburgering_target=25, replicate_size=4, announcement_min_days=2)
SERVICES = {code: f"Dienst {code}" for code in range(1, 14)}
SEALER = Sealer(bytes(range(32)))


class Shop:
    """Takes in clients and orders of one provider."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    def deliver(self, *rows: str) -> None:
        """Rows as clientnummer;telefoon;dienst;leerprofiel;toestemming, all announced."""
        path = self.folder / "lijst.csv"
        head = "clientnummer;telefoon;dienst;leerprofiel;toestemming;einddatum_traject;aangekondigd_op;email"
        path.write_text("\n".join([head, *(f"{row};2026-03-31;2026-09-28;a{n}@b.nl" for n, row in enumerate(rows))]))
        import_clients(self.database, SEALER, path, "Werkpad", PERIOD, SERVICES, RULES, NOW)

    def order(self, interviews: int = 10, services: tuple[int, ...] | None = None) -> PlacedOrder:
        return place_order(
            self.database, "WERKPAD ", PERIOD, interviews, Decimal("12.50"), services, RULES, DEFAULT_SUBSIDY, NOW
        )

    def members(self, cell_id: int) -> set[str]:
        return {row.respondent for row in self.rows() if row.cell_id == cell_id}

    def rows(self) -> list[Any]:
        with self.database.read() as session:
            return list(session.execute(sa.select(cases).order_by(cases.c.id)))

    def change(self, *respondents: str, **values: object) -> None:
        with self.database.write() as session:
            session.execute(sa.update(cases).where(cases.c.respondent.in_(respondents)).values(**values))


@pytest.fixture
def shop(sqlite_database: Database, tmp_path: Path) -> Shop:
    return Shop(sqlite_database, tmp_path)


def plain(number: int, service: int = 5) -> str:
    return f"{number};06{20_000_000 + number};{service};;"


def test_an_order_takes_the_regular_clients_it_may_call(shop: Shop) -> None:
    shop.deliver(
        plain(1),
        "2;;5;;",
        "3;0620000003;5;;nee",
        "4;0620000004;11;1;",
        "5;0620000005;11;4;",
        plain(6),
        plain(7),
        plain(8, 9),
    )
    with shop.database.write() as session:
        case_id = session.execute(sa.select(cases.c.id).where(cases.c.respondent == "6")).scalar_one()
        session.execute(
            sa.insert(interviews).values(
                id="6" * 32, case_id=case_id, questionnaire="regulier", version=1, mode="web", started_at=NOW
            )
        )
    shop.change("7", is_final=True, disposition="opted_out")
    placed = shop.order()
    assert shop.members(placed.cell_id) == {"1", "5", "8"}
    assert placed.cases == 3
    joined = [row for row in shop.rows() if row.cell_id == placed.cell_id]
    assert {row.route for row in joined} == {"regular"}
    assert {row.next_call_at for row in joined} == {datetime(2026, 9, 29, 22, tzinfo=UTC)}
    assert sorted(row.position for row in joined) == [0, 1, 2]


def test_an_order_can_be_for_some_services(shop: Shop) -> None:
    shop.deliver(plain(1), plain(2, 9), plain(3, 7))
    assert shop.members(shop.order(services=(5, 9)).cell_id) == {"1", "2"}


def test_clients_delivered_after_the_order_join_it(shop: Shop) -> None:
    placed = shop.order(services=(5,))
    assert placed.cases == 0
    shop.deliver(plain(1), plain(2, 9), "3;0620000003;5;;nee", "4;0620000004;11;1;")
    assert shop.members(placed.cell_id) == {"1"}
    with shop.database.read() as session:
        assert [cell.track for cell in orders.cells_of(session, 1)] == ["purchased", "inburgering"]


def test_a_second_order_counts_on_from_the_first(shop: Shop) -> None:
    first, second = shop.order(15), shop.order(10)
    assert (first.split.subsidy, first.split.provider_pays) == (Decimal("93.75"), Decimal("93.75"))
    assert (second.split.subsidised_interviews, second.split.subsidy) == (5, Decimal("31.25"))
    assert second.to_mapping()["provider_pays"] == "93.75"


def test_a_second_order_gets_its_share_of_people_to_call(shop: Shop) -> None:
    shop.deliver(*(plain(n) for n in range(1, 41)))
    first = shop.order(10)
    shop.change(*(str(n) for n in range(1, 11)), dialled=1)
    second = shop.order(20)
    moved = shop.members(second.cell_id)
    assert len(moved) == 20
    assert moved.isdisjoint({str(n) for n in range(1, 11)})
    assert len(shop.members(first.cell_id)) == 20
    assert sorted(row.position for row in shop.rows() if row.cell_id == second.cell_id) == list(range(20))


def test_those_left_over_when_a_cell_filled_can_be_bought_again(shop: Shop) -> None:
    shop.deliver(*(plain(n) for n in range(1, 6)))
    first = shop.order(2)
    with shop.database.write() as session:
        session.execute(sa.update(cells).where(cells.c.id == first.cell_id).values(successful=2))
    shop.change("1", "2", is_final=True, disposition="complete", dialled=1)
    shop.change("3", "4", "5", is_final=True, disposition="quota_full", next_call_at=None)
    second = shop.order(2)
    assert shop.members(second.cell_id) == {"3", "4", "5"}
    again = [row for row in shop.rows() if row.cell_id == second.cell_id]
    assert all(row.disposition == "fresh" and not row.is_final and row.next_call_at for row in again)


def test_the_list_shows_every_order(shop: Shop) -> None:
    shop.deliver(plain(1), "4;0620000004;11;1;")
    shop.order(3, (5,))
    with shop.database.read() as session:
        lines = orders.list_orders(session, "werkpad")
        assert orders.list_orders(session, "niemand") == []
    assert [(line.track, line.interviews, line.price, line.services, line.cases) for line in lines] == [
        ("inburgering", 25, None, None, 1),
        ("purchased", 3, Decimal("12.50"), (5,), 1),
    ]


def test_wrong_orders_are_refused(shop: Shop) -> None:
    with pytest.raises(UsageError):
        shop.order(0)
    for text in ("12", "14", "vijf", "5;9", "-1"):
        with pytest.raises(UsageError, match="such as 5,9"):
            parse_services(text, SERVICES)
    assert parse_services("9, 5,9", SERVICES) == (5, 9)
    assert parse_services(None, SERVICES) is None
