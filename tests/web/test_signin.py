"""Signing in: what gets one in, what does not, and what an outsider can learn from trying."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyotp.totp import TOTP

from ivr.errors import RefusedError
from ivr.fieldwork import accounts, second_factor, throttling
from ivr.fieldwork.passwords import password_fault
from ivr.store import Database, users
from tests.web.page_house import PASSWORD, add_cell, add_user, house_of, open_app, sign_in, token_in

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    app = open_app(sqlite_database, tmp_path)
    add_user(sqlite_database, "Anna@Bureau.example", "admin")
    return app


def test_the_right_password_opens_the_board(app: Flask) -> None:
    client = app.test_client()
    answer = sign_in(client, "anna@bureau.example")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff")
    assert client.get("/staff").status_code == 200


def test_unknown_account_and_wrong_password_look_the_same(app: Flask) -> None:
    wrong = sign_in(app.test_client(), "anna@bureau.example", "iets heel anders")
    unknown = sign_in(app.test_client(), "niemand@bureau.example", "iets heel anders")
    assert wrong.status_code == unknown.status_code == 401
    assert "niemand@bureau.example" in unknown.text, "nobody has to type the address again"
    clean = [page.text.replace(token_in(page.text), "").replace("niemand@", "anna@") for page in (wrong, unknown)]
    assert clean[0] == clean[1]


def test_signing_in_throws_away_what_a_browser_held_before(app: Flask) -> None:
    client = app.test_client()
    before = token_in(client.get("/inloggen").text)
    with client.session_transaction() as cookie:
        cookie["planted"] = "by another"
    sign_in(client, "anna@bureau.example")
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["csrf"] != before


def test_a_stolen_cookie_is_worthless_after_signing_out(app: Flask) -> None:
    client = app.test_client()
    sign_in(client, "anna@bureau.example")
    with client.session_transaction() as cookie:
        stolen = dict(cookie)
    client.post("/uitloggen", data={"csrf": stolen["csrf"]})
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/staff").status_code == 302


def test_closing_an_account_ends_its_sessions_at_once(app: Flask) -> None:
    client = app.test_client()
    sign_in(client, "anna@bureau.example")
    accounts.set_active(house_of(app).database, "anna@bureau.example", False)
    assert client.get("/staff").status_code == 302
    assert sign_in(app.test_client(), "anna@bureau.example").status_code == 401


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/staffing",
        "/staff\n/x",
        "/staff/../echt",
        "/account/..//evil.example",
        "/staff//evil.example",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(app: Flask, onward: str) -> None:
    client = app.test_client()
    form = {"email": "anna@bureau.example", "wachtwoord": PASSWORD, "verder": onward}
    answer = client.post("/inloggen", data={**form, "csrf": token_in(client.get("/inloggen").text)})
    assert answer.headers["Location"] == "/staff"


def test_one_returns_to_the_page_one_asked_for(app: Flask) -> None:
    client = app.test_client()
    asked = client.get("/staff/cel/7?x=1")
    page = client.get(asked.headers["Location"])
    assert 'name="verder" value="/staff/cel/7?x=1"' in page.text


def test_guessing_is_slowed_down_and_forgotten_after_success(sqlite_database: Database, app: Flask) -> None:
    sealer = house_of(app).sealer

    def guess(password: str, seconds: float) -> accounts.SignIn:
        moment = NOON + timedelta(seconds=seconds)
        return accounts.sign_in(sqlite_database, sealer, "anna@bureau.example", password, "", "192.0.2.1", moment)

    assert [guess("mis", n).locked_seconds for n in range(accounts.FREE_TRIES)] == [0] * accounts.FREE_TRIES
    locked = guess(PASSWORD, accounts.FREE_TRIES)
    assert locked.token is None
    assert locked.locked_seconds > 0
    assert guess(PASSWORD, accounts.FREE_TRIES + 20).token is not None
    assert guess("mis", accounts.FREE_TRIES + 21).locked_seconds == 0


def test_each_further_guess_waits_longer_up_to_a_quarter_of_an_hour(sqlite_database: Database) -> None:
    moment, waits = NOON, []
    for _ in range(20):
        with sqlite_database.write() as session:
            assert throttling.count_try(session, "account:x", accounts.FREE_TRIES, moment) == 0
            lock = users.throttle(session, "account:x", moment).locked_until
        waits.append((lock - moment).total_seconds() if lock else 0)
        moment = lock or moment + timedelta(seconds=1)
    assert waits[: accounts.FREE_TRIES - 1] == [0] * (accounts.FREE_TRIES - 1)
    assert waits == sorted(waits)
    assert waits[-1] == throttling.LONGEST_LOCK.total_seconds()


def test_an_unknown_address_is_locked_as_a_known_one(sqlite_database: Database, app: Flask) -> None:
    sealer = house_of(app).sealer
    seconds = [
        accounts.sign_in(sqlite_database, sealer, "niemand@x.example", "mis", "", "192.0.2.9", NOON).locked_seconds
        for _ in range(accounts.FREE_TRIES + 1)
    ]
    assert seconds[-1] > 0


def test_an_authenticators_code_is_asked_and_works_once(sqlite_database: Database, app: Flask) -> None:
    house = house_of(app)
    secret = second_factor.new_totp_secret()
    with sqlite_database.read() as session:
        anna = users.find(session, "anna@bureau.example")
    assert anna is not None
    now = accounts.wall_clock()
    assert second_factor.confirm_totp(sqlite_database, house.sealer, anna, secret, TOTP(secret).at(now), now)

    def enter(code: str, moment: datetime) -> bool:
        address = f"192.0.2.{moment.second}"
        tried = accounts.sign_in(sqlite_database, house.sealer, "anna@bureau.example", PASSWORD, code, address, moment)
        return tried.token is not None

    later = now + timedelta(seconds=90)
    assert not enter("", later)
    assert not enter("000000", later)
    assert enter(TOTP(secret).at(later), later)
    assert not enter(TOTP(secret).at(later), later + timedelta(seconds=1)), "a code that was used works no more"


def of(database: Database, email: str = "anna@bureau.example") -> users.User:
    with database.read() as session:
        found = users.find(session, email)
    assert found is not None
    return found


def held_by(client: FlaskClient) -> dict[str, Any]:
    with client.session_transaction() as cookie:
        return dict(cookie)


def test_the_code_is_switched_on_with_the_password_and_a_code(sqlite_database: Database, app: Flask) -> None:
    client = app.test_client()
    sign_in(client, "anna@bureau.example")
    client.get("/account")
    held = held_by(client)
    code = TOTP(held["totp"]).now()
    form = {"csrf": held["csrf"], "wachtwoord": PASSWORD, "code": code}
    assert client.post("/account/code-aan", data={**form, "code": "12"}).status_code == 422
    assert client.post("/account/code-aan", data={**form, "wachtwoord": "een ander"}).status_code == 422
    assert not of(sqlite_database).has_totp
    assert client.post("/account/code-aan", data=form).status_code == 303
    assert "Staat <strong>aan</strong>" in client.get("/account").text


def test_a_page_left_open_elsewhere_cannot_replace_a_code_that_is_on(sqlite_database: Database, app: Flask) -> None:
    sealer, now = house_of(app).sealer, accounts.wall_clock()
    before = of(sqlite_database)
    mine, other = second_factor.new_totp_secret(), second_factor.new_totp_secret()
    assert second_factor.confirm_totp(sqlite_database, sealer, before, mine, TOTP(mine).at(now), now)
    assert not second_factor.confirm_totp(sqlite_database, sealer, before, other, TOTP(other).at(now), now)
    later = now + timedelta(seconds=90)
    assert second_factor.drop_totp(sqlite_database, sealer, of(sqlite_database), TOTP(mine).at(later), later)


def test_codes_cannot_be_tried_without_end_from_an_open_browser(sqlite_database: Database, app: Flask) -> None:
    sealer, now, secret = house_of(app).sealer, accounts.wall_clock(), second_factor.new_totp_secret()
    assert second_factor.confirm_totp(sqlite_database, sealer, of(sqlite_database), secret, TOTP(secret).at(now), now)
    later = now + timedelta(seconds=90)
    for _ in range(second_factor.FREE_TRIES):
        assert not second_factor.drop_totp(sqlite_database, sealer, of(sqlite_database), "000000", later)
    right = TOTP(secret).at(later)
    assert not second_factor.drop_totp(sqlite_database, sealer, of(sqlite_database), right, later), "locked"


def test_an_invitation_is_no_way_around_the_code(sqlite_database: Database, app: Flask) -> None:
    sealer, now, secret = house_of(app).sealer, accounts.wall_clock(), second_factor.new_totp_secret()
    second_factor.confirm_totp(sqlite_database, sealer, of(sqlite_database), secret, TOTP(secret).at(now), now)
    link = f"/uitnodiging/{accounts.invite(sqlite_database, 'anna@bureau.example')}"
    client = app.test_client()
    new = "vier ezels eten gras"
    answer = client.post(link, data={"csrf": token_in(client.get(link).text), "wachtwoord": new, "nogmaals": new})
    assert "Log in met uw wachtwoord en de code" in answer.text
    assert client.get("/staff").status_code == 302
    assert sign_in(client, "anna@bureau.example", new).status_code == 401
    second_factor.take_totp_off(sqlite_database, "anna@bureau.example")
    assert sign_in(client, "anna@bureau.example", new).status_code == 303


def test_a_stranger_who_keeps_guessing_does_not_lock_the_owner_out(sqlite_database: Database, app: Flask) -> None:
    owner = app.test_client()
    sign_in(owner, "anna@bureau.example")
    owner.post("/uitloggen", data={"csrf": held_by(owner)["csrf"]})
    for _ in range(accounts.FREE_TRIES + 2):
        sign_in(app.test_client(), "anna@bureau.example", "iets heel anders")
    assert sign_in(app.test_client(), "anna@bureau.example").status_code == 429, "a strange browser waits"
    assert sign_in(owner, "anna@bureau.example").status_code == 303
    assert sign_in(app.test_client(), "anna@bureau.example").status_code == 429, "and that helps no stranger"


def test_the_mark_of_a_known_browser_is_good_for_its_own_account_only(sqlite_database: Database, app: Flask) -> None:
    add_user(sqlite_database, "bert@bureau.example", "viewer")
    client = app.test_client()
    sign_in(client, "bert@bureau.example")
    client.post("/uitloggen", data={"csrf": held_by(client)["csrf"]})
    for _ in range(accounts.FREE_TRIES + 2):
        last = sign_in(client, "anna@bureau.example", "iets heel anders")
    assert last.status_code == 429
    mark = client.get_cookie("toets-browser")
    assert mark is not None
    assert "bert" not in mark.value
    client.delete_cookie("toets")
    assert client.get("/staff").status_code == 302, "the mark opens no page"


def test_changing_the_password_ends_every_other_session(sqlite_database: Database, app: Flask) -> None:
    here, there = app.test_client(), app.test_client()
    sign_in(here, "anna@bureau.example")
    sign_in(there, "anna@bureau.example")
    new = "vier ezels eten gras"
    form = {"csrf": held_by(here)["csrf"], "oud": "mis", "wachtwoord": new, "nogmaals": new}
    assert here.post("/account/wachtwoord", data=form).status_code == 422
    assert here.post("/account/wachtwoord", data={**form, "oud": PASSWORD, "nogmaals": "x"}).status_code == 422
    assert here.post("/account/wachtwoord", data={**form, "oud": PASSWORD}).status_code == 200
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302
    assert sign_in(app.test_client(), "anna@bureau.example").status_code == 401
    assert sign_in(app.test_client(), "anna@bureau.example", new).status_code == 303


def test_one_press_signs_out_everywhere(app: Flask) -> None:
    here, there = app.test_client(), app.test_client()
    sign_in(here, "anna@bureau.example")
    sign_in(there, "anna@bureau.example")
    assert here.post("/account/overal-uitloggen", data={"csrf": held_by(here)["csrf"]}).status_code == 303
    assert [one.get("/account").status_code for one in (here, there)] == [302, 302]


def test_a_page_of_another_role_is_not_where_one_lands(sqlite_database: Database, app: Flask) -> None:
    add_cell(house_of(app), "Eerste Hulp")
    add_user(sqlite_database, "cor@hulp.example", "provider", "Eerste Hulp")
    client = app.test_client()
    form = {"email": "cor@hulp.example", "wachtwoord": PASSWORD, "verder": "/staff/cel/1"}
    answer = client.post("/inloggen", data={**form, "csrf": token_in(client.get("/inloggen").text)})
    assert answer.headers["Location"] == "/aanbieder"


@pytest.mark.postgres
def test_an_address_with_a_nul_is_just_unknown(postgres_database: Database, tmp_path: Path) -> None:
    app = open_app(postgres_database, tmp_path)
    assert sign_in(app.test_client(), "anna\x00@bureau.example").status_code == 401


def test_an_invitation_works_once_and_lets_its_owner_choose_a_password(sqlite_database: Database, app: Flask) -> None:
    token = accounts.add(sqlite_database, "bert@bureau.example", "viewer")
    client = app.test_client()
    page = client.get(f"/uitnodiging/{token}")
    form = {"csrf": token_in(page.text), "wachtwoord": "kort", "nogmaals": "kort"}
    assert client.post(f"/uitnodiging/{token}", data=form).status_code == 422
    form |= {"wachtwoord": PASSWORD, "nogmaals": PASSWORD + "!"}
    assert client.post(f"/uitnodiging/{token}", data=form).status_code == 422
    form["nogmaals"] = PASSWORD
    assert client.post(f"/uitnodiging/{token}", data=form).headers["Location"] == "/staff"
    assert client.get(f"/uitnodiging/{token}").status_code == 404
    with pytest.raises(RefusedError):
        accounts.accept(sqlite_database, token, PASSWORD)


def test_a_new_invitation_replaces_the_one_before(sqlite_database: Database, app: Flask) -> None:
    first = accounts.add(sqlite_database, "bert@bureau.example", "viewer")
    second = accounts.invite(sqlite_database, "BERT@bureau.example")
    assert accounts.invited(sqlite_database, first) is None
    assert accounts.invited(sqlite_database, second) is not None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("elf tekens.", "too_short"),
        ("a" * 300, "too_long"),
        ("aaaaaaaaaaaab", "too_easy"),
        ("hallo anna 1234", "too_easy"),
        ("Welkom123456!", "too_easy"),
        ("Password-2026-Toets", "too_easy"),
        ("123456789012345", "too_easy"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, fault: str) -> None:
    assert password_fault(password, "anna@bureau.example") == fault


def test_a_short_name_before_the_at_does_not_forbid_its_letters() -> None:
    assert password_fault(PASSWORD, "en@bureau.example") is None


def test_passwords_are_kept_as_argon2id(sqlite_database: Database, app: Flask) -> None:
    with sqlite_database.read() as session:
        anna = users.find(session, "anna@bureau.example")
    assert anna is not None
    assert anna.password_hash is not None
    assert anna.password_hash.startswith("$argon2id$")


# --- one click, in a demo on this machine -----------------------------------------------------------------------


def click(app: Flask, role: str = "admin", **request: Any):
    client = app.test_client()
    form = {"csrf": token_in(client.get("/inloggen", **request).text), "rol": role}
    return client, client.post("/inloggen/demo", data=form, **request)


def test_a_demo_on_this_machine_opens_with_one_click(sqlite_database: Database, tmp_path: Path) -> None:
    app = open_app(sqlite_database, tmp_path, env="demo")
    add_cell(house_of(app), "Eerste Hulp")
    for role, page in (("admin", "/staff"), ("viewer", "/staff"), ("provider", "/aanbieder")):
        client, answer = click(app, role)
        assert answer.headers["Location"] == page
        assert client.get(page).status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"base_url": "http://rebound.example"},
    ],
)
def test_one_click_works_for_nobody_else(sqlite_database: Database, tmp_path: Path, request_: dict) -> None:
    app = open_app(sqlite_database, tmp_path, env="demo")
    client, answer = click(app, **request_)
    assert answer.status_code == 403
    assert client.get("/staff").status_code == 302


def test_production_has_no_one_click_and_takes_no_demo_session(sqlite_database: Database, tmp_path: Path) -> None:
    demo, session = click(open_app(sqlite_database, tmp_path, env="demo"))
    assert session.status_code == 303
    with demo.session_transaction() as cookie:
        held = dict(cookie)
    key = "k" * 43 + "="
    secrets = {"secret_key": "s" * 40, "encryption_key": key, "TWILIO_AUTH_TOKEN": "t" * 32}
    app = open_app(sqlite_database, tmp_path, env="production", **secrets)
    assert click(app)[1].status_code == 403
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(held)
    assert client.get("/staff").status_code == 302


# --- where a form comes from -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://[localhost"},
        {"Origin": "http://localhost.elsewhere.example"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.toets.example"},
    ],
)
def test_a_form_of_another_site_is_refused_also_with_a_good_token(app: Flask, headers: dict[str, str]) -> None:
    client = app.test_client()
    sign_in(client, "anna@bureau.example")
    form = {"csrf": held_by(client)["csrf"]}
    assert client.post("/uitloggen", data=form, headers=headers).status_code == 400
    assert client.get("/staff", headers=headers).status_code == 200, "a link from elsewhere may lead here"


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("127.0.0.1:8000", {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}),
        ("web.internal:8080", {"Origin": "https://toets.example", "Sec-Fetch-Site": "same-origin"}),
        ("toets.example", {"Origin": "https://Toets.example"}),
        ("toets.example", {}),
    ],
)
def test_a_form_of_our_own_pages_is_taken_also_behind_a_proxy(
    sqlite_database: Database, tmp_path: Path, host: str, headers: dict[str, str]
) -> None:
    app = open_app(sqlite_database, tmp_path, public_base_url="https://toets.example")
    page = app.test_client().get("/inloggen", headers={"Host": host})
    cookie = page.headers["Set-Cookie"].split(";")[0]
    form = {"csrf": token_in(page.text), "email": "niemand@bureau.example", "wachtwoord": "verkeerd"}
    answer = app.test_client(use_cookies=False).post(
        "/inloggen", data=form, headers={"Host": host, "Cookie": cookie, **headers}
    )
    assert answer.status_code == 401
