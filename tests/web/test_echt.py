"""`/echt`: who calls and why, and a refusal that tells nobody anything."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from ivr.fieldwork import refusing
from ivr.store import Database
from ivr.store.tables import cases, opt_outs
from tests.web.page_house import NUMBER, add_cell, house_of, open_app, token_in


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_app(sqlite_database, tmp_path, TWILIO_FROM="+31850012345", help_number="088 765 43 21")


def refuse(app: Flask, number: str, address: str = "127.0.0.1"):
    client = app.test_client()
    form = {"csrf": token_in(client.get("/echt").text), "nummer": number}
    return client.post("/echt", data=form, environ_overrides={"REMOTE_ADDR": address})


def test_it_says_who_calls_from_which_number_and_whom_to_ask(app: Flask) -> None:
    page = app.test_client().get("/echt").text
    for words in ("085 001 2345", "Blik op Werk", "088 765 43 21", "vrijwillig", "geen gevolgen", "DigiD"):
        assert words in page


def test_a_refusal_is_final_for_everyone_on_that_number(app: Flask) -> None:
    house = house_of(app)
    add_cell(house, "Eerste Hulp", people=2)
    add_cell(house, "Ander Bureau", people=2)
    assert "Wij hebben dit genoteerd" in refuse(app, "06 123 456 00").text
    with house.database.read() as session:
        found = session.execute(sa.select(cases.c.respondent, cases.c.disposition, cases.c.is_final)).all()
    assert {row.respondent: (row.disposition, row.is_final) for row in found} == {
        "1-0": ("opted_out", True),
        "1-1": ("fresh", False),
        "2-0": ("opted_out", True),
        "2-1": ("fresh", False),
    }


def test_only_a_keyed_hash_of_the_number_is_kept(app: Flask) -> None:
    refuse(app, NUMBER)
    with house_of(app).database.read() as session:
        kept = session.execute(sa.select(opt_outs)).one()
    assert kept.source == "web"
    assert NUMBER[3:] not in str(kept)
    assert kept.phone_hash == house_of(app).sealer.hash("phone", NUMBER)


def test_the_answer_is_the_same_whether_or_not_we_know_the_number(app: Flask) -> None:
    add_cell(house_of(app), "Eerste Hulp", people=1)
    known, again, unknown = refuse(app, "0612345600"), refuse(app, "0612345600"), refuse(app, "0687654321")
    pages = {page.text.replace(token_in(page.text), "") for page in (known, again, unknown)}
    assert len(pages) == 1
    assert {page.status_code for page in (known, again, unknown)} == {200}


@pytest.mark.parametrize("number", ["", "1234", "geen nummer", "112", "0900 1234"])
def test_what_is_no_number_is_said_so_and_not_repeated(app: Flask, number: str) -> None:
    answer = refuse(app, number)
    assert answer.status_code == 422
    assert "Wij begrijpen dit nummer niet" in answer.text
    assert not number or f'value="{number}"' not in answer.text


def test_one_visitor_cannot_refuse_for_many(app: Flask) -> None:
    answers = [refuse(app, f"06123456{index:02}").status_code for index in range(refusing.TRIES_AN_HOUR + 2)]
    assert answers == [200] * refusing.TRIES_AN_HOUR + [429, 429]
    assert refuse(app, "0612345699", address="192.0.2.5").status_code == 200
    with house_of(app).database.read() as session:
        assert (
            session.execute(sa.select(sa.func.count()).select_from(opt_outs)).scalar_one() == refusing.TRIES_AN_HOUR + 1
        )
