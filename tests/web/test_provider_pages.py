"""A provider orders, delivers its list and follows it by the day; and learns nothing of any one person."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.exports import publishing
from ivr.fieldwork import delivering, provider_texts
from ivr.store import Database, ledger
from ivr.store.tables import attempts, cases, cells, interviews, orders
from ivr.store.tables_providers import daily_figures
from tests.web.page_house import MIDDAY, PERIOD, add_cell, house_of, open_app, post, signed_in

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
    return client.post("/aanbieder/lijst", data={"csrf": "csrf-of-test", **form}, follow_redirects=True)


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


def tomorrow(database: Database) -> None:
    """Let the figures that were written down be those of an earlier day."""
    with database.write() as session:
        session.execute(daily_figures.update().values(day=date(2020, 1, 1)))


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


# --- delivering -------------------------------------------------------------------------------------------------


def test_a_list_is_answered_row_by_row_on_the_page_and_as_a_file(
    client: FlaskClient, sqlite_database: Database
) -> None:
    answer = deliver(client, HEAD + GOOD + "3;99;;;Cas;Dam;06 12345670;2025-03-01;\n")
    assert answer.status_code == 200
    assert "2 van 3 regels zijn goed" in answer.text
    assert "Regel 4" in answer.text
    assert client.get(answer.request.path).text.count("Regel 4") == 1, "reloading shows it again and delivers nothing"
    address = re.search(r'href="(/aanbieder/lijst/\d+/regels\.csv)"', answer.text)
    assert address is not None
    file = client.get(address[1])
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Cache-Control"] == "no-store"
    rows = file.data.decode("utf-8-sig").splitlines()
    assert rows[0] == "regel;kolom;wat;uitleg"
    assert rows[1].startswith("4;dienst;afgewezen;")
    for personal in ("Aya", "Berg", "12345678", "Cas"):
        assert personal not in answer.text + file.text


def test_what_a_file_says_becomes_neither_markup_nor_a_formula(client: FlaskClient) -> None:
    head = HEAD.strip() + ";<script>alert(1)</script>;=HYPERLINK(1)\n"
    answer = deliver(client, head + GOOD)
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text
    address = re.search(r'href="([^"]+regels\.csv)"', answer.text)
    assert address is not None
    assert ";'=HYPERLINK(1);" in client.get(address[1]).text


def test_an_answer_stays_to_be_fetched_until_five_newer_ones_are_there(client: FlaskClient) -> None:
    paths = [deliver(client, HEAD + GOOD).request.path for _ in range(6)]
    assert len(set(paths)) == 6
    assert client.get(paths[0]).status_code == 404
    assert [client.get(path).status_code for path in paths[1:]] == [200] * 5


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (("2025-01-01", "2025-12-30"), "twaalf maanden"),
        (("2025-03-01", "2026-02-28"), "valt samen"),
        (("1999-01-01", "1999-12-31"), "te lang geleden"),
        (("2025-12-31", "2025-01-01"), "eerste en de laatste dag"),
    ],
)
def test_a_period_that_would_call_people_twice_or_single_one_out_is_refused(
    client: FlaskClient, sqlite_database: Database, period: tuple[str, str], words: str
) -> None:
    answer = deliver(client, HEAD + GOOD, period)
    assert answer.status_code == 422
    assert words in answer.text
    with sqlite_database.read() as session:
        assert session.execute(sa.select(cases.c.id).where(cases.c.respondent == "2")).first() is None


def test_a_list_that_is_far_too_long_or_large_is_refused(client: FlaskClient) -> None:
    answer = deliver(client, HEAD + "1;11;;1;Aya;Berg;06 12345678;;ja\n" * (delivering.MAX_LINES + 1))
    assert answer.status_code == 422
    assert "te groot" in answer.text
    body = b"x" * (delivering.MAX_BYTES + 1)
    answer = client.post("/aanbieder/lijst", data=body, content_type="multipart/form-data; boundary=y")
    assert answer.status_code == 413
    assert "te groot" in answer.text


def test_delivering_without_end_is_slowed_down(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "AN_HOUR", 2)
    assert [deliver(client, HEAD + GOOD).status_code for _ in range(4)] == [200, 200, 429, 429]


def test_a_file_name_is_never_used_as_a_path(client: FlaskClient, tmp_path: Path) -> None:
    form = {"van": "2025-01-01", "tot": "2025-12-31", "csrf": "csrf-of-test"}
    form["bestand"] = (io.BytesIO((HEAD + GOOD).encode()), f"../../..{tmp_path}/planted.csv")
    assert client.post("/aanbieder/lijst", data=form).status_code == 303
    assert not (tmp_path / "planted.csv").exists()


def test_the_example_list_is_one_that_is_taken(client: FlaskClient) -> None:
    example = client.get("/aanbieder/lijst/voorbeeld.csv")
    assert "2 van 2 regels zijn goed" in deliver(client, example.data.decode("utf-8-sig")).text


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
