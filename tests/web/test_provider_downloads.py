"""What a provider can fetch: invoices that are the ledger, texts with its own name, its rows once they are final."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.exports import publishing
from ivr.fieldwork import provider_texts
from ivr.store import Database, ledger
from ivr.store.tables import cells
from tests.web.page_house import MIDDAY, PERIOD, add_cell, house_of, signed_in
from tests.web.provider_house import open_provider, succeed, tomorrow


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_provider(sqlite_database, tmp_path)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return signed_in(app, "provider", "Eerste Hulp")


# --- costs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def billed(app: Flask, sqlite_database: Database) -> int:
    """An order of 30 with 22 interviews that counted, one of them taken back, and one of today; its id."""
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=40, track="purchased", target=30)
    with sqlite_database.write() as session:
        for number in range(22):
            ledger.enter(session, cell_id, f"i{number}", MIDDAY + timedelta(days=number // 5))
        ledger.reverse(session, "i3", MIDDAY + timedelta(days=5))
        ledger.enter(session, cell_id, "today", datetime.now(UTC))
        return session.execute(sa.select(cells.c.order_id).where(cells.c.id == cell_id)).scalar_one()


def test_many_orders_are_paged_and_the_sum_is_of_all(app: Flask, client: FlaskClient) -> None:
    for _ in range(12):
        add_cell(house_of(app), "Eerste Hulp", people=0, track="purchased")
    first, last = client.get("/aanbieder/kosten").text, client.get("/aanbieder/kosten?pagina=2").text
    assert first.count('<th scope="row">Bestelling') == 10
    assert last.count('<th scope="row">Bestelling') == 2
    assert "Alles samen (12 bestellingen)" in first
    assert "Alles samen (12 bestellingen)" in last
    assert client.get("/aanbieder/kosten?pagina=99").text.count('<th scope="row">Bestelling') == 2


def test_the_costs_are_those_of_the_ledger_up_to_last_night(client: FlaskClient, billed: int) -> None:
    page = client.get("/aanbieder/kosten").text
    # 21 stand: 21 × 24,50 = 514,50. Number 4 was taken back and stays free until the next one: 19 halves.
    assert [text.strip() for text in re.findall(r'<td class="n"[^>]*>([^<]+)</td>', page)] == [
        "21 van 30",
        "€\u00a0514,50",
        "€\u00a0232,75",
        "€\u00a0281,75",
    ]
    assert "i3" not in re.sub(r"<link[^>]+>", "", page)


def test_an_invoice_adds_up_to_the_ledger_to_the_cent(
    client: FlaskClient, billed: int, sqlite_database: Database
) -> None:
    text = client.get(f"/aanbieder/kosten/{billed}/factuur.csv").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    *lines, total = rows

    def euros(column: str, some: list) -> Decimal:
        return sum((Decimal(row[column].replace(",", ".")) for row in some), Decimal(0))

    with sqlite_database.read() as session:
        kept = [line for line in ledger.lines(session, "Eerste Hulp") if line.interview_id != "today"]
    for column, name in (("bedrag", "price"), ("blik_op_werk", "subsidy"), ("dienstverlener", "provider_share")):
        assert euros(column, lines) == euros(column, [total]) == sum(getattr(line, name) for line in kept)
    assert (total["omschrijving"], total["nummer"]) == ("totaal", "21")
    assert {row["omschrijving"] for row in lines} == {"geslaagd interview", "teruggedraaid interview"}
    assert "interview_id" not in rows[0], "nobody can be looked up with it"
    assert not re.search(r"\d\d:\d\d", text), "days, never times"


def test_an_invoice_has_a_number_once_nobody_is_called_for_it_any_more(
    client: FlaskClient, billed: int, sqlite_database: Database
) -> None:
    assert "Dit is nog geen factuur" in client.get(f"/aanbieder/kosten/{billed}").text
    with sqlite_database.write() as session:
        session.execute(cells.update().where(cells.c.order_id == billed).values(state="closed"))
    tomorrow(sqlite_database)
    page = client.get(f"/aanbieder/kosten/{billed}").text
    assert f"Factuur T2025-{billed:05}" in page
    assert "Dit is nog geen factuur" not in page
    assert "Btw is niet meegerekend" in page


# --- texts ------------------------------------------------------------------------------------------------------


def test_the_texts_carry_the_providers_name_and_our_numbers(client: FlaskClient) -> None:
    for kind in provider_texts.KINDS:
        file = client.get(f"/aanbieder/teksten/{kind.name}.txt")
        text = file.data.decode("utf-8-sig")
        assert file.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert not re.search(r"[{}]", text), "everything is filled in"
        assert ("[" in text.replace("[  ]", "")) != kind.is_own, "what differs per person stands between brackets"
        assert client.get(f"/aanbieder/teksten/{kind.name}").status_code == 200
    assert "Eerste Hulp geeft u les of hulp" in client.get("/aanbieder/teksten/toestemming.txt").text


@pytest.mark.parametrize("name", ["niets", "README", "..%2Fpages", "%2e%2e%2fphrases", "brief%00"])
def test_only_our_texts_can_be_fetched(client: FlaskClient, name: str) -> None:
    assert client.get(f"/aanbieder/teksten/{name}").status_code == 404
    assert client.get(f"/aanbieder/teksten/{name}.txt").status_code == 404


def test_the_texts_a_provider_uses_itself_have_short_sentences() -> None:
    for name in ("toestemming", "informatie"):
        text = Path(f"config/letters/{name}.txt").read_text("utf-8")
        for sentence in re.split(r"[.?!:]\s|\n", text):
            assert len(re.findall(r"[\w{}]+", sentence)) <= 12, sentence


# --- what was published -----------------------------------------------------------------------------------------


def publish(app: Flask, *, is_final: bool) -> None:
    house = house_of(app)
    publishing.publish(
        house.database,
        house.catalogue,
        house.settings.pipeline,
        PERIOD,
        MIDDAY,
        is_final=is_final,
        reopen=True,
    )


def test_a_provider_sees_its_own_rows_of_table_1_1_once_they_are_final(app: Flask, client: FlaskClient) -> None:
    other = add_cell(house_of(app), "Ander Bureau")
    succeed(house_of(app).database, 1, 1, MIDDAY)
    succeed(house_of(app).database, other, 41, MIDDAY)
    name = publishing.name_of(PERIOD)
    publish(app, is_final=False)
    assert "nog geen meetperiode vastgesteld" in client.get("/aanbieder/uitslag").text
    assert client.get(f"/aanbieder/uitslag/{name}.csv").status_code == 404
    publish(app, is_final=True)
    page = client.get("/aanbieder/uitslag").text
    assert "Totaal" in page
    rows = list(
        csv.DictReader(
            io.StringIO(client.get(f"/aanbieder/uitslag/{name}.csv").data.decode("utf-8-sig")), delimiter=";"
        )
    )
    assert {row["provider"] for row in rows} == {"Eerste Hulp"}
    assert "Totaal" in {row["dienst"] for row in rows}
    assert "Ander Bureau" not in page


@pytest.mark.parametrize("name", ["..", "..%2f..", "2025-01-01_2025-12-31%00", "2030-01-01_2030-12-31", "current"])
def test_no_other_file_of_the_pipeline_can_be_fetched(app: Flask, client: FlaskClient, name: str) -> None:
    publish(app, is_final=True)
    assert client.get(f"/aanbieder/uitslag/{name}.csv").status_code == 404
