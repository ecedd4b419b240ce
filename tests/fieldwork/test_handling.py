"""What staff do about one person: legal, with a reason, written down without saying who, and never into a call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fieldwork_world import World
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork import handling
from ivr.fieldwork.handling import Standing
from ivr.store import Database, tables
from ivr.survey import marks
from ivr.survey.disposition import ALL, BY_STAFF, DECLINED, DONE, GIVEN_UP, is_legal

WHO = "veldwerk@bureau.example"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def seen(world: World, case_id: int) -> Standing:
    now = world.clock.now()
    return handling.standing(world.database, world.catalogue, world.sealer, case_id, now, consent_only=False)


def mark(world: World, case_id: int, code: str, reason: str = "gebeld door de begeleider") -> None:
    handling.set_mark(world.database, case_id, code, who=WHO, reason=reason, now=world.clock.now())


def once_more(world: World, case_id: int) -> None:
    handling.call_once_more(
        world.database,
        world.catalogue,
        world.calendar,
        case_id,
        who=WHO,
        reason="vroeg er zelf om",
        now=world.clock.now(),
        consent_only=False,
    )


def take_back(world: World, case_id: int) -> None:
    handling.take_back(world.database, case_id, who=WHO, reason="verkeerde persoon", now=world.clock.now())


def row(world: World, case_id: int) -> dict[str, Any]:
    return dict(world.case(case_id)._mapping)


def go_to(world: World, moment: datetime) -> None:
    world.clock.forward(seconds=(moment - world.clock.now()).total_seconds())


def morning(world: World) -> None:
    """Forward to when calls may be made."""
    go_to(world, world.calendar.next_open(world.clock.now()))


def audit(world: World) -> list[Any]:
    with world.database.read() as session:
        return list(session.execute(sa.select(tables.audit).order_by(tables.audit.c.id)))


# --- the rules --------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(ALL)))
def test_staff_set_nothing_that_the_table_of_changes_forbids(before: str) -> None:
    assert all(is_legal(before, code) and code != before for code in marks.marks_for(before))
    assert set(marks.MARKS) == BY_STAFF | DECLINED


@given(st.sampled_from(sorted(ALL)), st.lists(st.sampled_from(sorted(ALL)), max_size=4))
def test_nobody_who_declined_or_was_interviewed_is_called_once_more(before: str, outcomes: list[str]) -> None:
    after = marks.standing_for_a_call(before, outcomes)
    assert after is None or is_legal(before, after)
    if before in DONE | DECLINED | {"opted_out", "withdrawn"}:
        assert after is None
    if before in GIVEN_UP:
        assert after is not None


# --- what happens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", marks.MARKS)
def test_whoever_is_marked_is_called_no_more(world: World, code: str) -> None:
    case_id = world.person(world.cell())
    mark(world, case_id, code)
    after = row(world, case_id)
    assert (after["disposition"], after["is_final"], after["next_call_at"]) == (code, True, None)
    assert world.plan() == []
    (line,) = audit(world)
    assert (line.who, line.what, line.subject) == (WHO, "case_mark", f"case {case_id}")
    assert (line.details["before"], line.details["after"]) == ("fresh", code)


def test_never_again_holds_for_every_list_with_that_number(world: World) -> None:
    first, second = world.cell(), world.cell()
    one = world.person(first, "+31611111111")
    other = world.person(second, "+31611111111")
    mark(world, one, "never_call_again")
    assert row(world, one)["disposition"] == "never_call_again"
    assert (row(world, other)["disposition"], row(world, other)["is_final"]) == ("opted_out", True)
    with world.database.read() as session:
        assert session.execute(sa.select(tables.opt_outs.c.source)).scalar_one() == "staff"
    with pytest.raises(RefusedError):
        take_back(world, one)


def test_a_call_that_waits_for_its_turn_is_not_made_and_one_that_runs_is_left_alone(world: World) -> None:
    cell = world.cell()
    world.people(cell, 2)
    waiting, running = world.plan()
    world.dial(running)
    called, not_yet = (world.attempt(id).case_id for id in (running, waiting))
    with pytest.raises(RefusedError) as refused:
        mark(world, called, "ill")
    assert refused.value.code == "in_call"
    assert row(world, called)["disposition"] == "fresh"
    mark(world, not_yet, "ill")
    world.dial(waiting)
    assert world.attempt(waiting).state == "void"
    assert world.attempt(running).state == "placed"
    assert not row(world, not_yet)["is_busy"]


def test_a_person_who_was_given_up_is_called_once_and_then_given_up_again(world: World) -> None:
    case_id = world.person(world.cell())
    for _ in range(6):
        world.set_case(case_id, next_call_at=world.clock.now())
        world.status(world.call(), "no-answer")
        world.clock.forward(hours=26)
        morning(world)
    assert row(world, case_id)["disposition"] == "attempts_used_up"
    assert seen(world, case_id).again is None
    once_more(world, case_id)
    after = row(world, case_id)
    assert (after["disposition"], after["is_final"]) == ("no_answer", False)
    go_to(world, after["next_call_at"])
    world.status(world.call(), "no-answer")
    after = row(world, case_id)
    assert (after["disposition"], after["is_final"], after["dialled"]) == ("attempts_used_up", True, 7)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"disposition": "refusal", "is_final": True, "next_call_at": None}, "refused"),
        ({"disposition": "complete", "is_final": True, "next_call_at": None}, "refused"),
        ({"disposition": "attempts_used_up", "is_final": True, "consent": "nee"}, "no_consent"),
        ({"disposition": "attempts_used_up", "is_final": True, "consent": None, "announced_on": None}, "not_announced"),
        ({"disposition": "attempts_used_up", "is_final": True, "exclusion": "duplicate"}, "excluded"),
        ({"priority": 2}, "is_due"),
    ],
)
def test_a_further_call_is_refused_with_the_reason(world: World, values: dict[str, Any], code: str) -> None:
    case_id = world.person(world.cell())
    world.set_case(case_id, **values)
    assert seen(world, case_id).again == code
    before = row(world, case_id)
    with pytest.raises(RefusedError) as refused:
        once_more(world, case_id)
    assert refused.value.code == code
    assert row(world, case_id) == before
    assert audit(world) == []


def test_a_full_or_closed_cell_calls_nobody_once_more(world: World) -> None:
    cell = world.cell()
    case_id = world.person(cell)
    world.set_case(case_id, disposition="quota_full", is_final=True, next_call_at=None)
    for values, code in (({"successful": 25}, "cell_filled"), ({"successful": 0, "state": "closed"}, "cell_closed")):
        world.set_cell(cell, **values)
        assert seen(world, case_id).again == code


def test_a_slip_is_taken_back_and_nothing_is_left_of_it_but_the_log(world: World) -> None:
    case_id = world.person(world.cell())
    before = row(world, case_id)
    mark(world, case_id, "deceased")
    assert seen(world, case_id).slip is not None
    take_back(world, case_id)
    assert row(world, case_id) == before
    assert [line.what for line in audit(world)] == ["case_mark", "case_back"]
    assert seen(world, case_id).slip is None, "what was taken back is not taken back again"
    assert world.plan() != []


def test_a_slip_stays_when_it_is_old_or_something_happened_since(world: World) -> None:
    case_id = world.person(world.cell())
    mark(world, case_id, "ill")
    world.clock.forward(hours=25)
    with pytest.raises(RefusedError) as refused:
        take_back(world, case_id)
    assert refused.value.code == "too_late"
    other = world.person(world.cell())
    world.set_case(other, disposition="attempts_used_up", is_final=True, next_call_at=None)
    morning(world)
    once_more(world, other)
    world.clock.forward(seconds=1)
    world.status(world.call(), "busy")
    assert seen(world, other).slip is None


def test_without_a_reason_or_with_an_unknown_mark_nothing_happens(world: World) -> None:
    case_id = world.person(world.cell())
    for code, reason in (("ill", "  "), ("complete", "x"), ("", "x")):
        with pytest.raises(UsageError):
            mark(world, case_id, code, reason)
    with pytest.raises(NotFoundError):
        mark(world, 999, "ill")
    assert audit(world) == []


def test_a_number_in_a_reason_is_masked(world: World) -> None:
    case_id = world.person(world.cell())
    mark(world, case_id, "moved", "belde van 06 12345678")
    assert "12345678" not in audit(world)[0].reason


def test_what_was_done_at_night_waits_for_the_morning(world: World) -> None:
    case_id = world.person(world.cell())
    world.set_case(case_id, disposition="attempts_used_up", is_final=True, next_call_at=None)
    world.clock.forward(hours=14)
    assert not world.calendar.is_open(world.clock.now())
    once_more(world, case_id)
    moment = row(world, case_id)["next_call_at"]
    assert moment - world.clock.now() > timedelta(hours=1)
    assert world.calendar.is_open(moment)
