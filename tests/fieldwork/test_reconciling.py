"""A process may be killed at any line between planning and closing: no double call, no lost slot, within a lease."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fieldwork_world import World

from ivr.errors import CarrierUnknownError, CarrierUnreachableError
from ivr.store import Database, attempts
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_reservation_whose_job_was_lost_is_put_on_the_queue_again(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    assert world.reconcile().requeue == []
    world.clock.forward(seconds=61)
    assert world.reconcile().requeue == [id]
    assert world.reconcile().requeue == [], "not again within a lease"
    assert world.dial(id) == "placed"


def test_reservation_that_outlived_its_window_is_given_up(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    world.plan()
    world.clock.forward(hours=12)
    assert world.reconcile().expired == 1
    assert (world.cell_row(cell).in_flight, world.case(case).is_busy, world.case(case).attempts) == (0, False, 0)


def test_killed_before_the_request_ends_unknown_and_is_not_redialled_by_itself(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.carrier.before = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(id)
    world.carrier.before = None
    world.clock.forward(seconds=61)
    assert world.reconcile().unknown == 1
    assert world.attempt(id).state == "unknown"
    assert world.cell_row(cell).in_flight == 0
    assert world.dial(id) == "not_ours"
    assert world.plan() == [], "perhaps it rang: the spacing is kept"
    row = world.case(case)
    assert (row.is_busy, row.attempts) == (False, 0)
    assert row.next_call_at >= world.clock.now() + timedelta(minutes=29)


def test_killed_after_the_request_is_found_at_the_carrier_and_adopted(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    (id,) = world.plan()
    world.carrier.after = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(id)
    world.clock.forward(seconds=61)
    assert world.reconcile().adopted == 1
    attempt = world.attempt(id)
    assert (attempt.state, attempt.call_sid) == ("placed", "CA" + f"{1:032x}")
    assert world.cell_row(cell).in_flight == 1


def test_call_that_ended_while_nobody_knew_of_it_is_closed_with_its_outcome(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()

    def made_then_lost(request: CallRequest, report: CallReport) -> None:
        world.carrier.set(report.call_sid, status="no-answer")
        raise CarrierUnknownError("the answer got lost")

    world.carrier.after = made_then_lost
    assert world.dial(id) == "unknown"
    world.clock.forward(seconds=61)
    found = world.reconcile()
    assert (found.adopted, found.closed) == (1, 1)
    assert world.attempt(id).outcome == "no_answer"
    assert (world.case(case).attempts, world.cell_row(cell).in_flight) == (1, 0)
    assert len(world.carrier.requests) == 1


def test_call_of_another_attempt_to_the_same_number_is_not_adopted(world: World) -> None:
    case = world.person(world.cell(), "+31612345678")
    world.status(world.call(), "busy")
    world.clock.moment = world.case(case).next_call_at
    (id,) = world.plan()
    world.carrier.before = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(id)
    world.clock.forward(seconds=61)
    assert world.reconcile().unknown == 1


def test_lost_ending_is_asked_of_the_carrier(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    sid = world.attempt(id).call_sid
    world.clock.forward(seconds=61)
    assert world.reconcile().closed == 0
    world.carrier.set(sid, status="busy")
    assert world.reconcile().closed == 0, "asked a moment ago"
    world.clock.forward(seconds=61)
    assert world.reconcile().closed == 1
    assert world.attempt(id).outcome == "busy"


def test_call_that_the_carrier_has_forgotten_is_over(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    id = world.call()
    world.carrier.reports.clear()
    world.clock.forward(seconds=61)
    assert world.reconcile().closed == 1
    assert world.attempt(id).outcome == "technical"
    assert world.cell_row(cell).in_flight == 0


def test_call_that_runs_longer_than_any_call_may_is_ended(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    sid = world.attempt(id).call_sid
    world.carrier.set(sid, status="in-progress")
    for _ in range(40):
        world.clock.forward(seconds=61)
        world.reconcile()
    assert world.carrier.ended == [sid]
    assert world.attempt(id).state == "closed"


def test_unreachable_carrier_decides_nothing(world: World) -> None:
    cell = world.cell()
    world.people(cell, 2)
    for id in world.plan():
        world.dial(id)

    def away(call_sid: str) -> None:
        raise CarrierUnreachableError("down")

    world.carrier.fetch = away  # type: ignore[method-assign, assignment]
    world.clock.forward(seconds=61)
    assert world.reconcile().unreachable
    assert world.cell_row(cell).in_flight == 2


def test_unknown_call_that_is_answered_late_takes_a_slot_again(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    id = _unknown(world)
    with world.database.write() as session:
        assert attempts.adopt(session, id, "CA" + "a" * 32, world.clock.now()) == "go"
    assert (world.cell_row(cell).in_flight, world.case(case).is_busy) == (1, True)
    world.status(id, "completed")
    assert (world.cell_row(cell).in_flight, world.attempt(id).state) == (0, "closed")


def test_unknown_call_that_is_answered_when_the_cell_is_full_is_said_goodbye(world: World) -> None:
    cell = world.cell(target=1)
    world.people(cell, 1)
    id = _unknown(world)
    world.set_cell(cell, successful=1)
    with world.database.write() as session:
        assert attempts.adopt(session, id, "CA" + "a" * 32, world.clock.now()) == "full"
        assert attempts.adopt(session, id, "CA" + "a" * 32, world.clock.now()) in {"go", "full"}
    row = world.cell_row(cell)
    assert row.successful + row.in_flight == 1
    world.status(id, "completed")
    assert world.attempt(id).state == "closed"
    assert world.cell_row(cell).successful == 1


def test_unknown_call_that_ends_late_is_closed_and_counts_as_it_ended(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    id = _unknown(world)
    world.status(id, "no-answer")
    assert (world.attempt(id).state, world.attempt(id).outcome) == ("closed", "no_answer")
    assert world.case(case).attempts == 1
    assert world.cell_row(cell).in_flight == 0


def test_leaked_slots_and_people_are_found_and_freed(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    world.set_cell(cell, in_flight=3)
    world.set_case(case, is_busy=True)
    found = world.reconcile()
    assert (found.slots, found.freed) == (3, 1)
    assert (world.cell_row(cell).in_flight, world.case(case).is_busy) == (0, False)


def test_reconciling_twice_changes_nothing(world: World) -> None:
    cell = world.cell()
    world.people(cell, 3)
    first, second, third = world.plan()
    world.dial(first)
    world.carrier.before = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(second)
    world.clock.forward(seconds=61)
    world.reconcile()
    state = [tuple(world.attempt(id)) for id in (first, second, third)], tuple(world.cell_row(cell))
    world.reconcile()
    assert ([tuple(world.attempt(id)) for id in (first, second, third)], tuple(world.cell_row(cell))) == state


def _unknown(world: World) -> str:
    (id,) = world.plan()
    world.carrier.before = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(id)
    world.carrier.before = None
    world.clock.forward(seconds=61)
    assert world.reconcile().unknown == 1
    return id


@pytest.mark.parametrize("damage", ['{"x":', "[1]", '{"step": 3}'])
def test_one_damaged_state_keeps_no_other_call_from_being_looked_after(world: World, damage: str) -> None:
    cell = world.cell()
    cases = [world.person(cell) for _ in range(2)]
    ids = world.plan()
    for id in ids:
        world.dial(id)
        world.carrier.set(world.attempt(id).call_sid, status="completed")
    with world.database.write() as session:
        damaged = {"damage": damage, "id": ids[0]}
        session.execute(sa.text("UPDATE attempts SET dialogue = :damage, turn = 1 WHERE id = :id"), damaged)
    world.clock.forward(seconds=61)
    assert world.reconcile().closed == 2
    with world.database.read() as session:
        kept = session.execute(sa.text("SELECT state, outcome FROM attempts")).all()
    assert kept == [("closed", "technical")] * 2
    assert world.cell_row(cell).in_flight == 0
    assert not any(world.case(case).is_busy for case in cases)
