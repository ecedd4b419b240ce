"""Accounts in the database: one per address, one use per invitation, sessions that end; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from ivr.errors import RefusedError
from ivr.store import Database, samples, users
from ivr.store.tables_accounts import users as user_table

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def anna(database: Database) -> int:
    with database.write() as session:
        return users.add(session, "Anna@Bureau.example", "viewer", NOW)


def test_an_address_has_one_account_whatever_its_capitals(database: Database) -> None:
    anna(database)
    with database.write() as session:
        assert users.find(session, " ANNA@bureau.EXAMPLE ") is not None
        with pytest.raises(RefusedError):
            users.add(session, "ANNA@BUREAU.EXAMPLE", "admin", NOW)


def test_a_provider_account_belongs_to_a_provider_and_no_other_does(database: Database) -> None:
    with database.write() as session:
        samples.ensure_sample(session, "Eerste Hulp", (NOW.date(), NOW.date()))
        known = users.first_provider_id(session)
    for role, provider_id in (("provider", None), ("viewer", known)):
        row = user_table.insert().values(email="x", role=role, provider_id=provider_id, created_at=NOW)
        with pytest.raises(sa.exc.IntegrityError), database.write() as session:
            session.execute(row)


def test_a_provider_is_found_by_name_in_any_spelling(database: Database) -> None:
    with database.write() as session:
        samples.ensure_sample(session, "Eerste Hulp", (NOW.date(), NOW.date()))
        found = users.provider_id(session, "  eerste   HULP")
        assert found == users.first_provider_id(session)
        user_id = users.add(session, "p@x.example", "provider", NOW, provider_id=found)
        user = users.get(session, user_id)
    assert user is not None
    assert user.provider == "Eerste Hulp"


def test_a_session_ends_by_time_by_signing_out_and_with_its_account(database: Database) -> None:
    user_id = anna(database)
    with database.write() as session:
        for token in ("a", "b", "c"):
            users.open_session(session, token, user_id, NOW, LATER)
        assert users.session_user(session, "a", NOW) is not None
        assert users.session_user(session, "a", LATER) is None
        users.close_session(session, "a")
        assert users.session_user(session, "a", NOW) is None
        users.set_active(session, user_id, False)
        assert users.session_user(session, "b", NOW) is None
        users.set_active(session, user_id, True)
        users.close_sessions(session, user_id)
        assert users.session_user(session, "c", NOW) is None


def test_an_invitation_is_spent_once_and_replaced_by_the_next(database: Database) -> None:
    user_id = anna(database)
    with database.write() as session:
        users.invite(session, "first", user_id, NOW, LATER)
        users.invite(session, "second", user_id, NOW, LATER)
        assert users.invited(session, "first", NOW) is None
        assert users.invited(session, "second", LATER) is None
        assert users.spend_invitation(session, "second")
        assert not users.spend_invitation(session, "second")


def test_a_code_of_an_authenticator_counts_once_and_never_backwards(database: Database) -> None:
    user_id = anna(database)
    with database.write() as session:
        assert [users.spend_totp_step(session, user_id, step) for step in (7, 7, 6, 8)] == [True, False, False, True]


def test_a_throttle_keeps_its_count_until_it_is_cleared_or_swept(database: Database) -> None:
    with database.write() as session:
        assert users.throttle(session, "k", NOW).tries == 0
        users.set_throttle(session, "k", 3, LATER, NOW)
    with database.write() as session:
        assert users.throttle(session, "k", LATER) == users.Throttle(3, LATER, NOW)
        users.sweep_throttles(session, NOW)
        assert users.throttle(session, "k", NOW).tries == 3
        users.sweep_throttles(session, LATER)
        assert users.throttle(session, "k", NOW).tries == 0
        users.set_throttle(session, "k", 1, None, NOW)
        users.clear_throttle(session, "k")
        assert users.throttle(session, "k", NOW).tries == 0
