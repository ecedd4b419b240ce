"""A house with pages for the web tests: the real app, a database of its own, people of every role, and some cells."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from ivr.bootstrap import House
from ivr.fieldwork import accounts
from ivr.settings import Settings
from ivr.store import Database, samples, users
from ivr.store.tables import case_phones, cases, cells, contacts, orders, providers
from ivr.store.tables import samples as sample_table
from ivr.web.app import create_app

PASSWORD = "een lange zin met woorden"
PERIOD = (date(2025, 1, 1), date(2025, 12, 31))
NUMBER = "+31612345678"
MIDDAY = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


def open_house(database: Database, var_dir: Path, **settings: object) -> House:
    """A house on this database; development unless `settings` say otherwise."""
    house = House(Settings(var_dir=var_dir, database_url=database.url, **settings))  # type: ignore[arg-type]
    house.__dict__["database"] = database  # the fixture's own, so that it closes all connections
    return house


def open_app(database: Database, var_dir: Path, **settings: object) -> Flask:
    app = create_app(open_house(database, var_dir, **settings))
    app.testing = True
    return app


def house_of(app: Flask) -> House:
    return app.extensions["house"]


def token_in(page: str) -> str:
    """The CSRF token of the first form on a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, "no form with a token on this page"
    return found[1]


def add_user(database: Database, email: str, role: str, provider: str | None = None) -> None:
    """An account with PASSWORD."""
    accounts.accept(database, accounts.add(database, email, role, provider=provider), PASSWORD)


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, code: str = ""):
    """Send the sign-in form; the response."""
    form = {"email": email, "wachtwoord": password, "code": code, "csrf": token_in(client.get("/inloggen").text)}
    return client.post("/inloggen", data=form)


def signed_in(app: Flask, role: str, provider: str | None = None) -> FlaskClient:
    """A browser that is signed in with this role, without the cost of a password."""
    client, database = app.test_client(), house_of(app).database
    email = f"{role}@{(provider or 'bureau').lower().replace(' ', '')}.example"
    with database.write() as session:
        found = users.find(session, email)
        provider_id = users.provider_id(session, provider) if provider else None
        user_id = found.id if found else users.add(session, email, role, MIDDAY, provider_id=provider_id)  # type: ignore[arg-type]
        token, now = f"{email}-token", accounts.wall_clock()
        users.close_sessions(session, user_id)
        users.open_session(session, accounts.token_hash(token), user_id, now, now + timedelta(hours=1))
    with client.session_transaction() as cookie:
        cookie["token"], cookie["csrf"] = token, "csrf-of-test"
    return client


def post(client: FlaskClient, path: str, **form: object):
    """A form of a browser made by `signed_in`."""
    return client.post(path, data={"csrf": "csrf-of-test", **form})


def add_cell(
    house: House, provider: str, *, people: int = 3, target: int = 25, track: str = "inburgering", voiced: bool = True
) -> int:
    """A cell with `people` who may be called, all with NUMBER's last digits counted up from 00; the cell's id."""
    with house.database.write() as session:
        sample = samples.ensure_sample(session, provider, PERIOD)
        price = "24.50" if track == "purchased" else None
        order_id = session.execute(
            orders.insert()
            .values(
                sample_id=sample.id,
                track=track,
                interviews=target,
                price=price,
                created_at=MIDDAY,
                voiced_at=MIDDAY if voiced else None,
            )
            .returning(orders.c.id)
        ).scalar_one()
        cell_id = session.execute(
            cells.insert()
            .values(order_id=order_id, sample_id=sample.id, track=track, target=target, capacity=target)
            .returning(cells.c.id)
        ).scalar_one()
        for index in range(people):
            number = f"{NUMBER[:-2]}{index:02}"
            case_id = session.execute(
                cases.insert()
                .values(
                    sample_id=sample.id,
                    respondent_group="client",
                    respondent=f"{cell_id}-{index}",
                    service=11,
                    questionnaire="inburgering",
                    route="telephone",
                    cell_id=cell_id,
                    code="0000",
                    consent="ja",
                    next_call_at=MIDDAY + timedelta(minutes=index),
                    created_at=MIDDAY,
                )
                .returning(cases.c.id)
            ).scalar_one()
            contact = samples.Contact(first_name="Voornaam", last_name="Achternaam", phones=(number,))
            session.execute(contacts.insert().values(case_id=case_id, sealed=house.sealer.seal(contact.to_mapping())))
            phone = samples.phone_hash(house.sealer, number)
            session.execute(case_phones.insert().values(case_id=case_id, rank=0, phone_hash=phone))
    return cell_id


def fill_with(database: Database, cell_count: int, people_each: int) -> None:
    """Many cells, for the board: each provider one, its people in all kinds of states."""
    kinds = ("fresh", "no_answer", "complete", "refusal", "answering_machine", "break_off", "attempts_used_up", "busy")
    final = {"complete", "refusal", "attempts_used_up"}
    people, track = [], {"track": "inburgering"}
    ids = range(1, cell_count + 1)
    for cell in ids:
        for index in range(people_each):
            kind = kinds[(index + cell) % len(kinds)]
            people.append(
                {
                    "sample_id": cell,
                    "cell_id": cell,
                    "respondent_group": "client",
                    "respondent": str(index),
                    "questionnaire": "inburgering",
                    "route": "telephone",
                    "code": "0000",
                    "disposition": kind,
                    "is_final": kind in final,
                    "dialled": 0 if kind == "fresh" else 1 + index % 6,
                    "consent": "ja",
                    "next_call_at": None if kind in final else MIDDAY,
                    "created_at": MIDDAY,
                }
            )
    with database.write() as session:
        names = [{"id": n, "name": f"Dienstverlener {n}", "name_key": f"dienstverlener {n}"} for n in ids]
        session.execute(sa.insert(providers), names)
        dates = {"period_from": PERIOD[0], "period_to": PERIOD[1]}
        session.execute(sa.insert(sample_table), [{"id": n, "provider_id": n, **dates} for n in ids])
        made = {**track, "interviews": 25, "created_at": MIDDAY, "voiced_at": MIDDAY}
        session.execute(sa.insert(orders), [{"id": n, "sample_id": n, **made} for n in ids])
        stands = [{"successful": n % 26, "in_flight": 1 if n % 26 < 25 else 0} for n in ids]
        bounds = {**track, "target": 25, "capacity": 25}
        filled = zip(ids, stands, strict=True)
        session.execute(sa.insert(cells), [{"id": n, "order_id": n, "sample_id": n, **bounds, **c} for n, c in filled])
        session.execute(sa.insert(cases), people)
