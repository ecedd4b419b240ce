"""How the fieldwork stands, and what staff may change while it runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World

from ivr.errors import NotFoundError, RefusedError
from ivr.fieldwork import monitoring, working
from ivr.store import Database, attempts, quotas
from ivr.store.tables import audit
from scripts.fieldwork import table


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def status(world: World) -> dict:
    return monitoring.status(world.database, world.catalogue, world.calendar, world.clock.now())


def state(world: World) -> str:
    (cell,) = status(world)["cells"]
    return cell["state"]


def test_status_has_what_others_scripts_rely_on(world: World) -> None:
    cell = world.cell()
    world.people(cell, 3)
    for id in world.plan():
        world.dial(id)
    document = status(world)
    (row,) = document["cells"]
    assert document["at"] == world.clock.now().isoformat()
    assert row["provider"] == "Aanbieder 1"
    assert row["period"] == "2026-01-01/2026-12-31"
    assert (row["track"], row["target"], row["successful"], row["in_flight"]) == ("inburgering", 25, 0, 3)
    assert (row["state"], row["cases"], row["attempts"]) == ("open", {"fresh": 3}, 3)


def test_void_attempt_is_not_counted(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    (id,) = world.plan()
    world.clock.forward(hours=12)
    world.dial(id)
    assert status(world)["cells"][0]["attempts"] == 0


def test_cell_is_exhausted_when_nobody_can_be_called_any_more_and_nothing_is_in_flight(world: World) -> None:
    case = world.person(world.cell())
    id = world.call()
    assert state(world) == "open"
    world.status(id, "failed")
    assert world.case(case).is_final
    assert state(world) == "exhausted"


def test_cell_whose_people_can_be_called_later_is_not_exhausted(world: World) -> None:
    world.person(world.cell(), next_call_at=MONDAY + timedelta(days=5))
    assert state(world) == "open"


def test_cell_that_waits_for_its_announcement_has_not_begun(world: World) -> None:
    world.person(world.cell(), announced_on=None, next_call_at=None)
    assert state(world) == "open"


def test_pausing_stops_planning_and_resuming_goes_on(world: World) -> None:
    cell = world.cell()
    world.people(cell, 2)
    monitoring.pause(world.database, cell, MONDAY, who="j.jansen", reason="klacht")
    assert (state(world), world.plan()) == ("paused", [])
    monitoring.resume(world.database, cell, MONDAY, who="j.jansen")
    assert len(world.plan()) == 2
    with world.database.read() as session:
        rows = session.execute(sa.select(audit.c.who, audit.c.what, audit.c.subject, audit.c.reason)).all()
    assert [tuple(row) for row in rows] == [
        ("j.jansen", "cell_paused", f"cell {cell}", "klacht"),
        ("j.jansen", "cell_open", f"cell {cell}", ""),
    ]


def test_closed_cell_stays_closed(world: World) -> None:
    cell = world.cell()
    monitoring.close(world.database, cell, MONDAY, who="test")
    assert state(world) == "closed"
    with pytest.raises(RefusedError):
        monitoring.resume(world.database, cell, MONDAY, who="test")
    with pytest.raises(RefusedError):
        monitoring.set_target(world.database, cell, 30, MONDAY, who="test")


def test_lowering_below_what_is_done_closes_the_cell_and_throws_nobody_out(world: World) -> None:
    cell = world.cell(target=5)
    world.people(cell, 8)
    world.set_cell(cell, successful=2)
    flying = world.plan()
    assert len(flying) == 3
    for id in flying:
        world.dial(id)
    monitoring.set_target(world.database, cell, 1, MONDAY, who="test")
    assert state(world) == "closed"
    assert [world.attempt(id).state for id in flying] == ["placed"] * 3
    for id in flying:
        world.status(id, "no-answer")
    assert world.plan() == []
    assert status(world)["cells"][0]["cases"] == {"quota_full": 8}


def test_a_lowered_target_stops_the_calls_that_have_not_begun(world: World) -> None:
    cell = world.cell(target=4)
    world.people(cell, 8)
    flying = world.plan()
    assert world.dial(flying[0]) == "placed"
    monitoring.set_target(world.database, cell, 2, MONDAY, who="test")
    assert [world.dial(id) for id in flying[1:]] == ["void", "void", "placed"]
    assert world.cell_row(cell).in_flight == 2


def test_raising_the_target_calls_people_again_who_were_not_needed(world: World) -> None:
    cell = world.cell(target=1)
    world.people(cell, 3)
    world.set_cell(cell, successful=1)
    monitoring.set_target(world.database, cell, 1, MONDAY, who="test")
    assert status(world)["cells"][0]["cases"] == {"quota_full": 3}
    monitoring.set_target(world.database, cell, 3, MONDAY, who="test")
    assert state(world) == "open"
    assert len(world.plan()) == 2


def test_a_target_lowered_and_raised_again_breaks_no_promise(world: World) -> None:
    cell = world.cell(target=5)
    rest = timedelta(days=1)
    stands = {
        "break_off": (MONDAY + rest, working.RESUME),
        "appointment": (MONDAY + 5 * rest, working.APPOINTMENT),
        "hung_up_introduction": (MONDAY + rest, working.ORDINARY),
    }
    people = {
        code: world.person(cell, disposition=code, next_call_at=moment, priority=priority, dialled=1, attempts=1)
        for code, (moment, priority) in stands.items()
    }
    world.set_cell(cell, successful=2)
    monitoring.set_target(world.database, cell, 2, MONDAY, who="test")
    assert {world.case(id).disposition for id in people.values()} == {"quota_full"}
    assert all(world.case(id).is_final for id in people.values())
    monitoring.set_target(world.database, cell, 5, MONDAY, who="test")
    for code, id in people.items():
        row = world.case(id)
        assert (row.disposition, row.is_final) == (code, False)
        assert (row.next_call_at, row.priority) == stands[code]
    assert world.plan() == []


def test_a_housemates_interview_is_nobody_elses_when_the_target_is_raised(world: World) -> None:
    cell = world.cell(target=1)
    rung, taker = world.person(cell, "+31611111111"), world.person(cell, "+31611111111")
    id = world.call()
    assert world.case_of(id) == rung
    interview = world.interview(taker)
    with world.database.write() as session:
        quotas.spend(session, id, interview, MONDAY)
        attempts.note(session, id, interview_id=interview, state="closed", outcome="complete", ended_at=MONDAY)
    world.set_case(rung, disposition="no_interaction", is_busy=False)
    world.set_case(taker, disposition="complete", is_final=True, next_call_at=None)
    monitoring.set_target(world.database, cell, 1, MONDAY, who="test")
    monitoring.set_target(world.database, cell, 2, MONDAY, who="test")
    assert (world.case(rung).disposition, world.case(rung).is_final) == ("no_interaction", False)


def test_unknown_cell_is_named(world: World) -> None:
    with pytest.raises(NotFoundError, match="17"):
        monitoring.pause(world.database, 17, MONDAY, who="test")


def test_table_for_people_has_a_bar_per_cell(world: World) -> None:
    cell = world.cell(target=4)
    world.people(cell, 6)
    world.set_cell(cell, successful=2)
    world.plan()
    lines = table(status(world))
    assert "█" * 10 + "▒" * 2 in lines[0]
    assert "2/4" in lines[0]
    assert "fresh 6" in lines[1]
