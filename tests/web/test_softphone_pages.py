"""`/softphone` for staff, and the door through which the carrier begins test calls."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from ivr import passes
from ivr.fieldwork import trying
from ivr.store import Database, tables
from ivr.web.pages.access import local_path
from tests.fieldwork.voiced_order import VoicedOrder
from tests.web.page_house import house_of, open_app, post, signed_in

NUMBER = f"{passes.NUMBERS}000042"


@pytest.fixture
def order(sqlite_database: Database) -> VoicedOrder:
    return VoicedOrder(sqlite_database)


@pytest.fixture
def app(order: VoicedOrder, tmp_path: Path) -> Flask:
    return open_app(order.database, tmp_path)


def given_pass(app: Flask, order_id: int) -> str:
    answer = signed_in(app, "viewer").get(f"/softphone/telefoon/{order_id}")
    assert answer.status_code == 303
    address = urlsplit(answer.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == "http://127.0.0.1:8010/softphone"
    assert address.query == "", "a pass in a query would be logged"
    return address.fragment


def begin(app: Flask, text: str, **body: str):
    return app.test_client().post(
        "/softphone/lijn/begin", json={"number": NUMBER, **body}, headers={"Authorization": f"Bearer {text}"}
    )


def test_a_newcomer_reads_what_it_is_and_can_ask_for_a_try_out(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    client = signed_in(app, "fieldwork")
    page = client.get("/softphone").text
    assert "Een proefgesprek telt nergens mee" in page
    assert "Deze vragen zijn nog niet ingesproken" in page
    assert post(client, "/softphone/proef", vragenlijst="inburgering").status_code == 303
    page = client.get("/softphone").text
    assert "De vragen worden nu ingesproken: <strong>0 van" in page
    assert 'hx-trigger="every 2s"' in page
    assert post(client, "/softphone/proef", vragenlijst="regulier").status_code == 409


def test_whoever_signs_in_on_the_way_comes_back_to_the_softphone(app: Flask) -> None:
    answer = app.test_client().get("/softphone")
    assert answer.headers["Location"].endswith("verder=/softphone")
    assert local_path("/softphone") == "/softphone"
    assert local_path("/softphonefoo") is None


def test_a_voiced_order_gives_a_pass_for_that_order_and_no_other(app: Flask, order: VoicedOrder) -> None:
    claim = passes.read(passes.load_key(house_of(app).settings), given_pass(app, order.order_id))
    assert (claim["order"], claim["provider"]) == (order.order_id, "Taal & Werk")
    assert claim["home"].endswith("/softphone")
    assert signed_in(app, "admin").get("/softphone/telefoon/99").status_code == 409


def test_nothing_begins_without_a_pass(app: Flask, order: VoicedOrder) -> None:
    good = given_pass(app, order.order_id)
    for bad in ("", "x", "e30.abc", good[:-2], passes.issue(b"another house", {"order": order.order_id})):
        answer = begin(app, bad, way="known")
        assert (answer.status_code, answer.json["code"]) == (401, "pass")
        standing = app.test_client().get("/softphone/lijn/stand/CA1", headers={"Authorization": f"Bearer {bad}"})
        assert standing.status_code == 401
    assert order.rows(tables.attempts) == []


def test_a_known_caller_is_expected_and_an_unknown_one_is_not(app: Flask, order: VoicedOrder) -> None:
    text = given_pass(app, order.order_id)
    answer = begin(app, text, way="unknown")
    assert answer.status_code == 201
    assert answer.json == {"attempt": None, "house_number": house_of(app).settings.twilio_from}
    assert order.rows(tables.attempts) == []
    answer = begin(app, text, way="known")
    (attempt,) = order.rows(tables.attempts)
    assert answer.json["attempt"] == attempt["id"]
    assert (attempt["is_test"], attempt["direction"], attempt["holds_slot"]) == (True, "inbound", False)


def test_a_pass_calls_no_real_number_and_takes_no_other_way(app: Flask, order: VoicedOrder) -> None:
    text = given_pass(app, order.order_id)
    for body in ({"way": "called", "number": "+31612345678"}, {"way": "known", "number": "+31612345678"}, {"way": "x"}):
        assert begin(app, text, **body).status_code == 409
    assert order.rows(tables.attempts) == []


def test_no_carrier_is_said_in_words(order: VoicedOrder, tmp_path: Path) -> None:
    app = open_app(order.database, tmp_path, carrier_url="http://127.0.0.1:9")
    claim = {"order": order.order_id}
    answer = begin(app, passes.issue(passes.load_key(house_of(app).settings), claim), way="called")
    house_of(app).carrier._client.http_client.session.close()  # type: ignore[attr-defined]
    assert (answer.status_code, answer.json["code"]) == (409, "carrier")
    assert [attempt["state"] for attempt in order.rows(tables.attempts)] == ["void"]


def test_where_the_clock_leaps_the_page_says_why_there_is_no_telephone(order: VoicedOrder, tmp_path: Path) -> None:
    app = open_app(order.database, tmp_path, clock="leaping:/nowhere.sock")
    page = signed_in(app, "admin").get("/softphone").text
    assert "De klok van deze demonstratie springt" in page
    assert "/softphone/telefoon/" not in page


def test_each_way_of_the_page_is_one_that_the_stage_knows() -> None:
    from ivr.rehearsal import softphone

    assert softphone.WAYS == trying.WAYS
    page = (softphone.STATIC / "softphone.html").read_text("utf-8")
    assert all(f'data-way="{way}"' in page for way in trying.WAYS)
