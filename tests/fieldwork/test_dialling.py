"""One call is asked for once; whatever the carrier answers, nobody is called twice and no slot is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World

from ivr.errors import CarrierBusyError, CarrierError, CarrierUnknownError, CarrierUnreachableError
from ivr.fieldwork import closing, lives, monitoring
from ivr.store import Database, events, lines, optouts
from ivr.store.tables import contacts
from ivr.survey.disposition import CallReport
from ivr.telephony.carrier import CallRequest


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def _fail(error: Exception):
    def before(request: CallRequest) -> None:
        raise error

    return before


def test_request_carries_the_attempt_and_nothing_of_the_person(world: World) -> None:
    world.person(world.cell(), "+31612345678")
    (id,) = world.plan()
    assert world.dial(id) == "placed"
    (request,) = world.carrier.requests
    assert request.to == "+31612345678"
    assert request.from_ == "+31850000000"
    assert request.voice_url == f"http://127.0.0.1:8000/voice/{id}/0"
    assert all("612345678" not in url for url in (request.voice_url, request.status_url, request.fallback_url))
    assert request.machine_url is None
    attempt = world.attempt(id)
    assert (attempt.state, attempt.call_sid) == ("placed", "CA" + f"{1:032x}")


def test_dial_job_that_is_delivered_twice_calls_once(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    assert [world.dial(id), world.dial(id), world.dial(id)] == ["placed", "not_ours", "not_ours"]
    assert len(world.carrier.requests) == 1


def test_intent_is_committed_before_the_carrier_is_asked(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    seen: list[str] = []
    world.carrier.before = lambda request: seen.append(world.attempt(id).state)
    world.dial(id)
    assert seen == ["dialing"]


def test_worker_killed_right_after_its_intent_leaves_an_attempt_that_nobody_dials(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    world.carrier.before = _fail(KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        world.dial(id)
    world.carrier.before = None
    assert world.dial(id) == "not_ours"
    assert world.plan() == []
    assert world.carrier.requests == []


def test_call_whose_window_has_closed_is_not_made_and_costs_no_attempt(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.clock.forward(hours=12)
    assert world.dial(id) == "void"
    assert world.carrier.requests == []
    assert world.attempt(id).state == "void"
    assert (world.case(case).attempts, world.case(case).is_busy) == (0, False)
    assert world.cell_row(cell).in_flight == 0


def test_opt_out_is_looked_at_again_right_before_dialling(world: World) -> None:
    cell = world.cell()
    case = world.person(cell, "+31612345678")
    (id,) = world.plan()
    with world.database.write() as session:
        optouts.add(session, world.sealer.hash("phone", "+31612345678"), "web", world.clock.now())
    assert world.dial(id) == "void"
    assert world.carrier.requests == []
    assert world.case(case).is_final
    assert world.cell_row(cell).in_flight == 0


def test_answer_by_post_between_plan_and_dial_stops_the_call(world: World) -> None:
    case = world.person(world.cell())
    (id,) = world.plan()
    world.interview(case, mode="post")
    assert world.dial(id) == "void"
    assert world.case(case).disposition == "answered_elsewhere"


def test_cell_that_is_paused_meanwhile_is_not_dialled_and_goes_on_later(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    (id,) = world.plan()
    monitoring.pause(world.database, cell, world.clock.now(), who="test")
    assert world.dial(id) == "void"
    monitoring.resume(world.database, cell, world.clock.now(), who="test")
    assert len(world.plan()) == 1


def test_refused_request_is_certainly_no_call(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierError("no", status=400, carrier_code=21216))
    assert world.dial(id) == "void"
    assert world.attempt(id).state == "void"
    assert world.cell_row(cell).in_flight == 0
    assert world.case(case).attempts == 0
    assert world.plan() == [], "the same refusal is not asked for again at once"
    world.clock.forward(minutes=31)
    assert len(world.plan()) == 1


def test_busy_carrier_backs_the_line_off_and_spends_no_attempt(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierBusyError("429", status=429, carrier_code=20429))
    assert world.dial(id) == "void"
    assert world.plan() == []
    with world.database.read() as session:
        line = lines.get(session, "default", world.clock.now())
    assert not line.is_down
    assert line.not_before is not None
    assert timedelta(seconds=1) < line.not_before - MONDAY < timedelta(seconds=3)
    world.carrier.before = None
    world.clock.moment = line.not_before
    (again,) = world.plan()
    assert world.dial(again) == "placed"
    assert world.case(case).dialled == 2
    with world.database.read() as session:
        assert lines.get(session, "default", world.clock.now()).failures == 0


def test_back_off_grows_and_stays_bounded(world: World) -> None:
    world.person(world.cell())
    world.carrier.before = _fail(CarrierUnreachableError("down"))
    pauses: list[float] = []
    for _ in range(12):
        if not world.calendar.is_open(world.clock.now()):
            world.clock.moment = world.calendar.next_open(world.clock.now())
        (id,) = world.plan()
        assert world.dial(id) == "void"
        with world.database.read() as session:
            line = lines.get(session, "default", world.clock.now())
        assert line.is_down
        assert line.not_before is not None
        pauses.append((line.not_before - world.clock.now()).total_seconds())
        world.clock.moment = line.not_before
    assert pauses[0] < pauses[3] < pauses[6]
    assert max(pauses) <= 300 * 1.25


def test_line_that_is_down_is_visible_and_goes_up_by_itself(world: World) -> None:
    world.people(world.cell(), 2)
    world.carrier.before = _fail(CarrierUnreachableError("down"))
    for id in world.plan():
        world.dial(id)
    status = monitoring.status(world.database, world.catalogue, world.calendar, world.clock.now())
    assert status["line"] == "down"
    world.carrier.before = None
    world.clock.forward(minutes=6)
    world.call()
    status = monitoring.status(world.database, world.catalogue, world.calendar, world.clock.now())
    assert status["line"] == "up"


def test_impossible_number_is_final_for_the_number_and_the_other_is_tried(world: World) -> None:
    case = world.person(world.cell(), "+31611111111", "+31622222222")
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierError("bad number", status=400, carrier_code=21211))
    assert world.dial(id) == "refused"
    assert not world.case(case).is_final
    world.carrier.before = None
    world.clock.moment = world.case(case).next_call_at
    world.call()
    assert [request.to for request in world.carrier.requests] == ["+31622222222"]


def test_impossible_number_without_another_ends_the_case(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierError("bad number", status=400, carrier_code=21217))
    world.dial(id)
    assert (world.case(case).disposition, world.case(case).is_final) == ("not_in_service", True)
    assert world.cell_row(cell).in_flight == 0


def test_fault_of_the_account_takes_the_line_down_and_blames_no_number(world: World) -> None:
    case = world.person(world.cell())
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierError("From not verified", status=400, carrier_code=21210))
    assert world.dial(id) == "void"
    assert not world.case(case).is_final
    with world.database.read() as session:
        assert lines.get(session, "default", world.clock.now()).is_down


def test_time_out_leaves_the_attempt_dialing_and_nobody_repeats_it(world: World) -> None:
    cell = world.cell()
    world.person(cell)
    (id,) = world.plan()
    world.carrier.before = _fail(CarrierUnknownError("time-out"))
    assert world.dial(id) == "unknown"
    assert world.attempt(id).state == "dialing"
    assert world.cell_row(cell).in_flight == 1
    world.clock.forward(seconds=10)
    assert world.plan() == []
    assert world.dial(id) == "not_ours"


def test_webhook_before_the_answer_of_the_carrier_is_no_problem(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()

    def whole_call(request: CallRequest, report: CallReport) -> None:
        for number, status in enumerate(("in-progress", "completed")):
            earlier = replace(report, status=status, sequence_number=number)
            closing.note_status(world.database, world.catalogue, world.calendar, id, earlier, world.clock.now())

    world.carrier.after = whole_call
    assert world.dial(id) == "placed"
    assert world.attempt(id).state == "closed"


def test_erased_contact_is_not_called_and_holds_up_nobody(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    (id,) = world.plan()
    with world.database.write() as session:
        session.execute(sa.delete(contacts))
    assert world.dial(id) == "void"
    assert world.case(case).next_call_at is None
    assert world.cell_row(cell).in_flight == 0


def test_dial_waits_for_its_pace(world: World) -> None:
    world.person(world.cell())
    (id,) = world.plan()
    with world.database.write() as session:
        session.exec_driver_sql("UPDATE attempts SET not_before = '2026-09-14 08:00:07.000000'")
    world.dial(id)
    assert world.clock.now() == MONDAY + timedelta(seconds=7)


def test_jobs_that_had_to_wait_are_dialled_at_the_accounts_pace_and_not_all_at_once(world: World) -> None:
    world.people(world.cell(), 4)
    world.trunk = replace(world.trunk, pause_seconds=0.5)
    ids = world.plan()
    world.clock.forward(minutes=1)
    began = world.clock.now()
    assert [world.dial(id) for id in ids] == ["placed"] * 4
    placed = [at - began for _, at in world.carrier.to.values()]
    assert placed == [timedelta(seconds=pause) for pause in (0, 0.5, 1, 1.5)]


def test_window_that_closes_while_a_call_waits_for_its_turn_costs_no_attempt(world: World) -> None:
    world.people(world.cell(), 2)
    world.trunk = replace(world.trunk, pause_seconds=60)
    first, second = world.plan()
    world.clock.moment = world.calendar.window_end(MONDAY) - timedelta(seconds=30)
    assert [world.dial(first), world.dial(second)] == ["placed", "void"]
    assert world.attempt(second).rang is False


def test_life_of_an_attempt_is_kept_without_the_person(world: World) -> None:
    world.person(world.cell(), "+31612345678")
    id = world.call()
    world.status(id, "no-answer")
    with world.database.read() as session:
        kinds = [event["kind"] for event in events.of_attempt(session, id)]
    assert kinds == ["planned", "dialing", "placed", "status", "closed"]
    assert "612345678" not in str(lives.life_of(world.database, id))
