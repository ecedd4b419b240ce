"""A provider orders, delivers its list and follows it by the day; and learns nothing of any one person."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.store import Database, ledger
from ivr.store.tables import attempts, cases, cells, interviews, orders
from tests.web.page_house import MIDDAY, add_cell, house_of, open_app, post, signed_in

HEAD = "clientnummer;dienst;vragenlijst;leerprofiel;voornaam;achternaam;telefoon;einddatum_traject;toestemming\n"
GOOD = "1;11;;1;Aya;Berg;06 12345678;;ja\n2;5;laagdrempelig;;Bo;Cox;06 12345679;2025-03-01;\n"


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    app = open_app(sqlite_database, tmp_path)
    add_cell(house_of(app), "Eerste Hulp", people=40)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return signed_in(app, "provider", "Eerste Hulp")


def deliver(client: FlaskClient, text: str, period: tuple[str, str] = ("2025-01-01", "2025-12-31")):
    form = {"van": period[0], "tot": period[1], "bestand": (io.BytesIO(text.encode()), "lijst.csv")}
    return post(client, "/aanbieder/lijst", **form)


def succeed(database: Database, cell_id: int, case_id: int, at: datetime) -> None:
    """A successful interview and the call it came from."""
    with database.write() as session:
        times = {"planned_at": at, "not_before": at, "not_after": at, "placed_at": at, "ended_at": at}
        call = {"id": f"a{case_id}", "case_id": case_id, "cell_id": cell_id, "number_in_case": 1, "state": "closed"}
        session.execute(attempts.insert().values(**call, **times, outcome="complete"))
        run = {
            "id": f"i{case_id}",
            "case_id": case_id,
            "cell_id": cell_id,
            "questionnaire": "inburgering",
            "version": 1,
        }
        mark = {"usable": True, "usable_at": at, "successful": True, "disposition": "complete"}
        session.execute(interviews.insert().values(**run, mode="telephone", started_at=at, **mark))
        done = {"disposition": "complete", "is_final": True, "dialled": 1, "next_call_at": None}
        session.execute(cases.update().where(cases.c.id == case_id).values(done))
        session.execute(cells.update().where(cells.c.id == cell_id).values(successful=cells.c.successful + 1))


# --- progress ---------------------------------------------------------------------------------------------------


def test_what_happened_today_shows_tomorrow(app: Flask, client: FlaskClient, sqlite_database: Database) -> None:
    now = datetime.now(UTC)
    before = client.get("/aanbieder").text
    assert "0 van 25" in before
    for case_id in (1, 2, 3):
        succeed(sqlite_database, 1, case_id, now)
    assert client.get("/aanbieder").text == before, "neither the count nor the forecast moves within a day"
    for case_id in (4, 5):
        succeed(sqlite_database, 1, case_id, now - timedelta(days=2))
    assert "2 van 25" in client.get("/aanbieder").text


def test_progress_shows_no_person_no_time_and_no_live_call(
    app: Flask, client: FlaskClient, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        session.execute(cells.update().values(in_flight=3))
    page = client.get("/aanbieder").text
    assert "3 nu in gesprek" not in page
    assert not re.search(r"Voornaam|Achternaam|1-\d|\d\d\.\d\d\s*uur(?<!0\.00 uur)", page)


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
    assert (answer.status_code, answer.headers["Location"]) == (303, "/aanbieder")
    (placed,) = purchased(sqlite_database)
    assert (placed.interviews, placed.price, placed.services) == (10, Decimal("24.50"), [5, 9])
    assert "0 van 10" in client.get("/aanbieder").text


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


@pytest.mark.parametrize("wrong", [{"dienst": "12"}, {"dienst": "99"}, {"van": "2025-13-01"}, {"tot": "2024-01-01"}])
def test_a_wrong_service_or_period_orders_nothing(
    client: FlaskClient, sqlite_database: Database, wrong: dict[str, str]
) -> None:
    assert order(client, "10", **wrong).status_code == 422
    assert purchased(sqlite_database) == []


# --- delivering -------------------------------------------------------------------------------------------------


def test_a_list_is_answered_row_by_row_on_the_page_and_as_a_file(
    client: FlaskClient, sqlite_database: Database
) -> None:
    answer = deliver(client, HEAD + GOOD + "3;99;;;Cas;Dam;06 12345670;2025-03-01;\n")
    assert answer.status_code == 200
    assert "2 van 3 regels zijn goed" in answer.text
    assert "Regel 4" in answer.text
    data = re.search(r'href="data:text/csv;base64,([^"]+)"', answer.text)
    assert data is not None
    rows = base64.b64decode(data[1]).decode("utf-8-sig").splitlines()
    assert rows[0] == "regel;kolom;wat;uitleg"
    assert rows[1].startswith("4;dienst;afgewezen;")
    for personal in ("Aya", "Berg", "12345678", "Cas"):
        assert personal not in answer.text


def test_delivering_again_mends_and_does_not_double(client: FlaskClient, sqlite_database: Database) -> None:
    deliver(client, HEAD + GOOD)
    answer = deliver(client, HEAD + GOOD + "3;5;laagdrempelig;;Cas;Dam;06 12345670;2025-03-01;\n")
    assert "3 van 3 regels zijn goed" in answer.text
    with sqlite_database.read() as session:
        assert (
            session.execute(sa.select(sa.func.count()).where(cases.c.respondent.in_(["1", "2", "3"]))).scalar_one() == 3
        )


def test_a_file_with_citizen_service_numbers_is_not_taken(client: FlaskClient, sqlite_database: Database) -> None:
    answer = deliver(client, "clientnummer;dienst;BSN\n77;11;123456782\n")
    assert answer.status_code == 422
    assert "burgerservicenummers" in answer.text
    with sqlite_database.read() as session:
        assert session.execute(sa.select(cases.c.id).where(cases.c.respondent == "77")).first() is None


def test_the_list_closes_when_its_fieldwork_starts(client: FlaskClient, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.execute(cases.update().where(cases.c.id == 1).values(dialled=1))
    answer = deliver(client, HEAD + GOOD)
    assert answer.status_code == 409
    assert "de lijst is gesloten" in answer.text
    assert deliver(client, HEAD + GOOD, ("2024-01-01", "2024-12-31")).status_code == 200, "another period is open"


@pytest.mark.parametrize("content", ["", "\x00\x01\x02", "geen;tabel\n"])
def test_what_is_no_list_is_refused_in_words(client: FlaskClient, content: str) -> None:
    answer = deliver(client, content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_no_file_or_no_period_is_said(client: FlaskClient) -> None:
    assert "Kies eerst een bestand" in post(client, "/aanbieder/lijst", van="2025-01-01", tot="2025-12-31").text
    assert "Vul de eerste" in deliver(client, HEAD + GOOD, ("", "")).text


# --- costs ------------------------------------------------------------------------------------------------------


def test_the_bill_counts_purchased_successes_up_to_last_night(
    app: Flask, client: FlaskClient, sqlite_database: Database
) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=0, track="purchased", target=30)
    with sqlite_database.write() as session:
        for number in range(22):
            ledger.enter(session, cell_id, f"i{number}", MIDDAY)
        ledger.enter(session, cell_id, "today", datetime.now(UTC))
    page = client.get("/aanbieder/kosten").text
    # 22 × 24,50 = 539,00; half of the first 20 = 245,00.
    assert [text.strip() for text in re.findall(r'<td class="n"[^>]*>([^<]+)</td>', page)] == [
        "22",
        "€\u00a0245,00",
        "€\u00a0294,00",
    ]
    assert "i3" not in re.sub(r"<link[^>]+>", "", page)
