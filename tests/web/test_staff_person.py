"""A person's page and the way to it: two digits of a number and no name, actions for whoever may, each in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.store import Database
from ivr.store.tables import attempts, audit, cases, opt_outs
from tests.web.page_house import MIDDAY, NUMBER, add_cell, house_of, open_app, post, signed_in


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    app = open_app(sqlite_database, tmp_path)
    add_cell(house_of(app), "Eerste Hulp", people=12)
    return app


def case(database: Database, case_id: int = 1) -> sa.Row:
    with database.read() as session:
        return session.execute(sa.select(cases).where(cases.c.id == case_id)).one()


def test_the_page_shows_two_digits_and_nobodys_name_or_clientnummer(app: Flask) -> None:
    page = signed_in(app, "admin").get("/staff/persoon/8").text
    assert "•• 07" in page
    for secret in (NUMBER[3:8], "Voornaam", "Achternaam", "1-7"):
        assert secret not in page


def test_who_may_only_look_sees_the_calls_and_no_form(app: Flask, sqlite_database: Database) -> None:
    times = dict.fromkeys(("planned_at", "not_before", "not_after", "placed_at", "ended_at"), MIDDAY)
    call = {"id": "a1", "case_id": 1, "cell_id": 1, "number_in_case": 1, "state": "closed", "outcome": "busy"}
    with sqlite_database.write() as session:
        session.execute(attempts.insert().values(**call, **times, duration_seconds=75))
    page = signed_in(app, "viewer").get("/staff/persoon/1").text
    assert "in gesprek" in page
    assert "1 min 15 s" in page
    assert 'name="wat"' not in page
    assert 'name="wat"' in signed_in(app, "fieldwork").get("/staff/persoon/1").text


def test_a_mark_is_set_shown_in_the_log_and_taken_back(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    before = case(sqlite_database)
    answer = post(client, "/staff/persoon/1", wat="deceased", reden="brief van de familie")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/persoon/1")
    assert (case(sqlite_database).disposition, case(sqlite_database).is_final) == ("deceased", True)
    for path in ("/staff/persoon/1", "/staff/cel/1", "/staff/logboek"):
        page = client.get(path).text
        assert "niet meer bellen: overleden" in page
        assert "brief van de familie" in page
    assert "Draai terug" in client.get("/staff/persoon/1").text
    assert post(client, "/staff/persoon/1", wat="terug", reden="het was een ander").status_code == 303
    assert case(sqlite_database) == before
    again = post(client, "/staff/persoon/1", wat="terug", reden="nog eens")
    assert (again.status_code, "niet meer worden teruggedraaid" in again.text) == (409, True)


def test_never_again_puts_the_number_on_the_list(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "admin")
    assert post(client, "/staff/persoon/1", wat="never_call_again", reden="boos").status_code == 303
    with sqlite_database.read() as session:
        assert session.execute(sa.select(opt_outs.c.source)).scalars().all() == ["staff"]
    page = client.get("/staff/persoon/1").text
    assert "Draai terug" not in page
    assert "Dit nummer staat op de lijst" in page


@pytest.mark.parametrize(
    "form", [{"wat": "ill"}, {"wat": "ill", "reden": " "}, {"reden": "x"}, {"wat": "x", "reden": "x"}]
)
def test_nothing_happens_without_a_choice_and_a_reason(app: Flask, sqlite_database: Database, form: dict) -> None:
    answer = post(signed_in(app, "admin"), "/staff/persoon/1", **form)
    assert answer.status_code == 422
    assert "vul een reden in" in answer.text
    assert case(sqlite_database).disposition == "fresh"


def test_somebody_who_was_given_up_is_called_once_more(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    assert "Deze persoon is al aan de beurt" in client.get("/staff/persoon/1").text
    with sqlite_database.write() as session:
        given_up = {"disposition": "attempts_used_up", "is_final": True, "next_call_at": None}
        session.execute(sa.update(cases).where(cases.c.id == 1).values(given_up))
    assert post(client, "/staff/persoon/1", wat="nogeens", reden="belde ons").status_code == 303
    after = case(sqlite_database)
    assert (after.is_final, after.next_call_at is not None, after.priority) == (False, True, 1)


def test_the_link_to_the_web_page_opens_it_and_is_written_down(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    post(client, "/staff/persoon/1", wat="deaf", reden="zei de begeleider")
    page = post(client, "/staff/persoon/1/link").text
    link = re.search(r"http://127\.0\.0\.1:8000(/v/[a-z0-9-]+)<", page)
    assert link is not None
    assert app.test_client().get(link[1]).status_code == 200
    assert "Draai terug" in page, "showing the link is nothing that hides a slip"
    with sqlite_database.read() as session:
        lines = session.execute(sa.select(audit.c.what, audit.c.subject).order_by(audit.c.id)).all()
    assert lines[-1] == ("case_link", "case 1")
    post(client, "/staff/persoon/2", wat="refusal", reden="wil niet")
    assert post(client, "/staff/persoon/2/link").status_code == 409


def search(browser: FlaskClient, cell_id: int):
    return browser.post(f"/staff/cel/{cell_id}/zoek", data={"csrf": "csrf-of-test", "client": "1-7"})


def test_people_are_found_by_number_and_within_a_cell_by_clientnummer(app: Flask, sqlite_database: Database) -> None:
    client = signed_in(app, "fieldwork")
    found = post(client, "/staff/persoon", nummer="06 12345607")
    assert (found.status_code, found.headers["Location"]) == (303, "/staff/persoon/8")
    assert post(client, "/staff/persoon", nummer="06 11112222").status_code == 404
    assert post(client, "/staff/persoon", nummer="hallo").status_code == 422
    found = search(client, 1)
    assert (found.status_code, found.headers["Location"]) == (303, "/staff/persoon/8")
    assert search(client, 2).status_code == 404
    with sqlite_database.read() as session:
        lines = session.execute(sa.select(audit.c.what, audit.c.subject, audit.c.details)).all()
    assert [line.what for line in lines] == ["person_looked_up"] * 2
    assert "12345607" not in str(lines)


def test_several_people_on_a_number_are_told_apart_by_their_list(app: Flask) -> None:
    add_cell(house_of(app), "Ander Bureau", people=12)
    page = post(signed_in(app, "fieldwork"), "/staff/persoon", nummer="06 12345607").text
    assert "Eerste Hulp" in page
    assert "Ander Bureau" in page
    assert "Achternaam" not in page


def test_a_cells_people_are_listed_by_who_is_next_and_by_how_they_stand(app: Flask, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.execute(sa.update(cases).where(cases.c.id == 4).values(disposition="ill", is_final=True))
    client = signed_in(app, "viewer")
    page = client.get("/staff/cel/1/mensen").text
    assert re.findall(r'href="/staff/persoon/(\d+)"', page) == [str(n) for n in range(1, 13) if n != 4]
    page = client.get("/staff/cel/1/mensen?stand=ill").text
    assert re.findall(r'href="/staff/persoon/(\d+)"', page) == ["4"]
    for odd in ("stand=x", "pagina=0", "pagina=9999", "pagina=x"):
        assert client.get(f"/staff/cel/1/mensen?{odd}").status_code == 200


def test_nobody_of_a_test_call_has_a_page(app: Flask, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.execute(sa.update(cases).where(cases.c.id == 3).values(cell_id=None, respondent_group="test"))
    assert signed_in(app, "admin").get("/staff/persoon/3").status_code == 404
