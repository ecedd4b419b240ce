"""A provider orders, delivers its list and follows it by the day; and learns nothing of any one person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.store import Database
from ivr.store.tables import cases, cells, orders
from tests.web.page_house import add_cell, house_of, post, signed_in
from tests.web.provider_house import open_provider, succeed, tomorrow


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_provider(sqlite_database, tmp_path)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return signed_in(app, "provider", "Eerste Hulp")


# --- progress ---------------------------------------------------------------------------------------------------


def test_what_happened_today_shows_tomorrow(app: Flask, client: FlaskClient, sqlite_database: Database) -> None:
    now = datetime.now(UTC)
    before = client.get("/aanbieder").text
    assert "0 van 25" in before
    for case_id in (1, 2, 3):
        succeed(sqlite_database, 1, case_id, now)
    with sqlite_database.write() as session:
        # By web or at the desk somebody else can be done with at any moment of the day.
        session.execute(cases.update().where(cases.c.id > 10).values(is_final=True, disposition="opted_out"))
        session.execute(cells.update().values(state="paused"))
    assert client.get("/aanbieder").text == before, "neither count, forecast nor state moves within a day"


def test_the_next_day_shows_what_counted_until_midnight(
    app: Flask, client: FlaskClient, sqlite_database: Database
) -> None:
    now = datetime.now(UTC)
    client.get("/aanbieder")
    for case_id in (1, 2, 3):
        succeed(sqlite_database, 1, case_id, now)
    for case_id in (4, 5):
        succeed(sqlite_database, 1, case_id, now - timedelta(days=2))
    tomorrow(sqlite_database)
    page = client.get("/aanbieder").text
    assert "2 van 25" in page
    assert re.search(r"verwacht \d+ ± \d+", page)
    assert page.count('<th scope="row">') == 1, "one day with successes, not the hours of it"


def test_progress_shows_no_person_no_time_and_no_live_call(
    app: Flask, client: FlaskClient, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        session.execute(cells.update().values(in_flight=3))
    page = client.get("/aanbieder").text
    assert "in gesprek" not in page
    assert not re.search(r"Voornaam|Achternaam|1-\d|\d\d\.\d\d\s*uur(?<!0\.00 uur)", page)


def test_of_a_handful_of_people_no_count_is_shown(app: Flask, sqlite_database: Database) -> None:
    cell_id = add_cell(house_of(app), "Klein Bureau", people=1)
    with sqlite_database.read() as session:
        (case_id,) = session.execute(sa.select(cases.c.id).where(cases.c.cell_id == cell_id)).scalars()
    succeed(sqlite_database, cell_id, case_id, datetime.now(UTC) - timedelta(days=2))
    page = signed_in(app, "provider", "Klein Bureau").get("/aanbieder").text
    assert "Doel: 25" in page
    assert "1 van 25" not in page
    assert "lijst op" not in page, "that everyone is done with would tell it as well"


# --- ordering ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "total", "subsidy", "share"),
    [(8, "196,00", "98,00", "98,00"), (20, "490,00", "245,00", "245,00"), (25, "612,50", "245,00", "367,50")],
)
def test_the_split_of_the_costs_is_shown_before_one_orders(
    client: FlaskClient, count: int, total: str, subsidy: str, share: str
) -> None:
    part = client.get(f"/aanbieder/bestellen/kosten?aantal={count}&van=2025-01-01&tot=2025-12-31").text
    assert re.findall(r"<dd>€\u00a0([\d.,]+)</dd>", part) == [total, subsidy, share]


def test_an_earlier_order_uses_the_subsidy_up(client: FlaskClient, sqlite_database: Database) -> None:
    order(client, "20")
    part = client.get("/aanbieder/bestellen/kosten?aantal=4&van=2025-01-01&tot=2025-12-31").text
    assert re.findall(r"<dd>€\u00a0([\d.,]+)</dd>", part) == ["98,00", "0,00", "98,00"]


def order(client: FlaskClient, count: str, nonce: str | None = None, **more: object):
    page = client.get("/aanbieder/bestellen").text
    found = re.search(r'name="bestelling" value="([^"]+)"', page)
    assert found is not None
    form = {"aantal": count, "van": "2025-01-01", "tot": "2025-12-31", "bestelling": nonce or found[1], **more}
    return post(client, "/aanbieder/bestellen", **form)


def purchased(database: Database) -> list:
    with database.read() as session:
        return list(session.execute(sa.select(orders).where(orders.c.track == "purchased")))


def test_an_order_is_entered_for_whoever_is_signed_in(client: FlaskClient, sqlite_database: Database) -> None:
    answer = order(client, "10", dienst=["5", "9"], provider="Ander Bureau")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/aanbieder?besteld=ja")
    assert "Uw bestelling is genoteerd" in client.get(answer.headers["Location"]).text
    (placed,) = purchased(sqlite_database)
    assert (placed.interviews, placed.price, placed.services) == (10, Decimal("24.50"), [5, 9])
    assert "Doel: 10 interviews" in client.get("/aanbieder").text, "nobody is on the list of this order yet"


def test_pressing_twice_orders_once(client: FlaskClient, sqlite_database: Database) -> None:
    page = client.get("/aanbieder/bestellen").text
    nonce = re.search(r'name="bestelling" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"aantal": "10", "van": "2025-01-01", "tot": "2025-12-31", "bestelling": nonce}
    assert post(client, "/aanbieder/bestellen", **form).status_code == 303
    assert post(client, "/aanbieder/bestellen", **form).status_code == 409
    assert len(purchased(sqlite_database)) == 1


@pytest.mark.parametrize("count", ["0", "501", "-3", "tien", "", "1.5"])
def test_an_impossible_number_orders_nothing(client: FlaskClient, sqlite_database: Database, count: str) -> None:
    assert order(client, count).status_code == 422
    assert purchased(sqlite_database) == []


def test_the_costs_can_be_worked_out_without_javascript(client: FlaskClient, sqlite_database: Database) -> None:
    answer = order(client, "8", rekenen="ja", dienst=["5"])
    assert answer.status_code == 200
    assert re.findall(r"<dd>€\u00a0([\d.,]+)</dd>", answer.text) == ["196,00", "98,00", "98,00"]
    assert re.search(r'value="5" checked', answer.text), "what was chosen stays"
    assert purchased(sqlite_database) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"dienst": "12"},
        {"dienst": "99"},
        {"dienst": "9" * 5000},
        {"dienst": "²"},
        {"van": "2025-13-01"},
        {"tot": "2024-01-01"},
        {"tot": "2025-06-30"},
        {"van": "2025-02-01", "tot": "2026-01-31"},
        {"van": "1900-01-01", "tot": "1900-12-31"},
        {"van": "9999-01-01", "tot": "9999-12-31"},
    ],
)
def test_a_wrong_service_or_period_orders_nothing(
    client: FlaskClient, sqlite_database: Database, wrong: dict[str, str]
) -> None:
    assert order(client, "10", **wrong).status_code == 422
    assert purchased(sqlite_database) == []
