"""`ivr user`: accounts from the command line; a link, never a password."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.fieldwork import accounts
from ivr.store import Database, samples
from scripts.user import user
from tests.web.page_house import PASSWORD, PERIOD


@pytest.fixture
def run(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IVR_DATABASE_URL", sqlite_database.url)
    monkeypatch.setenv("IVR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("IVR_PUBLIC_BASE_URL", "https://toets.example")

    def call(*words: str) -> Result:
        return CliRunner().invoke(user, list(words))

    return call


def test_a_new_account_gets_a_link_that_works_once(run, sqlite_database: Database) -> None:
    document = json.loads(run("add", "anna@bureau.example", "--role", "admin", "--json").stdout)
    address, token = document["invitation"].rsplit("/", 1)
    assert address == "https://toets.example/uitnodiging"
    assert accounts.accept(sqlite_database, token, PASSWORD)
    assert accounts.invited(sqlite_database, token) is None
    listed = json.loads(run("list", "--json").stdout)["users"]
    assert listed == [
        {
            "email": "anna@bureau.example",
            "role": "admin",
            "provider": None,
            "active": True,
            "password": True,
            "totp": False,
        }
    ]


def test_a_provider_account_needs_a_provider_that_exists(run, sqlite_database: Database) -> None:
    assert run("add", "p@x.example", "--role", "provider", "--json").exit_code == 2
    assert run("add", "p@x.example", "--role", "provider", "--provider", "Nergens", "--json").exit_code == 1
    with sqlite_database.write() as session:
        samples.ensure_sample(session, "Eerste Hulp", PERIOD)
    assert run("add", "p@x.example", "--role", "provider", "--provider", "eerste hulp").exit_code == 0
    assert run("add", "s@x.example", "--role", "viewer", "--provider", "Eerste Hulp").exit_code == 2


@pytest.mark.parametrize("words", [("add", "geen-adres", "--role", "admin"), ("add", "a@b.example", "--role", "baas")])
def test_wrong_usage_ends_with_2(run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_one_account_per_address_and_a_new_link_for_a_forgotten_password(run) -> None:
    assert run("add", "a@b.example", "--role", "viewer").exit_code == 0
    again = run("add", "A@B.example", "--role", "admin", "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout.splitlines()[0])["error"]["code"] == "user_exists"
    assert "/uitnodiging/" in run("invite", "a@b.example").stdout
    assert run("invite", "nobody@b.example").exit_code == 1


def test_a_closed_account_can_be_opened_again(run, sqlite_database: Database) -> None:
    run("add", "a@b.example", "--role", "viewer")
    for word, is_active in (("close", False), ("reopen", True)):
        assert run(word, "a@b.example").exit_code == 0
        assert [one.is_active for one in accounts.everyone(sqlite_database)] == [is_active]
