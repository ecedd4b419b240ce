"""Answers from other modes: which rows stand, what they do to calls and cells, what a second file changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ivr.catalogue import load_catalogue
from ivr.errors import FileRefusedError
from ivr.fieldwork.answer_rows import read_moment
from ivr.fieldwork.answers import import_responses
from ivr.fieldwork.intake_report import FileReport
from ivr.store import Database, quotas
from ivr.store.tables import cases, cells, interviews, ledger, orders, responses
from ivr.survey.forms import forms_of
from tests.exports.exporting import Room

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "config")
FORMS = forms_of(CATALOGUE.questionnaires)
HEADER = "provider;period_from;period_to;group;respondent;service;questionnaire;mode;question;value;answered_at"
NOW = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
ASPECTS = [question.id for question in FORMS["laagdrempelig"].questions if question.is_aspect]
INB_ASPECTS = {"INB_LES": "altijd", "INB_ANTW": "vaak", "INB_PRAAT": "ja", "INB_OEF": "goed"}


class Desk:
    """A provider with a client of service 5 (A1), one of service 11 (B1), and a commissioner (G1)."""

    def __init__(self, database: Database, folder: Path, *, target: int = 25, track: str = "inburgering") -> None:
        self.database, self.folder = database, folder
        with database.write() as session:
            room = Room(session)
            sample = room.sample("Alfa")
            price = Decimal("12.50") if track == "purchased" else None
            order = session.execute(
                sa.insert(orders).values(sample_id=sample, track=track, interviews=target, price=price, created_at=NOW)
            ).inserted_primary_key
            cell = session.execute(
                sa.insert(cells).values(
                    order_id=order[0] if order else 0, sample_id=sample, track=track, target=target, capacity=target
                )
            ).inserted_primary_key
            self.cell = cell[0] if cell else 0
            self.a1 = room.case(sample, respondent="A1")
            phone = {"service": 11, "questionnaire": "inburgering", "route": "telephone", "cell_id": self.cell}
            self.b1 = room.case(sample, respondent="B1", next_call_at=NOW, **phone)
            self.b2 = room.case(sample, respondent="B2", next_call_at=NOW, **phone)
            room.case(
                sample, respondent="G1", respondent_group="commissioner", service=None, questionnaire="opdrachtgever"
            )

    def take(self, *rows: str, header: str = HEADER) -> FileReport:
        path = self.folder / "answers.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return import_responses(self.database, path, FORMS, CATALOGUE.services, NOW)

    def all(self, table: sa.Table) -> list[Any]:
        with self.database.read() as session:
            return list(session.execute(sa.select(table).order_by(*table.primary_key.columns)))

    def case(self, id: int) -> Any:
        return next(row for row in self.all(cases) if row.id == id)

    def only_cell(self) -> Any:
        return self.all(cells)[0]


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path)


def a_row(question: str, value: str, **changes: str) -> str:
    row = {
        "provider": "Alfa",
        "period_from": "2025-01-01",
        "period_to": "2025-12-31",
        "group": "client",
        "respondent": "A1",
        "service": "5",
        "questionnaire": "regulier",
        "mode": "web",
        "question": question,
        "value": value,
        "answered_at": "2026-01-10T10:00:00Z",
    }
    return ";".join({**row, **changes}.values())


def inburgering(respondent: str = "B1", mode: str = "telephone_human", at: str = "2026-01-12T10:00:00Z") -> list[str]:
    who = {"respondent": respondent, "service": "11", "questionnaire": "inburgering", "mode": mode, "answered_at": at}
    return [a_row(question, value, **who) for question, value in INB_ASPECTS.items()]


def test_half_of_the_aspects_makes_a_usable_interview(desk: Desk) -> None:
    report = desk.take(*(a_row(id, "tevreden") for id in ASPECTS[:4]))
    assert (report.rows, report.accepted, report.rejected) == (4, 4, [])
    assert [(row.usable, row.disposition) for row in desk.all(interviews)] == [(False, "unusable")]
    desk.take(a_row(ASPECTS[4], "geen_mening", answered_at="2026-01-11T10:00:00Z"))
    (interview,) = desk.all(interviews)
    assert (interview.usable, interview.disposition, interview.mode) == (True, "partial", "web")
    assert interview.usable_at == datetime(2026, 1, 11, 10, tzinfo=UTC)
    assert interview.started_at == datetime(2026, 1, 10, 10, tzinfo=UTC)


def test_the_same_row_again_changes_nothing(desk: Desk) -> None:
    rows = [a_row("LD_CIJFER", "8"), a_row("LD_AANGERADEN", "ja")]
    desk.take(*rows)
    before = (desk.all(interviews), desk.all(responses), desk.all(cases))
    again = desk.take(*rows, rows[0])
    assert (again.accepted, again.unchanged, again.updated) == (3, 3, 0)
    assert (desk.all(interviews), desk.all(responses), desk.all(cases)) == before


def test_a_newer_answer_replaces_and_an_older_one_is_passed_over(desk: Desk) -> None:
    desk.take(a_row("LD_CIJFER", "8"))
    newer = desk.take(a_row("LD_CIJFER", "6", answered_at="2026-01-11"))
    assert (newer.updated, [one.code for one in newer.warnings]) == (1, ["changed_answer"])
    older = desk.take(a_row("LD_CIJFER", "9", answered_at="2026-01-09"))
    assert (older.unchanged, [one.code for one in older.warnings]) == (1, ["older_answer"])
    assert [row.value for row in desk.all(responses)] == ["6"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"provider": ""}, "missing_provider"),
        ({"provider": "Beta"}, "unknown_provider"),
        ({"period_from": "gisteren"}, "bad_date"),
        ({"period_to": "2024-01-01"}, "bad_period"),
        ({"period_to": "2025-12-30"}, "unknown_period"),
        ({"group": "buur"}, "bad_group"),
        ({"respondent": "Z9"}, "unknown_respondent"),
        ({"service": "99"}, "bad_service"),
        ({"service": "9"}, "service_mismatch"),
        ({"questionnaire": "anders"}, "bad_questionnaire"),
        ({"questionnaire": "opdrachtgever"}, "questionnaire_mismatch"),
        ({"questionnaire": "inburgering", "question": "INB_CIJFER"}, "questionnaire_mismatch"),
        ({"mode": "telephone"}, "bad_mode"),
        ({"question": "LD_BESTAAT_NIET"}, "unknown_question"),
        ({"value": ""}, "missing_value"),
        ({"value": "11"}, "bad_value"),
        ({"value": "7,5"}, "bad_value"),
        ({"question": "LD_AANGERADEN", "value": "misschien"}, "bad_value"),
        ({"answered_at": "straks"}, "bad_date"),
        ({"answered_at": ""}, "missing_answered_at"),
    ],
)
def test_a_row_that_cannot_stand_comes_back_with_its_reason(
    sqlite_database: Database, tmp_path: Path, changes: dict[str, str], code: str
) -> None:
    desk = Desk(sqlite_database, tmp_path)
    question, value = changes.pop("question", "LD_CIJFER"), changes.pop("value", "8")
    report = desk.take(a_row("LD_CIJFER", "9", respondent="A1"), a_row(question, value, **changes))
    assert (report.rows, report.accepted) == (2, 1)
    assert [(one.row, one.code) for one in report.rejected] == [(3, code)]
    assert report.rejected[0].message.endswith(".")
    assert [row.value for row in desk.all(responses)] == ["9"]


def test_missing_column_refuses_the_file(desk: Desk) -> None:
    with pytest.raises(FileRefusedError) as refused:
        desk.take("Alfa;2025-01-01", header="provider;period_from")
    assert refused.value.code == "missing_column"


def test_commissioners_grade_alone_counts_with_comma_or_point(desk: Desk) -> None:
    who = {"group": "commissioner", "respondent": "G1", "service": "", "questionnaire": "opdrachtgever"}
    report = desk.take(
        a_row("OG_CIJFER_INFO", "7.25", **who),
        a_row("OG_PERSONEN_5", "12", **who),
        a_row("OG_PERSONEN_14", "12", **who),
        a_row("OG_KLACHT_OPL", "deels", **who),
    )
    assert [one.code for one in report.rejected] == ["unknown_question"]
    assert desk.all(interviews)[0].usable is False
    desk.take(a_row("OG_CIJFER", "8,50", **who))
    assert desk.all(interviews)[0].usable is True
    assert {row.question: row.value for row in desk.all(responses)}["OG_CIJFER"] == "8.5"


@pytest.mark.parametrize("mode", ["web", "email", "post", "telephone_human"])
def test_an_answer_by_any_mode_stops_the_calls(sqlite_database: Database, tmp_path: Path, mode: str) -> None:
    desk = Desk(sqlite_database, tmp_path)
    desk.take(inburgering(mode=mode)[0])
    case = desk.case(desk.b1)
    assert (case.disposition, case.is_final, case.next_call_at) == ("answered_elsewhere", True, None)
    assert desk.case(desk.b2).disposition == "fresh"


def test_a_call_that_is_going_on_keeps_its_person_and_its_slot(desk: Desk) -> None:
    with desk.database.write() as session:
        session.execute(sa.update(cases).where(cases.c.id == desk.b1).values(is_busy=True))
        session.execute(sa.update(cells).values(in_flight=1))
        Room(session).attempt(desk.b1, state="placed", holds_slot=True, cell_id=desk.cell, ended_at=None, outcome=None)
    desk.take(*inburgering(mode="web"))
    case = desk.case(desk.b1)
    assert (case.is_busy, case.is_final, desk.only_cell().in_flight) == (True, True, 1)


def test_what_a_call_found_out_is_not_overwritten(desk: Desk) -> None:
    with desk.database.write() as session:
        session.execute(sa.update(cases).where(cases.c.id == desk.b1).values(disposition="refusal", is_final=True))
    desk.take(*inburgering(mode="post"))
    assert desk.case(desk.b1).disposition == "refusal"


def test_a_human_interview_counts_for_its_cell_and_other_modes_do_not(desk: Desk) -> None:
    desk.take(*inburgering("B1"), *inburgering("B2", mode="web"))
    assert desk.only_cell().successful == 1
    assert {row.mode: row.successful for row in desk.all(interviews)} == {"telephone_human": True, "web": False}
    desk.take(*inburgering("B1"), *inburgering("B2", mode="web"))
    assert desk.only_cell().successful == 1


def test_a_human_interview_in_a_full_cell_is_kept_and_not_counted(database: Database, tmp_path: Path) -> None:
    desk = Desk(database, tmp_path, target=1)
    report = desk.take(*inburgering("B1"), *inburgering("B2"))
    assert desk.only_cell().successful == 1
    assert sorted(row.successful for row in desk.all(interviews)) == [False, True]
    assert all(row.usable for row in desk.all(interviews))
    assert [one.code for one in report.warnings] == ["counted_no_more"]


def test_calls_in_flight_leave_no_room_for_a_human_interview(database: Database, tmp_path: Path) -> None:
    desk = Desk(database, tmp_path, target=2)
    with database.write() as session:
        session.execute(sa.update(cells).values(in_flight=1))
    desk.take(*inburgering("B1"), *inburgering("B2"))
    cell = desk.only_cell()
    assert (cell.successful, cell.in_flight) == (1, 1)


def test_a_purchased_human_interview_is_billed_once(database: Database, tmp_path: Path) -> None:
    desk = Desk(database, tmp_path, track="purchased", target=5)
    for _ in range(2):
        desk.take(*inburgering("B1"))
    assert [(row.number, row.price) for row in desk.all(ledger)] == [(1, Decimal("12.50"))]


def test_of_two_usable_questionnaires_the_first_counts(desk: Desk) -> None:
    rows = [a_row(id, "tevreden", mode="post", answered_at="2026-01-12") for id in ASPECTS]
    desk.take(*rows, *(a_row(id, "ontevreden", mode="web", answered_at="2026-01-10") for id in ASPECTS))
    assert {row.mode: row.is_superseded for row in desk.all(interviews)} == {"post": True, "web": False}


def test_a_call_that_ends_after_a_web_answer_does_not_count(desk: Desk) -> None:
    with desk.database.write() as session:
        room = Room(session)
        interview = room.interview(
            desk.b1, {}, questionnaire="inburgering", mode="telephone", usable=False, cell_id=desk.cell
        )
        attempt = room.attempt(desk.b1, state="placed", holds_slot=True, cell_id=desk.cell, interview_id=interview)
        session.execute(sa.update(cells).values(in_flight=1))
    desk.take(*inburgering(mode="web"))
    with desk.database.write() as session:
        assert quotas.spend(session, attempt, interview, NOW) is False
    assert desk.only_cell().successful == 0


def test_many_people_come_in_together(sqlite_database: Database, tmp_path: Path) -> None:
    desk = Desk(sqlite_database, tmp_path)
    with sqlite_database.write() as session:
        room = Room(session)
        for number in range(900):
            room.case(1, respondent=f"N{number}")
    rows = [a_row(id, "tevreden", respondent=f"N{number}") for number in range(900) for id in ASPECTS]
    report = desk.take(*rows, a_row("LD_CIJFER", "nul"), *rows[:9])
    assert (report.accepted, report.unchanged, len(report.rejected)) == (8109, 9, 1)
    assert sum(row.usable for row in desk.all(interviews)) == 900


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-10", datetime(2026, 1, 10, tzinfo=UTC)),
        ("10-01-2026", datetime(2026, 1, 10, tzinfo=UTC)),
        ("2026-01-10T10:00:00Z", datetime(2026, 1, 10, 10, tzinfo=UTC)),
        ("2026-01-10 10:00", datetime(2026, 1, 10, 10, tzinfo=UTC)),
        ("2026-01-10T10:00:00+01:00", datetime(2026, 1, 10, 9, tzinfo=UTC)),
        ("morgen", None),
    ],
)
def test_a_moment_without_an_offset_is_utc(text: str, moment: datetime | None) -> None:
    assert read_moment(text) == moment
    assert moment is None or moment.utcoffset() == timedelta(0)
