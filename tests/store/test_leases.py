"""A task that one process may do has one holder, until its lease runs out."""

from __future__ import annotations

from datetime import timedelta

from fieldwork_world import MONDAY

from ivr.store import Database, leases


def test_lease_has_one_holder_until_it_runs_out_or_is_given_up(database: Database) -> None:
    with database.write() as session:
        assert leases.acquire(session, "clock", "a", MONDAY, 10)
        assert not leases.acquire(session, "clock", "b", MONDAY + timedelta(seconds=9), 10)
        assert leases.acquire(session, "clock", "a", MONDAY + timedelta(seconds=9), 10)
        assert leases.holder_of(session, "clock", MONDAY + timedelta(seconds=18)) == "a"
        assert leases.acquire(session, "clock", "b", MONDAY + timedelta(seconds=19), 10)
        assert not leases.acquire(session, "clock", "a", MONDAY + timedelta(seconds=20), 10)
        leases.give_up(session, "clock", "a")
        assert leases.holder_of(session, "clock", MONDAY + timedelta(seconds=20)) == "b"
        leases.give_up(session, "clock", "b")
        assert leases.acquire(session, "clock", "a", MONDAY + timedelta(seconds=21), 10)
