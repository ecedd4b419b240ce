"""Statements run on the driver's own connection: the same values, the same transaction, the same errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ivr.store import Database
from ivr.store.prepared import Prepared
from ivr.store.tables import events, opt_outs

NOW = datetime(2026, 10, 5, 9, 30, 1, 250_000, tzinfo=timezone(timedelta(hours=2)))
NAMES = ("attempt_id", "case_id", "kind", "at", "details")
ADD = Prepared(sa.insert(events).values({name: sa.bindparam(name) for name in NAMES}))
FIND = sa.select(*(events.c[name] for name in NAMES)).where(events.c.kind == sa.bindparam("kind"))
REFUSE = Prepared(sa.insert(opt_outs).values({name: sa.bindparam(name) for name in ("phone_hash", "at", "source")}))


def add(database: Database, kind: str, details: object) -> None:
    with database.write() as session:
        row = {"attempt_id": None, "case_id": None, "kind": kind, "at": NOW, "details": details}
        assert ADD.change(session, row) == 1


def test_values_go_in_and_come_out_as_the_session_has_them(database: Database) -> None:
    add(database, "one", {"status": "ringing", "sequence_number": 2})
    with database.read() as session:
        here = Prepared(FIND).row(session, {"kind": "one", "passed over": 1})
        there = session.execute(FIND, {"kind": "one"}).one()
    assert here == tuple(there)
    assert here is not None
    assert here[3] == NOW
    assert here[3].tzinfo is UTC
    assert here[4] == {"status": "ringing", "sequence_number": 2}


def test_what_stands_in_the_statement_itself_needs_no_value(database: Database) -> None:
    for kind in ("one", "two", "two"):
        add(database, kind, {})
    early = Prepared(sa.select(events.c.kind).where(events.c.at <= NOW, events.c.kind == "two").limit(1))
    count = Prepared(sa.select(sa.func.count()).where(events.c.kind == sa.bindparam("kind")))
    change = Prepared(sa.update(events).where(events.c.kind == "two").values(kind="three"))
    with database.write() as session:
        assert early.rows(session, {}) == [("two",)]
        assert count.value(session, {"kind": "two"}) == 2
        assert change.change(session, {}) == 2
        assert early.row(session, {}) is None


def test_it_belongs_to_the_transaction_of_its_session(database: Database) -> None:
    with database.write() as session:
        ADD.change(session, {"attempt_id": None, "case_id": None, "kind": "one", "at": NOW, "details": {}})
        assert session.execute(FIND, {"kind": "one"}).one_or_none() is not None
        session.rollback()
    with database.read() as session:
        assert Prepared(FIND).rows(session, {"kind": "one"}) == []


def test_an_error_is_told_as_by_the_session_without_the_parameters(database: Database) -> None:
    row = {"phone_hash": "a number", "at": NOW, "source": "key"}
    with database.write() as session:
        REFUSE.change(session, row)
    with pytest.raises(IntegrityError) as here, database.write() as session:
        REFUSE.change(session, row)
    with pytest.raises(IntegrityError) as there, database.write() as session:
        session.execute(sa.insert(opt_outs), row)
    assert str(here.value.orig) == str(there.value.orig)
    assert "parameters:" not in str(here.value)
    with database.write() as session:
        assert REFUSE.change(session, row | {"phone_hash": "another"}) == 1


def test_a_list_of_any_length_is_refused(database: Database) -> None:
    some = Prepared(sa.select(events.c.id).where(events.c.kind.in_(sa.bindparam("kinds", expanding=True))))
    with pytest.raises(TypeError, match="kinds"), database.read() as session:
        some.rows(session, {"kinds": ["one"]})
