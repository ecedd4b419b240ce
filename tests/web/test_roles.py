"""Every route with every role: who gets in, and who does not. A new page must be written into the table below."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from ivr.store import Database, deliveries, ledger, samples
from ivr.web.pages.access import MACHINE_DOORS, allowed_roles
from tests.web.page_house import MIDDAY, PERIOD, add_cell, house_of, open_app, signed_in

STAFF = {"viewer", "fieldwork", "admin"}
WORKERS = {"fieldwork", "admin"}
ADMIN = {"admin"}
PROVIDER = {"provider"}
ALL = STAFF | PROVIDER
PUBLIC = ALL | {"nobody"}

# Written out by hand, so that a decorator that is wrong is not simply believed.
WHO_MAY = {
    ("GET", "signin.start"): PUBLIC,
    ("GET", "signin.sign_in"): PUBLIC,
    ("POST", "signin.check_sign_in"): PUBLIC,
    ("POST", "signin.demo_sign_in"): PUBLIC,
    ("POST", "signin.sign_out"): ALL,
    ("GET", "signin.invitation"): PUBLIC,
    ("POST", "signin.accept_invitation"): PUBLIC,
    ("GET", "signin.account"): ALL,
    ("POST", "signin.switch_totp_on"): ALL,
    ("POST", "signin.switch_totp_off"): ALL,
    ("POST", "signin.change_password"): ALL,
    ("POST", "signin.switch_mail"): PROVIDER,
    ("POST", "signin.sign_out_everywhere"): ALL,
    ("GET", "echt.page"): PUBLIC,
    ("POST", "echt.refuse"): PUBLIC,
    ("GET", "privacy.page"): PUBLIC,
    ("GET", "spoken.start"): PUBLIC,
    ("POST", "spoken.begin"): PUBLIC,
    ("GET", "spoken.question"): PUBLIC,
    ("POST", "spoken.answer"): PUBLIC,
    ("GET", "spoken.end"): PUBLIC,
    ("GET", "pages.serve_asset"): PUBLIC,
    ("GET", "static"): PUBLIC,
    ("GET", "staff.board"): STAFF,
    ("GET", "staff.board_part"): STAFF,
    ("GET", "staff.cell"): STAFF,
    ("GET", "staff.log"): STAFF,
    ("GET", "staff.reach"): STAFF,
    ("GET", "staff.cell_people"): STAFF,
    ("POST", "staff.steer"): WORKERS,
    ("GET", "staff.look_up"): WORKERS,
    ("POST", "staff.find"): WORKERS,
    ("POST", "staff.find_client"): WORKERS,
    ("GET", "staff.person"): STAFF,
    ("POST", "staff.handle"): WORKERS,
    ("POST", "staff.web_link"): WORKERS,
    ("GET", "staff.questionnaires"): STAFF,
    ("GET", "staff.questionnaire"): STAFF,
    ("POST", "staff.voice"): WORKERS,
    ("GET", "staff.listen"): STAFF,
    ("POST", "staff.ring_me"): WORKERS,
    ("GET", "staff.test_call"): STAFF,
    ("GET", "staff.queues"): ADMIN,
    ("POST", "staff.run_failed_again"): ADMIN,
    ("POST", "staff.forget_failed"): ADMIN,
    ("GET", "softphone.page"): STAFF,
    ("GET", "softphone.choices_part"): STAFF,
    ("GET", "softphone.open_telephone"): STAFF,
    ("POST", "softphone.prepare"): STAFF,
    ("GET", "provider.overview"): PROVIDER,
    ("GET", "provider.costs"): PROVIDER,
    ("GET", "provider.order_invoice"): PROVIDER,
    ("GET", "provider.invoice_file"): PROVIDER,
    ("GET", "provider.texts"): PROVIDER,
    ("GET", "provider.text"): PROVIDER,
    ("GET", "provider.text_file"): PROVIDER,
    ("GET", "provider.results"): PROVIDER,
    ("GET", "provider.result_file"): PROVIDER,
    ("GET", "provider.delivery_answer"): PROVIDER,
    ("GET", "provider.delivery_file"): PROVIDER,
    ("GET", "provider.example"): PROVIDER,
    ("GET", "provider.order"): PROVIDER,
    ("GET", "provider.cost"): PROVIDER,
    ("POST", "provider.place"): PROVIDER,
    ("GET", "provider.delivery"): PROVIDER,
    ("POST", "provider.deliver"): PROVIDER,
}
FILLED = {
    "token": "unknown",
    "number": "1",
    "version": "x",
    "name": "toets.css",
    "filename": "toets.css",
    "action": "pause",
    "case_id": 1,
    "id": "laagdrempelig",
    "attempt_id": "unknown",
}


def routes(app: Flask) -> set[tuple[str, str]]:
    """(method, endpoint) of every route that is not a machine's own door."""
    return {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"} and rule.endpoint.split(".")[0] not in MACHINE_DOORS
    }


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    app = open_app(sqlite_database, tmp_path)
    add_cell(house_of(app), "Eerste Hulp")
    return app


def test_every_route_is_in_the_table_and_nothing_else_is(app: Flask) -> None:
    assert routes(app) == set(WHO_MAY)


def test_every_page_says_who_may_open_it(app: Flask) -> None:
    with app.app_context():
        assert [endpoint for _, endpoint in routes(app) if not allowed_roles(endpoint)] == []


@pytest.mark.parametrize("role", ["nobody", "viewer", "fieldwork", "admin", "provider"])
def test_each_role_opens_its_own_pages_and_no_other(app: Flask, role: str) -> None:
    wrong = []
    for method, endpoint in sorted(WHO_MAY):
        client = (
            app.test_client()
            if role == "nobody"
            else signed_in(app, role, "Eerste Hulp" if role == "provider" else None)
        )
        with app.test_request_context():
            rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
            known = {"cell_id": 1, "number": 1, "order_id": 1, "delivery_id": 1, **FILLED}
            path = app.url_for(endpoint, _external=False, **{name: known[name] for name in rule.arguments})
        form = {"csrf": "csrf-of-test"} if role != "nobody" else {}
        answer = client.open(path, method=method, data=form if method == "POST" else None)
        answer.close()  # a file of /static stays open otherwise
        if role in WHO_MAY[method, endpoint]:
            # Whatever the form is short of, it is not the role: no 401, 403 or way to the sign-in page. Signing in
            # itself says 401 to an empty form, and a form without a token (nobody's) is refused with 400.
            ok = answer.status_code not in {401, 403, 500} or endpoint in {
                "signin.check_sign_in",
                "signin.demo_sign_in",
            }
            ok = ok and (answer.status_code != 302 or "verder" not in answer.headers["Location"])
        elif role == "nobody":
            ok = (answer.status_code == 302 and "/inloggen" in answer.headers["Location"]) or answer.status_code == 401
        else:
            ok = answer.status_code == 403
        if not ok:
            wrong.append((method, endpoint, answer.status_code))
    assert wrong == []


def test_a_page_that_forgets_to_say_who_may_open_it_is_closed_to_everyone(
    sqlite_database: Database, tmp_path: Path
) -> None:
    app = open_app(sqlite_database, tmp_path)
    app.add_url_rule("/vergeten", "forgotten", lambda: "secret")
    for client in (signed_in(app, "admin"), signed_in(app, "viewer")):
        answer = client.get("/vergeten")
        assert answer.status_code == 403
        assert "secret" not in answer.text
    assert app.test_client().get("/vergeten").status_code == 302


OWN_PAGES = (
    "/aanbieder",
    "/aanbieder/kosten",
    "/aanbieder/bestellen",
    "/aanbieder/lijst",
    "/aanbieder/teksten",
    "/aanbieder/uitslag",
)


def test_no_id_of_another_opens_anything_to_a_provider(sqlite_database: Database, tmp_path: Path) -> None:
    """Every address of the provider pages that carries an id, with every id that is another's."""
    app = open_app(sqlite_database, tmp_path)
    house = house_of(app)
    mine = add_cell(house, "Eerste Hulp", track="purchased", people=6)
    add_cell(house, "Ander Bureau", track="purchased", people=6, target=7)
    with sqlite_database.write() as session:
        for provider in ("Eerste Hulp", "Ander Bureau"):
            sample = samples.get_sample(session, provider, PERIOD)
            deliveries.keep(session, sample.id, MIDDAY, "x", 1, 0, [(2, "dienst", f"van {provider}")], [])
        for interview in range(3):
            ledger.enter(session, mine, f"m{interview}", MIDDAY)
            ledger.enter(session, mine + 1, f"o{interview}", MIDDAY)
    with app.test_request_context():
        rules = [
            rule
            for rule in app.url_map.iter_rules()
            if rule.endpoint.startswith("provider.") and rule.arguments & {"order_id", "delivery_id"}
        ]
        paths = {
            number: [app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, number)) for rule in rules]
            for number in range(5)
        }
    assert len(rules) == 4
    for name, own in (("Eerste Hulp", 1), ("Ander Bureau", 2)):
        client = signed_in(app, "provider", name)
        assert [client.get(path).status_code for path in paths[own]] == [200] * 4
        for number in set(paths) - {own}:
            assert [client.get(path).status_code for path in paths[number]] == [404] * 4, (name, number)


def test_a_provider_sees_nothing_of_another(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path)
    add_cell(house_of(app), "Eerste Hulp")
    other = add_cell(house_of(app), "Ander Bureau", track="purchased", target=7)
    client = signed_in(app, "provider", "Eerste Hulp")
    for path in OWN_PAGES:
        page = client.get(path)
        assert page.status_code == 200
        assert "Ander Bureau" not in page.text
        assert "0 van 7" not in page.text
    assert client.get(f"/staff/cel/{other}").status_code == 403
    assert "van 7" not in client.get("/aanbieder?provider=Ander+Bureau&provider_id=2").text


def test_every_change_without_the_browsers_own_token_is_refused(app: Flask) -> None:
    for method, endpoint in sorted(WHO_MAY):
        if method != "POST":
            continue
        role = "provider" if WHO_MAY[method, endpoint] == PROVIDER else "admin"
        client = signed_in(app, role, "Eerste Hulp" if role == "provider" else None)
        with app.test_request_context():
            rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
            path = app.url_for(
                endpoint, **{name: {"cell_id": 1, "order_id": 1, **FILLED}[name] for name in rule.arguments}
            )
        for form in ({}, {"csrf": ""}, {"csrf": "another"}):
            assert client.post(path, data=form).status_code == 400, (endpoint, form)
