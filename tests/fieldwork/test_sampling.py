"""Announcements, draws, and outcomes of the mailing tool."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ivr.errors import NotFoundError, RefusedError, UsageError
from ivr.fieldwork.intake import IntakeRules, import_clients
from ivr.fieldwork.intake_report import FileReport
from ivr.fieldwork.sampling import announce_clients, draw_sample, import_outcomes
from ivr.store import Database, events
from ivr.store.sealing import Sealer
from ivr.store.tables import cases, interviews

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
RULES = IntakeRules(inburgering_target=25, replicate_size=4, announcement_min_days=2)
SERVICES = {code: f"Dienst {code}" for code in range(1, 14)}
SEALER = Sealer(bytes(range(32)))


class Office:
    """One provider with twenty clients: odd numbers by telephone, even ones regular. None is announced."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.deliver()

    def deliver(self) -> Any:
        rows = [f"{n};06{20_000_000 + n};11;{1 if n % 2 else 4};a{n}@b.nl" for n in range(1, 21)]
        path = self.write("clientnummer;telefoon;dienst;leerprofiel;email", *rows)
        return import_clients(self.database, SEALER, path, "Taalhuis", PERIOD, SERVICES, RULES, NOW)

    def write(self, *lines: str) -> Path:
        path = self.folder / "bestand.csv"
        path.write_text("\n".join(lines))
        return path

    def announce(self, *rows: str, day: date | None = None) -> FileReport:
        path = self.write("clientnummer;aangekondigd_op", *rows)
        return announce_clients(self.database, path, "taalhuis", PERIOD, day, RULES, NOW)

    def draw(self, size: int, seed: int) -> dict[str, Any]:
        return draw_sample(self.database, "Taalhuis", PERIOD, size, seed, RULES, NOW)

    def outcomes(self, *rows: str) -> FileReport:
        return import_outcomes(self.database, self.write("provider;period_from;respondent;outcome", *rows))

    def rows(self) -> dict[str, Any]:
        with self.database.read() as session:
            return {row.respondent: row for row in session.execute(sa.select(cases))}

    def change(self, respondent: str, **values: object) -> None:
        with self.database.write() as session:
            session.execute(sa.update(cases).where(cases.c.respondent == respondent).values(**values))


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    return Office(sqlite_database, tmp_path)


def faults(report: FileReport) -> list[tuple[int, str]]:
    return [(remark.row, remark.code) for remark in report.rejected]


def test_an_announcement_lets_telephone_clients_be_called_from_its_day_on(office: Office) -> None:
    report = office.announce("1;28-09-2026", "2;2026-09-28", "3;")
    assert (report.rows, report.accepted, faults(report)) == (3, 2, [(4, "missing_aangekondigd_op")])
    rows = office.rows()
    assert rows["1"].next_call_at == datetime(2026, 9, 29, 22, tzinfo=UTC)
    assert (rows["2"].announced_on, rows["2"].next_call_at) == (date(2026, 9, 28), None)
    assert rows["3"].next_call_at is None


def test_a_day_can_be_given_for_the_whole_file(office: Office) -> None:
    report = office.announce("1;", "3;2026-10-01", day=date(2026, 9, 28))
    assert report.updated == 2
    assert [office.rows()[n].announced_on for n in ("1", "3")] == [date(2026, 9, 28), date(2026, 10, 1)]


def test_bad_announcements_come_back_and_the_second_time_changes_nothing(office: Office) -> None:
    rows = [";2026-09-28", "99;2026-09-28", "1;gisteren", "5;2026-09-28", "5;2026-09-29"]
    first = office.announce(*rows)
    assert faults(first) == [
        (2, "missing_clientnummer"),
        (3, "unknown_clientnummer"),
        (4, "bad_date"),
        (6, "duplicate"),
    ]
    kept = office.rows()
    again = office.announce(*rows)
    assert (again.updated, again.unchanged) == (0, 1)
    assert office.rows() == kept


def test_a_later_import_without_dates_keeps_the_announcement(office: Office) -> None:
    office.announce("1;2026-09-28")
    assert office.deliver().unchanged == 20
    assert office.rows()["1"].announced_on == date(2026, 9, 28)


def test_a_case_given_up_for_waiting_begins_afresh_when_announced_again(office: Office) -> None:
    office.change("1", disposition="announcement_expired", is_final=True)
    office.change("3", disposition="refusal", is_final=True, dialled=1)
    office.announce("1;2026-09-28", "3;2026-09-28")
    rows = office.rows()
    assert (rows["1"].disposition, rows["1"].is_final) == ("fresh", False)
    assert rows["1"].next_call_at is not None
    assert (rows["3"].disposition, rows["3"].next_call_at) == ("refusal", None)
    with office.database.read() as session:
        told = events.last_of_case(session, rows["1"].id, "disposition")
        assert told == {"before": "announcement_expired", "after": "fresh", "by": "announced"}
        assert events.last_of_case(session, rows["3"].id, "disposition") == {}


def test_an_unknown_list_cannot_be_announced(office: Office) -> None:
    with pytest.raises(NotFoundError):
        announce_clients(office.database, office.write("clientnummer", "1"), "X", PERIOD, None, RULES, NOW)


def test_a_draw_leaves_the_rest_out_of_both_routes(office: Office) -> None:
    office.announce(*(f"{n};2026-09-28" for n in range(1, 21)))
    result = office.draw(8, seed=3)
    assert (result["delivered"], result["drawn"], result["not_sampled"]) == (20, 8, 12)
    rows = office.rows().values()
    out = [row for row in rows if row.exclusion == "not_sampled"]
    assert len(out) == 12
    assert {row.route for row in out} == {"telephone", "regular"}
    assert all(row.cell_id is None and row.next_call_at is None for row in out)
    drawn = [row for row in rows if row.exclusion is None and row.route == "telephone"]
    assert sorted(row.position for row in drawn) == list(range(len(drawn)))
    assert all(row.cell_id is not None and row.next_call_at is not None for row in drawn)


def test_the_same_seed_draws_the_same_people_also_after_another_draw(office: Office) -> None:
    office.announce(*(f"{n};2026-09-28" for n in range(1, 21)))
    office.draw(8, seed=3)
    first = office.rows()
    office.draw(5, seed=4)
    assert {n for n, row in office.rows().items() if row.exclusion} != {n for n, row in first.items() if row.exclusion}
    office.draw(8, seed=3)
    assert office.rows() == first


def test_a_second_import_does_not_undo_a_draw(office: Office) -> None:
    office.draw(8, seed=3)
    before = office.rows()
    assert office.deliver().unchanged == 20
    assert office.rows() == before


def test_a_draw_larger_than_the_list_takes_everybody(office: Office) -> None:
    assert office.draw(100, seed=1)["not_sampled"] == 0
    with pytest.raises(UsageError):
        office.draw(0, seed=1)


def test_nobody_who_was_called_or_answered_can_be_drawn_away(office: Office) -> None:
    with office.database.write() as session:
        case_id = session.execute(sa.select(cases.c.id).where(cases.c.respondent == "2")).scalar_one()
        session.execute(
            sa.insert(interviews).values(
                id="a" * 32, case_id=case_id, questionnaire="regulier", version=1, mode="web", started_at=NOW
            )
        )
    with pytest.raises(RefusedError, match="answered"):
        office.draw(8, seed=3)
    office.change("1", dialled=1)
    with pytest.raises(RefusedError, match="called"):
        office.draw(8, seed=3)
    assert not [row for row in office.rows().values() if row.exclusion]


def test_outcomes_of_the_mailing_tool_are_kept_once_and_bad_rows_come_back(office: Office) -> None:
    rows = [
        "TAALHUIS;2026-01-01;2;undeliverable",
        "Taalhuis;01-01-2026;4;Invited",
        "Taalhuis;2026-01-01;99;invited",
        "Taalhuis;2026-02-01;2;invited",
        "Taalhuis;morgen;2;invited",
        "Taalhuis;2026-01-01;2;lost",
        ";2026-01-01;2;invited",
        "Taalhuis;;2;invited",
        "Taalhuis;2026-01-01;;invited",
    ]
    first = office.outcomes(*rows)
    assert (first.rows, first.accepted, first.updated) == (9, 2, 2)
    assert [code for _, code in faults(first)] == [
        "unknown_respondent",
        "unknown_respondent",
        "bad_date",
        "bad_outcome",
        "missing_provider",
        "missing_period_from",
        "missing_respondent",
    ]
    assert [office.rows()[n].outcome_elsewhere for n in ("2", "4", "6")] == ["undeliverable", "invited", None]
    again = office.outcomes(*rows)
    assert (again.updated, again.unchanged) == (0, 2)
    assert office.outcomes("Taalhuis;2026-01-01;2;invited").updated == 1
