"""What a person may ask: seen whole, erased whole, and nobody else's with it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from fieldwork_world import MONDAY, World

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork import erasing, handling, retention
from ivr.fieldwork.erasing import Asked
from ivr.store import Database, audits, interviews, ledger, optouts, quotas
from ivr.store.tables import (
    attempts,
    audit,
    case_phones,
    cells,
    contacts,
    orders,
    responses,
    samples,
    turns,
)
from ivr.store.tables import interviews as interview_table
from ivr.survey.turn import Answer

NUMBER = "+31612345678"


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def answered(world: World, case_id: int) -> str:
    """A usable interview of this person that counted."""
    interview = world.interview(case_id)
    with world.database.write() as session:
        interviews.record(session, interview, [Answer("Q1", "altijd")], mode="telephone", now=MONDAY)
        assert quotas.spend(session, "", interview, MONDAY)
    world.set_case(case_id, disposition="complete", is_final=True, next_call_at=None)
    return interview


def erase(world: World, asked: Asked, **options: bool) -> erasing.Erased:
    return erasing.erase(
        world.database, world.catalogue, world.sealer, asked, world.clock.now(), who="test", reason="letter", **options
    )


def rows(world: World, table: sa.Table) -> int:
    with world.database.read() as session:
        return session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def purchased(world: World) -> int:
    cell = world.cell(target=2, track="purchased")
    with world.database.write() as session:
        session.execute(sa.update(orders).values(price=Decimal("10.00"), interviews=2))
    return cell


def test_export_tells_all_that_is_held(world: World) -> None:
    cell = world.cell()
    person = world.person(cell, NUMBER)
    attempt = world.call()
    world.status(attempt, "no-answer")
    answered(world, person)
    document = erasing.export(world.database, world.sealer, Asked(NUMBER), MONDAY, who="test")
    (case,) = document["cases"]
    assert case["contact"]["phones"] == [NUMBER]
    assert [call["outcome"] for call in case["calls"]] == ["no_answer"]
    assert case["interviews"][0]["answers"][0]["value"] == "altijd"
    assert case["never_called_since"] is None
    with world.database.read() as session:
        row = session.execute(sa.select(audit)).one()
    assert row.what == "person_export"
    assert NUMBER not in str(row)


def test_export_is_json(world: World) -> None:
    from scripts.output import _plain

    world.person(world.cell(), NUMBER)
    document = erasing.export(world.database, world.sealer, Asked(NUMBER), MONDAY, who="test")
    assert json.loads(json.dumps(document, default=_plain))["cases"]


def test_withdrawal_frees_the_slot_and_takes_the_ledger_line_back(world: World) -> None:
    cell = purchased(world)
    person, other, waiting = world.person(cell, NUMBER), world.person(cell), world.person(cell)
    interview = answered(world, person)
    answered(world, other)
    world.set_case(waiting, disposition="quota_full", is_final=True, next_call_at=None)
    done = erase(world, Asked(NUMBER))
    assert (done.cases, done.contacts, done.interviews, done.slots, done.lines) == (1, 1, 1, 1, 1)
    assert world.cell_row(cell).successful == 1
    assert world.case(person).disposition == "withdrawn"
    assert world.case(waiting).disposition == "fresh"
    with world.database.read() as session:
        lines = ledger.lines(session)
        assert session.execute(sa.select(responses).where(responses.c.interview_id == interview)).first() is None
    assert sum(line.price for line in lines) == Decimal("10.00")
    assert len(world.plan()) == 1, "the place that came free goes to who was not needed"
    with pytest.raises(NotFoundError):
        erase(world, Asked(NUMBER))


def test_a_closed_cell_calls_nobody_after_a_withdrawal(world: World) -> None:
    cell = purchased(world)
    person, waiting = world.person(cell, NUMBER), world.person(cell)
    answered(world, person)
    world.set_case(waiting, disposition="quota_full", is_final=True, next_call_at=None)
    world.set_cell(cell, state="closed")
    erase(world, Asked(NUMBER))
    assert world.case(waiting).is_final
    assert world.plan() == []


def test_nothing_of_the_person_is_left(world: World) -> None:
    person = world.person(world.cell(), NUMBER, name_hash="n", email_hash="e", fingerprint="f", postcode4="9711")
    attempt = world.call()
    world.status(attempt, "no-answer")
    with world.database.write() as session:
        session.execute(sa.insert(turns).values(attempt_id=attempt, turn=0, signal="begin", reply={}, at=MONDAY))
        session.execute(sa.update(attempts).values(dialogue={"answers": {"Q1": "altijd"}}))
    answered(world, person)
    world.clock.forward(days=3)
    erase(world, Asked(NUMBER))
    assert [rows(world, table) for table in (contacts, case_phones, turns, responses, interview_table)] == [0] * 5
    row, call = world.case(person), world.attempt(attempt)
    assert (row.name_hash, row.email_hash, row.fingerprint, row.postcode4) == (None,) * 4
    assert (call.dialogue, call.phone_hash, call.interview_id) == (None, None, None)
    assert call.outcome == "no_answer", "what the call came to stays, as a count"


ILL = "Ligt in het ziekenhuis, zegt haar dochter."


def noted(world: World, case_id: int) -> None:
    """Staff say of this person, in their own words, why nobody calls any more."""
    handling.set_mark(world.database, case_id, "in_hospital", who="f@example.org", reason=ILL, now=MONDAY)


def log_of(world: World, case_id: int) -> tuple[str, dict, str]:
    with world.database.read() as session:
        (line,) = audits.audit_lines(session, subject=f"case {case_id}")
    assert (line.who, line.at) == ("f@example.org", MONDAY), "who did it, and when, stays"
    return line.what, dict(line.details), line.reason


@pytest.mark.parametrize("contact_only", [False, True])
def test_what_staff_wrote_about_an_erased_person_is_gone(world: World, contact_only: bool) -> None:
    cell = world.cell()
    erased, other = world.person(cell, NUMBER), world.person(cell, "+31612345679")
    for person in (erased, other):
        noted(world, person)
    erase(world, Asked(NUMBER), contact_only=contact_only)
    assert log_of(world, erased) == ("case_mark", {"cell": cell}, ""), "also the mark itself says something of them"
    what, details, reason = log_of(world, other)
    assert (what, details["after"], reason) == ("case_mark", "in_hospital", ILL), "what is said of others stays"
    seen = handling.standing(world.database, world.catalogue, world.sealer, erased, MONDAY, consent_only=False)
    assert seen.slip is None, "there is nothing to take back"


def test_what_staff_wrote_goes_with_the_contact_when_its_time_is_over(world: World) -> None:
    person = world.person(world.cell(), NUMBER)
    noted(world, person)
    assert erased_after(world, days=90) == 1
    what, details, reason = log_of(world, person)
    assert (what, reason, "after" in details) == ("case_mark", "", False)


def test_a_housemate_is_neither_shown_nor_erased(world: World) -> None:
    cell = world.cell()
    mine = world.person(cell, NUMBER, respondent="A1", name_hash="a")
    theirs = world.person(cell, NUMBER, respondent="B2", name_hash="b")
    answered(world, theirs)
    with pytest.raises(RefusedError, match="A1") as refusal:
        erasing.export(world.database, world.sealer, Asked(NUMBER), MONDAY, who="test")
    assert refusal.value.code == "several_people"
    with world.database.read() as session:
        provider = erasing.find(session, world.sealer, Asked(NUMBER), everybody=True)[0].provider
    assert erase(world, Asked(provider=provider, client="A1")).contacts == 1
    assert world.case(mine).disposition == "withdrawn"
    assert world.case(theirs).disposition == "complete"
    assert rows(world, contacts) == 1


def test_a_call_that_runs_is_not_pulled_from_under_somebody(world: World) -> None:
    world.person(world.cell(), NUMBER)
    world.call()
    with pytest.raises(RefusedError, match="minutes"):
        erase(world, Asked(NUMBER))


def test_opt_out_outlives_the_person(world: World) -> None:
    world.person(world.cell(), NUMBER)
    assert erase(world, Asked(NUMBER), opt_out=True).opted_out == 1
    with world.database.read() as session:
        assert optouts.any_opted_out(session, [world.sealer.hash("phone", NUMBER)])


def test_contact_only_keeps_the_answers(world: World) -> None:
    cell = purchased(world)
    person = world.person(cell, NUMBER)
    answered(world, person)
    done = erase(world, Asked(NUMBER), contact_only=True)
    assert (done.contacts, done.interviews, done.lines) == (1, 0, 0)
    assert world.case(person).disposition == "complete"
    assert rows(world, responses) == 1


@pytest.mark.parametrize("asked", [Asked(), Asked("nobody"), Asked(NUMBER, provider="P"), Asked(provider="P")])
def test_who_is_meant_must_be_said(world: World, asked: Asked) -> None:
    with pytest.raises(UsageError):
        erase(world, asked)


def erased_after(world: World, **span: float) -> int:
    return retention.erase_due(world.database, world.catalogue, MONDAY + timedelta(**span))


def test_contacts_go_ninety_days_after_the_last_thing_that_happened(world: World) -> None:
    person = world.person(world.cell(), NUMBER)
    world.status(world.call(), "no-answer")
    answered(world, person)
    assert erased_after(world, days=89) == 0
    assert erased_after(world, days=90) == 1
    assert rows(world, contacts) == 0
    assert rows(world, responses) == 1
    assert world.case(person).disposition == "complete"


def test_contacts_stay_through_hoor_en_wederhoor(world: World) -> None:
    world.person(world.cell(), NUMBER, disposition="refusal", is_final=True, next_call_at=None)
    with world.database.write() as session:
        session.execute(sa.update(samples).values(reported_on=(MONDAY + timedelta(days=80)).date()))
    assert erased_after(world, days=101) == 0
    assert erased_after(world, days=102) == 1


def test_contacts_stay_while_somebody_can_be_called(world: World) -> None:
    world.person(world.cell(), NUMBER, consent="ja")
    assert erased_after(world, days=300) == 0
    with world.database.write() as session:
        session.execute(sa.update(cells).values(state="closed"))
    assert erased_after(world, days=300) == 1


def test_a_list_that_waits_for_its_letters_is_kept_for_a_year(world: World) -> None:
    world.person(world.cell(), NUMBER, announced_on=None, next_call_at=None)
    assert erased_after(world, days=364) == 0
    assert erased_after(world, days=365) == 1


def test_the_day_of_a_report_can_be_told(world: World) -> None:
    world.person(world.cell(), NUMBER)
    with world.database.read() as session:
        one = erasing.find(session, world.sealer, Asked(NUMBER))[0]
    period = (one.period_from, one.period_to)
    retention.report_is_out(world.database, one.provider, period, date(2026, 12, 1), MONDAY, who="test")
    with world.database.read() as session:
        assert session.execute(sa.select(samples.c.reported_on)).scalar_one() == date(2026, 12, 1)


def test_no_byte_of_what_was_erased_stays_in_the_files_of_sqlite(sqlite_database: Database) -> None:
    world = World(sqlite_database)
    person = world.person(world.cell(), NUMBER, name_hash="hash-of-a-name", postcode4="9711")
    interview = answered(world, person).encode()
    hashed = world.sealer.hash("phone", NUMBER).encode()
    path = Path(str(sqlite_database.engine.url.database))

    def held(mark: bytes) -> bool:
        return any(mark in file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())

    marks = (interview, hashed, b"hash-of-a-name")
    assert all(held(mark) for mark in marks)
    world.clock.forward(days=3)
    erase(world, Asked(NUMBER))
    assert not any(held(mark) for mark in marks)
