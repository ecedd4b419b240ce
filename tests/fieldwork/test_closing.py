"""What an ended call means: for the attempt, the case, the slot, the cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fieldwork_world import MONDAY, World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.fieldwork import closing, interviewing, planning
from ivr.store import Database, attempts, quotas
from ivr.survey import interview as engine
from ivr.survey.disposition import CallReport
from ivr.survey.turn import Keypress, Silence


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def keys(world: World, id: str, *pressed: str) -> None:
    """The person's keys in a call, from the first webhook on; "" is silence."""
    sid = world.attempt(id).call_sid
    for turn, key in enumerate(("begin", *pressed)):
        signal = Silence() if key in {"begin", ""} else Keypress(key)
        interviewing.answer(world.database, world.catalogue, world.calendar, id, turn, signal, sid, world.clock.now())


@pytest.mark.parametrize(
    ("status", "details", "outcome", "attempts_used", "minutes"),
    [
        ("no-answer", {}, "no_answer", 1, 180),
        ("busy", {}, "busy", 1, 30),
        ("canceled", {}, "technical", 0, 30),
        ("failed", {"error_code": 11200}, "technical", 0, 30),
        ("completed", {"answered_by": "machine_start"}, "answering_machine", 1, 180),
        ("completed", {}, "technical", 0, 30),
    ],
)
def test_ending_gives_its_outcome_and_delay(
    world: World, status: str, details: dict[str, object], outcome: str, attempts_used: int, minutes: int
) -> None:
    cell = world.cell()
    case = world.person(cell)
    id = world.call()
    world.status(id, status, **details)
    row = world.case(case)
    assert world.attempt(id).outcome == outcome
    assert world.attempt(id).state == "closed"
    assert (row.disposition, row.attempts, row.is_final, row.is_busy) == (outcome, attempts_used, False, False)
    assert row.next_call_at >= MONDAY + timedelta(minutes=minutes)
    assert world.calendar.is_open(row.next_call_at)
    assert world.cell_row(cell).in_flight == 0


def test_number_out_of_service_ends_the_case(world: World) -> None:
    case = world.person(world.cell())
    world.status(world.call(), "failed")
    assert (world.case(case).disposition, world.case(case).is_final) == ("not_in_service", True)


def test_final_state_never_goes_back(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    world.status(id, "busy", sequence_number=3)
    before = world.attempt(id)
    for status in ("ringing", "in-progress", "completed", "no-answer"):
        world.status(id, status, sequence_number=9)
    assert world.attempt(id) == before


def test_older_status_is_remembered_and_changes_nothing(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    world.status(id, "in-progress", sequence_number=2)
    world.status(id, "ringing", sequence_number=1)
    assert world.attempt(id).call_status == "in-progress"
    with world.database.read() as session:
        assert attempts.history(session, world.case_of(id)) == []


def test_machine_verdict_is_not_overwritten(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    world.status(id, "in-progress", answered_by="machine_start")
    world.status(id, "completed", answered_by="human")
    assert world.attempt(id).answered_by == "machine_start"
    assert world.attempt(id).outcome == "answering_machine"


def test_late_machine_verdict_corrects_a_call_without_keys(world: World) -> None:
    case = world.person(world.cell())
    id = world.call()
    keys(world, id)
    world.status(id, "completed")
    assert world.attempt(id).outcome in {"hung_up_introduction", "no_interaction"}
    world.status(id, "completed", answered_by="machine_end_beep")
    assert world.attempt(id).outcome == "answering_machine"
    assert world.case(case).disposition == "answering_machine"


def test_key_press_proves_a_person_whatever_the_machine_detection_says(world: World) -> None:
    case = world.person(world.cell())
    id = world.call()
    keys(world, id, "3", "1")
    world.status(id, "completed", answered_by="machine_start")
    assert (world.case(case).disposition, world.case(case).is_final) == ("refusal", True)


def test_status_of_another_call_is_not_believed(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    world.carrier.set(world.attempt(id).call_sid)
    closing.note_status(
        world.database, world.catalogue, world.calendar, id, CallReport("CA" + "e" * 32, "completed"), world.clock.now()
    )
    assert world.attempt(id).state == "placed"


def test_refusal_is_never_overwritten_by_attempts_used_up(world: World) -> None:
    case = world.person(world.cell())
    id = world.call()
    keys(world, id, "3", "1")
    world.status(id, "completed")
    world.set_case(case, attempts=6)
    planning.sweep(world.database, world.catalogue, world.clock.now() + timedelta(days=90))
    assert world.case(case).disposition == "refusal"


def test_somebody_never_reached_is_given_up_after_six_attempts_over_evening_and_saturday(world: World) -> None:
    case = world.person(world.cell(), consent="ja")
    parts: list[str] = []
    for _ in range(6):
        world.clock.moment = world.case(case).next_call_at
        parts.append(world.calendar.day_part(world.clock.now()))
        world.status(world.call(), "no-answer")
    row = world.case(case)
    assert (row.disposition, row.is_final, row.attempts, row.next_call_at) == ("attempts_used_up", True, 6, None)
    assert {"avond", "zaterdag"} <= set(parts)


def test_hung_up_in_the_introduction_is_tried_once_more_on_another_day(world: World) -> None:
    case = world.person(world.cell())
    for number in range(2):
        began = world.clock.now()
        id = world.call()
        keys(world, id, "1")
        world.status(id, "completed")
        if number == 0:
            assert world.attempt(id).outcome == "hung_up_introduction"
            assert world.case(case).next_call_at.date() > began.date()
            world.clock.moment = world.case(case).next_call_at
    assert (world.case(case).disposition, world.case(case).is_final) == ("hung_up_introduction", True)


def test_appointment_is_planned_first_and_at_the_wished_time(world: World) -> None:
    cell = world.cell()
    case = world.person(cell)
    id = world.call()
    keys(world, id, "2", "2", "3", "1")  # later: tomorrow, in the evening, yes
    world.status(id, "completed")
    row = world.case(case)
    assert (row.disposition, row.priority) == ("appointment", 0)
    assert row.next_call_at == MONDAY.replace(hour=16) + timedelta(days=1)


def test_spent_slot_is_not_released_a_second_time(world: World) -> None:
    cell = world.cell(target=2)
    case = world.person(cell)
    id = world.call()
    interview = world.interview(case)
    with world.database.write() as session:
        attempts.note(session, id, interview_id=interview)
        assert quotas.spend(session, id, interview, world.clock.now())
        assert not quotas.spend(session, id, interview, world.clock.now())
    world.status(id, "completed")
    assert (world.cell_row(cell).successful, world.cell_row(cell).in_flight) == (1, 0)


def test_last_success_ends_everybody_else_of_the_cell(world: World) -> None:
    cell = world.cell(target=1)
    others = world.people(cell, 2)
    id = world.call()
    case = world.case_of(id)
    interview = world.interview(case)
    with world.database.write() as session:
        attempts.note(session, id, interview_id=interview)
        quotas.spend(session, id, interview, world.clock.now())
    assert world.plan() == []
    assert {world.case(other).disposition for other in others if other != case} == {"fresh"}
    world.status(id, "completed")
    assert {world.case(other).disposition for other in others if other != case} == {"quota_full"}


def test_person_on_a_shared_number_who_took_part_is_done_and_the_other_is_not(world: World) -> None:
    cell = world.cell()
    rung = world.person(cell, "+31611111111")
    taker = world.person(cell, "+31611111111")
    (id,) = world.plan()
    assert world.case_of(id) == rung
    world.dial(id)
    keys(world, id)
    interview = world.interview(taker)
    with world.database.write() as session:
        attempts.note(session, id, interview_id=interview)
        quotas.spend(session, id, interview, world.clock.now())
        state = engine.load(attempts.get(session, id).dialogue)
        attempts.note(session, id, dialogue=engine.dump(replace(state, outcome="complete", step="over")))
    world.status(id, "completed")
    assert (world.case(taker).disposition, world.case(taker).is_final) == ("complete", True)
    assert not world.case(rung).is_final


REPORTS = st.lists(
    st.tuples(
        st.sampled_from(["queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed"]),
        st.one_of(st.none(), st.integers(0, 5)),
        st.sampled_from([None, "human", "machine_start", "unknown"]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS)
def test_whatever_statuses_come_the_first_ending_stands_and_the_slot_is_given_back_once(
    world: World, reports: list[tuple[str, int | None, str | None]]
) -> None:
    cell = world.cell()
    world.person(cell)
    id = world.call()
    ended_as: str | None = None
    for status, number, verdict in reports:
        world.status(id, status, sequence_number=number, answered_by=verdict)
        row = world.attempt(id)
        if ended_as is not None:
            assert row.state == "closed"
            assert row.call_status == ended_as
        elif row.state == "closed":
            ended_as = row.call_status
        assert world.cell_row(cell).in_flight == (0 if row.state == "closed" else 1)
    world.status(id, "no-answer")
    assert world.attempt(id).state == "closed"
    assert world.cell_row(cell).in_flight == 0


@pytest.mark.parametrize(("ahead", "counts_from"), [(-5, 0), (25, 25), (90_000, 0)])
def test_the_spacing_begins_when_the_carrier_says_the_telephone_fell_silent(
    world: World, ahead: int, counts_from: int
) -> None:
    """The clock may have been read before the call ended: by a slow tick, or because it was set back since."""
    case = world.person(world.cell())
    id, now = world.call(), world.clock.now()
    world.status(id, "no-answer", at=now + timedelta(seconds=ahead))
    ended = now + timedelta(seconds=counts_from)
    assert world.attempt(id).ended_at == ended
    assert world.case(case).next_call_at >= ended + timedelta(hours=3)
