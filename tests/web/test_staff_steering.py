"""What staff do to a cell: allowed or not, with a reason, written down, and never at the cost of a running call."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from ivr.store import Database
from ivr.store.tables import audit, cases, cells
from tests.web.page_house import add_cell, house_of, open_app, post, signed_in


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_app(sqlite_database, tmp_path)


@pytest.fixture
def cell_id(app: Flask) -> int:
    return add_cell(house_of(app), "Eerste Hulp", people=3)


def cell(database: Database, cell_id: int):
    with database.read() as session:
        return session.execute(sa.select(cells).where(cells.c.id == cell_id)).one()


def change(database: Database, cell_id: int, **values: object) -> None:
    with database.write() as session:
        session.execute(cells.update().where(cells.c.id == cell_id).values(**values))


def test_pausing_and_resuming_are_written_down_with_who_and_why(
    app: Flask, sqlite_database: Database, cell_id: int
) -> None:
    client = signed_in(app, "fieldwork")
    assert post(client, f"/staff/cel/{cell_id}/pause", reden="  vakantie op   school ").status_code == 303
    assert cell(sqlite_database, cell_id).state == "paused"
    assert post(client, f"/staff/cel/{cell_id}/resume", reden="weer open").status_code == 303
    assert cell(sqlite_database, cell_id).state == "open"
    with sqlite_database.read() as session:
        lines = session.execute(sa.select(audit).order_by(audit.c.id)).all()
    assert [(line.what, line.reason, line.who, line.subject) for line in lines] == [
        ("cell_paused", "vakantie op school", "fieldwork@bureau.example", f"cell {cell_id}"),
        ("cell_open", "weer open", "fieldwork@bureau.example", f"cell {cell_id}"),
    ]
    assert "vakantie op school" in client.get("/staff/logboek").text


def test_nothing_happens_without_a_reason(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    client = signed_in(app, "admin")
    for reason in ("", "   "):
        assert post(client, f"/staff/cel/{cell_id}/close", reden=reason).status_code == 422
    assert cell(sqlite_database, cell_id).state == "open"


def test_two_people_who_pause_at_once_are_told(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    client = signed_in(app, "admin")
    assert post(client, f"/staff/cel/{cell_id}/pause", reden="een").status_code == 303
    answer = post(client, f"/staff/cel/{cell_id}/pause", reden="twee")
    assert answer.status_code == 409
    assert "iemand anders was u voor" in answer.text


def test_a_number_in_a_reason_is_masked(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/pause", reden="belde 06 12345678 terug")
    with sqlite_database.read() as session:
        assert "12345678" not in session.execute(sa.select(audit.c.reason)).scalar_one()


def test_lowering_keeps_room_for_calls_in_flight(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    change(sqlite_database, cell_id, successful=10, in_flight=4)
    assert post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/retarget", doel="12", reden="minder").status_code == 303
    after = cell(sqlite_database, cell_id)
    assert (after.target, after.capacity, after.state) == (12, 14, "open")


def test_lowering_below_what_is_done_closes_the_cell(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    change(sqlite_database, cell_id, successful=10, in_flight=1)
    post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/retarget", doel="8", reden="te veel", sluit="ja")
    after = cell(sqlite_database, cell_id)
    assert (after.target, after.capacity, after.state) == (8, 11, "closed")


def test_a_slip_below_what_is_done_closes_nothing(app: Flask, sqlite_database: Database, cell_id: int) -> None:
    change(sqlite_database, cell_id, successful=10)
    answer = post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/retarget", doel="2", reden="een tikfout")
    assert answer.status_code == 409
    assert "voorgoed" in answer.text
    after = cell(sqlite_database, cell_id)
    assert (after.target, after.state) == (25, "open")


@pytest.mark.parametrize("target", ["26", "-1", "1e3", "", "veel", "99999999999"])
def test_a_target_above_the_order_or_no_number_is_refused(
    app: Flask, sqlite_database: Database, cell_id: int, target: str
) -> None:
    answer = post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/retarget", doel=target, reden="meer")
    assert answer.status_code in {409, 422}
    assert cell(sqlite_database, cell_id).target == 25


def test_a_full_cell_that_is_raised_takes_up_those_it_had_left(
    app: Flask, sqlite_database: Database, cell_id: int
) -> None:
    client = signed_in(app, "admin")
    change(sqlite_database, cell_id, successful=10)
    post(client, f"/staff/cel/{cell_id}/retarget", doel="10", reden="het is goed zo")

    def people() -> set[tuple[str, bool]]:
        with sqlite_database.read() as session:
            rows = session.execute(sa.select(cases.c.disposition, cases.c.is_final, cases.c.next_call_at)).all()
        assert all((row.next_call_at is None) == row.is_final for row in rows)
        return {(row.disposition, row.is_final) for row in rows}

    assert people() == {("quota_full", True)}
    post(client, f"/staff/cel/{cell_id}/retarget", doel="20", reden="toch meer")
    assert people() == {("fresh", False)}
    with sqlite_database.read() as session:
        assert session.execute(sa.select(audit.c.what).order_by(audit.c.id)).scalars().all() == ["cell_target"] * 2


def test_an_action_that_does_not_exist_is_no_page(app: Flask, cell_id: int) -> None:
    assert post(signed_in(app, "admin"), f"/staff/cel/{cell_id}/delete", reden="x").status_code == 404
    assert post(signed_in(app, "admin"), "/staff/cel/99/pause", reden="x").status_code == 404
