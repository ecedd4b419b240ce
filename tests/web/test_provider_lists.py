"""A provider delivers its list: answered row by row, closed when fieldwork begins, and safe from what a file holds."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.fieldwork import delivering
from ivr.store import Database
from ivr.store.tables import cases
from ivr.web.provider.delivering import row_words
from tests.web.page_house import post, signed_in
from tests.web.provider_house import GOOD, HEAD, deliver, open_provider


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_provider(sqlite_database, tmp_path)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return signed_in(app, "provider", "Eerste Hulp")


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
        (("2027-01-01", "2027-12-31"), "nog niet begonnen"),
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
    file = (io.BytesIO((HEAD + GOOD).encode()), f"../../..{tmp_path}/planted.csv")
    form = {"van": "2025-01-01", "tot": "2025-12-31", "csrf": "csrf-of-test", "bestand": file}
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


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([7], "Regel 7"),
        ([2, 3], "Regels 2–3"),
        (list(range(2, 82)), "Regels 2–81"),
        ([2, 4, 5, 6, 9], "Regels 2, 4–6 en 9"),
        (list(range(1, 40, 2)), "Regels 1, 3, 5, 7, 9, 11, 13, 15 en nog 12"),
    ],
)
def test_rows_are_told_in_runs(rows: list[int], words: str) -> None:
    assert row_words(rows) == words


def test_a_list_of_the_wrong_year_has_one_sentence_to_read_and_every_row_in_the_file(client: FlaskClient) -> None:
    many = "".join(f"{n};5;laagdrempelig;;Anna;Bos;06 1234{n:04};2019-03-01;\n" for n in range(1000, 1080))
    answer = deliver(client, HEAD + many)
    assert "Regels 2–81" in answer.text
    assert answer.text.count("afgewezen") == 1
    file = client.get(f"{answer.request.path}/regels.csv").data.decode("utf-8-sig")
    assert len(file.splitlines()) == 1 + 80
