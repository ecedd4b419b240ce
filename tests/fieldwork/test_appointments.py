"""Appointments that are offered can be kept, and one that was missed becomes an ordinary call."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World

from ivr.fieldwork import appointments, planning, working
from ivr.store import Database
from ivr.store.tables import attempts

DAYS = (("vanavond", ("avond",)), ("morgen", ("ochtend", "middag", "avond")))


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def offered(world: World, phone: str | None, *, rings_now: bool = True) -> list[str]:
    with world.database.read() as session:
        days = appointments.keepable(
            session, DAYS, "the call itself", phone, world.catalogue.fieldwork, world.clock.now(), rings_now=rings_now
        )
    return [day for day, _ in days]


def test_this_evening_is_offered_to_whom_was_rung_once(world: World) -> None:
    assert offered(world, "somebody") == ["vanavond", "morgen"]
    assert offered(world, None) == ["vanavond", "morgen"]


def test_this_evening_is_not_offered_to_whom_may_not_be_rung_again_today(world: World) -> None:
    world.person(world.cell(), "+31612345678")
    world.status(world.call(), "no-answer")
    phone = world.sealer.hash("phone", "+31612345678")
    assert offered(world, phone) == ["morgen"]
    assert offered(world, phone, rings_now=False) == ["vanavond", "morgen"], "who rings us was rung once only"
    world.clock.forward(days=1)
    assert offered(world, phone) == ["vanavond", "morgen"]


def test_an_appointment_that_was_missed_is_an_ordinary_call(world: World) -> None:
    cell = world.cell(target=1)
    missed = world.person(cell, priority=working.APPOINTMENT, next_call_at=MONDAY - timedelta(hours=2, seconds=1))
    kept = world.person(cell, priority=working.APPOINTMENT, next_call_at=MONDAY - timedelta(hours=1))
    planning.sweep(world.database, world.catalogue, MONDAY)
    assert world.case(missed).priority == working.ORDINARY
    assert world.case(kept).priority == working.APPOINTMENT
    (attempt,) = world.plan()
    assert world.case_of(attempt) == kept
    with world.database.read() as session:
        assert session.execute(sa.select(sa.func.count()).select_from(attempts)).scalar_one() == 1
