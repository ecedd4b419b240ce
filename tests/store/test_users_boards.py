"""What the pages read, counted on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from ivr.fieldwork.working import bounds_at
from ivr.store import Database, boards, cell_figures, headcount, people, steering
from ivr.store.tables import attempts, cases, cells, interviews, lines, responses
from ivr.survey.fieldwork_rules import FieldworkRules
from ivr.survey.forecast import Progress
from tests.web.page_house import MIDDAY, add_cell, fill_with, open_house

HOUR = timedelta(hours=1)


def test_the_board_counts_the_people_of_each_cell(database: Database, rules: FieldworkRules) -> None:
    fill_with(database, 3, 16)
    with database.read() as session:
        rows = boards.cell_rows(session, MIDDAY, bounds_at(rules, MIDDAY, consent_only=False))
    assert [row.id for row in rows] == [1, 2, 3]
    for row in rows:
        assert sum(row.cases.values()) == 16
        assert row.cases["refusal"] == 2
        assert (row.open_cases, row.callable_cases, row.worked_cases) == (10, 10, 6)
        assert row.is_voiced
        assert (row.successful, row.target) == (row.id, 25)
    assert {type(figure) for row in rows for figure in (row.open_cases, row.dialled)} == {int}


def test_a_cell_without_people_is_on_the_board_too(database: Database, tmp_path: Path) -> None:
    add_cell(open_house(database, tmp_path), "Leeg", people=0, voiced=False)
    with database.read() as session:
        (row,) = boards.cell_rows(session, MIDDAY, None)
    assert (row.cases, row.open_cases, row.is_voiced) == ({}, 0, False)


def call(number: int, case_id: int = 1, **values: object) -> dict:
    base = {"id": f"a{number}", "case_id": case_id, "cell_id": 1, "number_in_case": number, "state": "closed"}
    at = values.pop("at", MIDDAY)
    return {**base, "planned_at": at, "not_before": at, "not_after": at, "placed_at": at, **values}


def test_traffic_counts_calls_up_calls_of_the_hour_and_lines_that_are_down(database: Database, tmp_path: Path) -> None:
    add_cell(open_house(database, tmp_path), "Eerste Hulp", people=3)
    until = MIDDAY + HOUR
    with database.write() as session:
        for row in (
            call(1, state="placed", at=MIDDAY),
            call(2, at=MIDDAY - timedelta(minutes=5), answered_at=MIDDAY, outcome="complete"),
            call(3, at=MIDDAY - timedelta(minutes=9), outcome="technical"),
            call(4, at=MIDDAY - 3 * HOUR, outcome="technical"),
        ):
            session.execute(attempts.insert().values(row))
        session.execute(lines.insert().values(account="x", is_down=True, not_before=until, changed_at=MIDDAY))
    with database.read() as session:
        assert boards.traffic(session, MIDDAY) == boards.Traffic(1, 1, 3, 1, 1, True, until)
        (row,) = boards.cell_rows(session, MIDDAY - HOUR, None)
    assert row.errors == 1


def test_the_parts_of_a_cells_page_agree_with_its_calls(database: Database, tmp_path: Path) -> None:
    add_cell(open_house(database, tmp_path), "Eerste Hulp", people=3)
    with database.write() as session:
        session.execute(attempts.insert().values(call(1, answered_at=MIDDAY, outcome="break_off")))
        session.execute(attempts.insert().values(call(2, outcome="no_answer")))
        session.execute(cases.update().where(cases.c.id == 1).values(dialled=2, is_final=True, next_call_at=None))
        run = {"id": "i", "case_id": 1, "cell_id": 1, "questionnaire": "inburgering", "version": 1}
        run |= {"mode": "telephone", "started_at": MIDDAY, "disposition": "break_off"}
        session.execute(interviews.insert().values(run))
        for later, question in enumerate(("LES", "ANTW")):
            answer = {"interview_id": "i", "question": question, "value": "x", "mode": "telephone"}
            session.execute(responses.insert().values(**answer, answered_at=MIDDAY + timedelta(seconds=later)))
    with database.read() as session:
        assert cell_figures.attempts_per_case(session, 1) == {0: 2, 2: 1}
        assert cell_figures.attempt_outcomes(session, 1) == {"break_off": 1, "no_answer": 1}
        two = [cell_figures.Reach("2026-03-10 11", 2, 1)]
        assert cell_figures.reach(session, ["break_off"], cell_id=1) == two
        assert cell_figures.reach(session, ["break_off"], since=MIDDAY) == two
        assert cell_figures.reach(session, ["break_off"], since=MIDDAY + HOUR) == []
        assert cell_figures.last_questions(session, 1) == {"ANTW": 1}
        assert [person.id for person in people.waiting(session, 1, 10)] == [2, 3]


def test_a_provider_sees_its_cells_as_they_stood_at_midnight(database: Database, tmp_path: Path) -> None:
    house = open_house(database, tmp_path)
    add_cell(house, "Eerste Hulp", people=4)
    add_cell(house, "Ander Bureau", people=4)
    done = {"is_final": True, "next_call_at": None, "disposition": "complete", "dialled": 1}
    with database.write() as session:
        for case_id, at in ((1, MIDDAY - HOUR), (2, MIDDAY + HOUR)):
            session.execute(attempts.insert().values(call(case_id, case_id, at=at, outcome="complete")))
            run = {"id": f"i{case_id}", "case_id": case_id, "cell_id": 1, "questionnaire": "inburgering", "version": 1}
            run |= {"mode": "telephone", "started_at": at, "usable": True, "usable_at": at, "successful": True}
            session.execute(interviews.insert().values(run))
            session.execute(cases.update().where(cases.c.id == case_id).values(done))
        session.execute(cells.update().where(cells.c.id == 1).values(successful=2, in_flight=1))
    with database.read() as session:
        (row,) = boards.daily_rows(session, 1, MIDDAY)
    assert (row.successful, row.in_flight, row.open_cases, row.worked_cases) == (1, 0, 3, 1)
    assert (row.cases, row.dialled) == ({}, 0)


def test_a_cell_stands_beside_its_order(database: Database, tmp_path: Path) -> None:
    cell_id = add_cell(open_house(database, tmp_path), "Eerste Hulp", people=0, target=9)
    with database.read() as session:
        assert steering.stand(session, cell_id) == steering.Stand("open", 9, 0, 9)


def test_a_cell_that_is_as_it_was_is_not_counted_again_and_one_that_changed_is(
    database: Database, rules: FieldworkRules
) -> None:
    fill_with(database, 2, 16)
    bounds, before = bounds_at(rules, MIDDAY, consent_only=False), headcount.Counted()
    with database.read() as session:
        first = headcount.of_cells(session, bounds, before=before)
    with database.write() as session:
        one = sa.select(sa.func.min(cases.c.id)).where(cases.c.cell_id == 2, cases.c.is_final.is_(False))
        session.execute(
            cases.update().where(cases.c.id == one.scalar_subquery()).values(disposition="refusal", is_final=True)
        )
    with database.read() as session:
        second = headcount.of_cells(session, bounds, before=before)
        assert second == headcount.of_cells(session, bounds)
    assert second[1] is first[1]
    assert (second[2].cases["refusal"], second[2].open_cases) == (first[2].cases["refusal"] + 1, 9)


def test_calls_that_count_and_all_calls_are_told_apart(database: Database, rules: FieldworkRules) -> None:
    fill_with(database, 1, 16)
    with database.write() as session:
        session.execute(cases.update().values(disposition="no_answer", is_final=False, attempts=2, dialled=11))
    with database.read() as session:
        count = headcount.of_cells(session, bounds_at(rules, MIDDAY, consent_only=False))[1]
    assert count.dialled == 16 * 11
    assert count.progress == (Progress(2, waiting=10, stopped=6),)
