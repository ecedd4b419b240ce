"""Whose word is taken for where a request comes from: nobody's, unless the settings say that a proxy is ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import request

from ivr.store import Database
from ivr.web.app import create_app
from ivr.web.pages.access import caller_address
from tests.web.page_house import add_user, open_app, open_house, token_in


def seen(database: Database, folder: Path, hops: int, peer: str, **headers: str) -> tuple[str, bool]:
    """(the address for counting tries, whether the request counts as https), through the whole WSGI application."""
    app = create_app(open_house(database, folder, trusted_proxies=hops))
    found: list[tuple[str, bool]] = []
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: found.append((caller_address(), request.is_secure)))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    app.test_client().get("/healthz", headers=sent, environ_overrides={"REMOTE_ADDR": peer})
    return found[0]


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.2", "127.0.0.1", "::1"])
def test_a_forged_header_is_not_believed_by_default(sqlite_database: Database, tmp_path: Path, peer: str) -> None:
    address, is_secure = seen(
        sqlite_database, tmp_path, 0, peer, X_Forwarded_For="198.51.100.1", X_Forwarded_Proto="https"
    )
    assert "198.51.100" not in address
    assert not is_secure


def test_behind_one_proxy_the_last_entry_counts_and_no_earlier_one(sqlite_database: Database, tmp_path: Path) -> None:
    forged = "192.0.2.1, 198.51.100.1"
    found = seen(sqlite_database, tmp_path, 1, "10.0.0.2", X_Forwarded_For=forged, X_Forwarded_Proto="https")
    assert found == ("198.51.100.1", True)


def test_behind_two_proxies_the_last_but_one_entry_counts(sqlite_database: Database, tmp_path: Path) -> None:
    hops = "192.0.2.1, 198.51.100.1, 10.0.0.3"
    assert seen(sqlite_database, tmp_path, 2, "10.0.0.2", X_Forwarded_For=hops)[0] == "198.51.100.1"
    assert seen(sqlite_database, tmp_path, 2, "10.0.0.2", X_Forwarded_For="192.0.2.1")[0] == "10.0.0.2"


def test_of_ipv6_the_household_counts(sqlite_database: Database, tmp_path: Path) -> None:
    found = seen(sqlite_database, tmp_path, 1, "10.0.0.2", X_Forwarded_For="2001:db8:1:2:3:4:5:6")
    assert found[0] == "2001:db8:1:2::/64"


def tries_until_locked(database: Database, folder: Path, hops: int) -> int:
    """How many sign-ins, each from another forged address and for another account, before the door locks."""
    app = open_app(database, folder, trusted_proxies=hops)
    client = app.test_client()
    token = token_in(client.get("/inloggen").text)
    for number in range(40):
        answer = client.post(
            "/inloggen",
            data={"email": f"x{number}@bureau.example", "wachtwoord": "verkeerd", "csrf": token},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
            environ_overrides={"REMOTE_ADDR": "10.0.0.2"},
        )
        if answer.status_code == 429:
            return number
    return 40


def test_nobody_escapes_the_lock_out_with_addresses_of_his_own_making(
    sqlite_database: Database, tmp_path: Path
) -> None:
    add_user(sqlite_database, "iemand@bureau.example", "viewer")
    assert tries_until_locked(sqlite_database, tmp_path, 0) < 40


def test_behind_our_own_proxy_one_visitor_does_not_lock_out_another(sqlite_database: Database, tmp_path: Path) -> None:
    assert tries_until_locked(sqlite_database, tmp_path, 1) == 40
