"""Who is called now, and who is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World

from ivr.fieldwork import planning, working
from ivr.store import Database, cells, events, lines, optouts
from ivr.store.tables import attempts
from ivr.survey import callplan


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def test_plan_reserves_one_slot_per_person_up_to_the_target(world: World) -> None:
    cell = world.cell(target=3)
    world.people(cell, 10)
    planned = world.plan()
    assert len(planned) == 3
    assert world.cell_row(cell).in_flight == 3
    assert len({world.case_of(id) for id in planned}) == 3
    assert all(world.attempt(id).state == "reserved" for id in planned)
    assert world.plan() == []


def test_full_cell_plans_no_call(world: World) -> None:
    cell = world.cell(target=2)
    world.people(cell, 5)
    world.set_cell(cell, successful=2)
    assert world.plan() == []


def test_order_that_is_not_voiced_is_not_dialled(world: World) -> None:
    world.people(world.cell(voiced=False), 2)
    assert world.plan() == []


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_cell_that_staff_stopped_plans_no_call(world: World, state: str) -> None:
    world.people(world.cell(state=state), 2)
    assert world.plan() == []


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 9, 13, 12, 0, tzinfo=UTC),  # a Sunday
        datetime(2026, 9, 14, 6, 59, tzinfo=UTC),  # a minute to nine in Amsterdam
        datetime(2026, 9, 14, 18, 30, tzinfo=UTC),  # half past eight
        datetime(2026, 4, 27, 10, 0, tzinfo=UTC),  # Koningsdag
        datetime(2025, 4, 26, 10, 0, tzinfo=UTC),  # Koningsdag on a Saturday, because the 27th is a Sunday
        datetime(2026, 5, 14, 10, 0, tzinfo=UTC),  # Hemelvaart
        datetime(2025, 5, 5, 10, 0, tzinfo=UTC),  # Bevrijdingsdag in a lustrum year
    ],
)
def test_nobody_is_planned_outside_the_window(world: World, moment: datetime) -> None:
    cell = world.cell()
    world.clock.moment = moment
    world.people(cell, 2)
    assert world.plan() == []
    due = world.next_due()
    assert due > moment
    assert world.calendar.is_open(due) or due == moment + planning.IDLE


@pytest.mark.parametrize(("days", "planned"), [(1, 0), (2, 1), (30, 1), (31, 0)])
def test_announcement_is_two_to_thirty_days_old(world: World, days: int, planned: int) -> None:
    world.person(world.cell(), announced_on=(MONDAY - timedelta(days=days)).date())
    assert len(world.plan()) == planned


def test_somebody_never_announced_is_only_called_with_consent(world: World) -> None:
    cell = world.cell()
    world.person(cell, announced_on=None)
    willing = world.person(cell, announced_on=None, consent="ja")
    world.person(cell, consent="nee")
    assert [world.case_of(id) for id in world.plan()] == [willing]


def test_setting_can_demand_consent_of_everyone(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    willing = world.person(cell, consent="ja")
    world.limits = replace(world.limits, consent_only=True)
    assert [world.case_of(id) for id in world.plan()] == [willing]


def test_opted_out_number_is_not_called_and_the_case_ends(world: World) -> None:
    cell = world.cell()
    case = world.person(cell, "+31611111111", "+31622222222")
    with world.database.write() as session:
        optouts.add(session, world.sealer.hash("phone", "+31622222222"), "staff", world.clock.now())
    assert world.plan() == []
    assert world.case(case).disposition == "opted_out"
    with world.database.read() as session:
        told = events.last_of_case(session, case, "disposition")
    assert told == {"before": "fresh", "after": "opted_out", "by": "staff"}


def test_family_on_one_telephone_is_called_one_at_a_time(world: World) -> None:
    cell = world.cell()
    world.person(cell, "+31611111111")
    world.person(cell, "+31633333333", "+31611111111")
    first = world.plan()
    assert len(first) == 1
    assert world.plan() == []
    world.dial(first[0])
    world.status(first[0], "no-answer")
    world.clock.forward(minutes=179)
    assert world.plan() == []
    world.clock.forward(minutes=2)
    assert len(world.plan()) >= 1


def test_telephone_rings_twice_a_day_at_most_whoever_it_is_for(world: World) -> None:
    cell = world.cell()
    world.clock.moment = datetime(2026, 9, 14, 7, 0, tzinfo=UTC)
    for _ in range(4):
        world.person(cell, "+31611111111")
    rings = 0
    while world.clock.now() < datetime(2026, 9, 14, 18, 30, tzinfo=UTC):
        for id in world.plan():
            world.dial(id)
            world.status(id, "no-answer")
            rings += 1
        world.clock.forward(minutes=20)
    assert rings == 2


def test_one_person_in_two_lists_with_another_number_first_is_called_one_at_a_time(world: World) -> None:
    one, other = world.cell(), world.cell()
    world.person(one, "+31611111111", "+31622222222")
    world.person(other, "+31622222222")
    first = world.plan()
    assert len(first) == 1
    assert world.plan() == []
    world.dial(first[0])
    world.status(first[0], "no-answer")
    world.clock.forward(minutes=179)
    assert world.plan() == []
    world.clock.forward(minutes=2)
    assert len(world.plan()) == 1


def test_one_person_in_two_lists_hears_two_rings_a_day_on_all_their_telephones_together(world: World) -> None:
    one, other = world.cell(), world.cell()
    world.clock.moment = datetime(2026, 9, 14, 7, 0, tzinfo=UTC)
    world.person(one, "+31611111111", "+31622222222")
    world.person(other, "+31622222222")
    rings = 0
    while world.clock.now() < datetime(2026, 9, 14, 18, 30, tzinfo=UTC):
        for id in world.plan():
            world.dial(id)
            world.status(id, "no-answer")
            rings += 1
        world.clock.forward(minutes=20)
    assert rings == 2


def test_somebody_interviewed_this_week_in_another_sample_waits(world: World) -> None:
    one, other = world.cell(), world.cell()
    world.interview(world.person(one, "+31611111111", is_final=True, next_call_at=None))
    waiting = world.person(other, "+31611111111")
    assert world.plan() == []
    again = world.case(waiting).next_call_at
    assert again > MONDAY + timedelta(days=7)
    world.clock.moment = again
    assert [world.case_of(id) for id in world.plan()] == [waiting]


def test_answer_by_another_mode_stops_the_calls(world: World) -> None:
    case = world.person(world.cell())
    world.interview(case, mode="web")
    assert world.plan() == []
    assert world.case(case).disposition == "answered_elsewhere"


def test_appointments_go_first_then_resumed_then_random_order(world: World) -> None:
    cell = world.cell()
    fresh = world.person(cell, position=0)
    resumed = world.person(cell, position=9, priority=1)
    appointment = world.person(cell, position=8, priority=0)
    assert [world.case_of(id) for id in world.plan()] == [appointment, resumed, fresh]


def test_replicate_opens_when_the_one_before_is_worked_out(world: World) -> None:
    cell = world.cell()
    first = world.people(cell, 2, replicate=0)
    second = world.people(cell, 2, replicate=1)
    assert {world.case_of(id) for id in world.plan()} == set(first)
    world.set_case(first[0], is_final=True, is_busy=False)
    assert world.plan() == []
    world.set_case(first[1], is_final=True, is_busy=False)
    assert {world.case_of(id) for id in world.plan()} == set(second)


def test_somebody_of_a_later_replicate_makes_no_cell_due(world: World) -> None:
    cell = world.cell()
    world.person(cell, replicate=0, next_call_at=MONDAY + timedelta(days=1))
    later = world.person(cell, replicate=1)
    bounds = working.bounds_at(world.catalogue.fieldwork, world.clock.now(), consent_only=False)
    with world.database.read() as session:
        assert cells.waiting(session, bounds) == []
    world.set_case(later, priority=working.APPOINTMENT)
    with world.database.read() as session:
        assert [id for id, _ in cells.waiting(session, bounds)] == [cell]


def test_somebody_who_broke_off_before_the_own_letter_is_put_off_until_it_may_be_known(world: World) -> None:
    # On a shared telephone somebody may take part by the code before the own two days are over.
    cell = world.cell()
    person = world.person(
        cell, disposition="break_off", priority=working.RESUME, announced_on=(MONDAY + timedelta(days=2)).date()
    )
    assert world.plan() == []
    assert world.case(person).next_call_at > MONDAY + timedelta(days=3)
    assert world.next_due() > MONDAY + timedelta(minutes=30)


def test_people_who_cannot_be_called_do_not_hold_up_the_next_replicate(world: World) -> None:
    cell = world.cell()
    world.person(cell, replicate=0, announced_on=None, next_call_at=None)
    world.person(cell, replicate=0, consent="nee")
    world.person(cell, replicate=0, announced_on=(MONDAY - timedelta(days=40)).date())
    next_one = world.person(cell, replicate=1)
    assert [world.case_of(id) for id in world.plan()] == [next_one]


def test_small_provider_does_not_wait_for_a_big_one(world: World) -> None:
    big, small = world.cell(), world.cell()
    world.people(big, 20)
    world.people(small, 2)
    world.limits = replace(world.limits, calls_in_flight=4)
    served = [world.attempt(id).cell_id for id in world.plan()]
    assert served.count(small) == 2


def test_calls_in_flight_of_the_account_are_bounded(world: World) -> None:
    world.people(world.cell(), 20)
    world.limits = replace(world.limits, calls_in_flight=7)
    assert len(world.plan()) == 7
    assert world.plan() == []


def test_calls_are_paced_by_calls_per_second(world: World) -> None:
    world.people(world.cell(), 20)
    world.limits = replace(world.limits, calls_per_second=2.0, horizon_seconds=2.0)
    starts = [world.attempt(id).not_before for id in world.plan()]
    assert starts == [MONDAY + timedelta(seconds=n / 2) for n in range(5)]
    assert world.plan() == [], "the pace is kept across ticks"
    world.limits = replace(world.limits, horizon_seconds=0)
    world.clock.forward(seconds=2.5)
    assert len(world.plan()) == 1


def test_no_call_while_the_line_backs_off_and_one_to_find_out(world: World) -> None:
    world.people(world.cell(), 5)
    with world.database.write() as session:
        lines.fail(session, "default", MONDAY, not_before=MONDAY + timedelta(seconds=30), is_down=True)
    assert world.plan() == []
    assert world.next_due() == MONDAY + timedelta(seconds=30)
    world.clock.forward(seconds=30)
    assert len(world.plan()) == 1


def test_attempt_expires_with_its_window(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    assert world.attempt(id).not_after == datetime(2026, 9, 14, 18, 30, tzinfo=UTC)


def test_night_costs_no_ticks(world: World) -> None:
    world.clock.moment = datetime(2026, 9, 12, 14, 1, tzinfo=UTC)  # Saturday, just after closing
    world.person(world.cell())
    ticks = 0
    while not world.plan():
        world.clock.moment = world.next_due()
        ticks += 1
    assert callplan.local_date(world.clock.now()).isoformat() == "2026-09-14"
    assert ticks < 60


def test_next_due_is_always_later_so_that_nothing_spins(world: World) -> None:
    cell = world.cell(target=2)
    world.people(cell, 4)
    for _ in range(10):
        before = world.clock.now()
        world.plan()
        due = world.next_due()
        assert due > before
        world.clock.moment = due


def test_people_of_a_filled_cell_are_not_needed_once_nothing_is_in_flight(world: World) -> None:
    cell = world.cell(target=2)
    left = world.people(cell, 3)
    world.set_cell(cell, successful=1)
    world.plan()
    planning.sweep(world.database, world.catalogue, world.clock.now())
    assert "quota_full" not in {world.case(id).disposition for id in left}
    with world.database.write() as session:
        session.execute(sa.update(attempts).values(state="void", holds_slot=False))
    for id in left:
        world.set_case(id, is_busy=False)
    world.set_cell(cell, in_flight=0, successful=2)
    assert planning.sweep(world.database, world.catalogue, world.clock.now()) == 3
    assert {world.case(id).disposition for id in left} == {"quota_full"}


def test_expired_announcement_ends_the_case_with_its_own_disposition(world: World) -> None:
    case = world.person(world.cell(), announced_on=(MONDAY - timedelta(days=31)).date())
    planning.sweep(world.database, world.catalogue, world.clock.now())
    assert world.case(case).disposition == "announcement_expired"
    assert world.case(case).is_final
