"""Client lists come in: what stands, what is rejected, what a second file changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from ivr.errors import FileRefusedError
from ivr.fieldwork.commissioners import import_commissioners
from ivr.fieldwork.intake import IntakeReport, IntakeRules, import_clients
from ivr.store import Database, optouts
from ivr.store.samples import contact, phone_hash
from ivr.store.sealing import Sealer
from ivr.store.tables import case_phones, cases, cells, contacts, orders

NOW = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
RULES = IntakeRules(inburgering_target=25, replicate_size=3, announcement_min_days=2)
SERVICES = {code: f"Dienst nummer {code}" for code in range(1, 14)} | {
    5: "Jobcoaching",
    11: "Inburgeringscursussen en duale trajecten",
    12: "Duurzame inzetbaarheid",
}
SEALER = Sealer(bytes(range(32)))
HEAD = ";".join(
    [
        "clientnummer",
        "voornaam",
        "achternaam",
        "telefoon",
        "telefoon2",
        "email",
        "dienst",
        "leerprofiel",
        "einddatum_traject",
        "toestemming",
        "zelfmelder",
        "aangekondigd_op",
    ]
)


class Desk:
    """Takes in texts as files of one provider and looks at what is kept."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    def take(self, *rows: str, head: str = HEAD, provider: str = "Taalhuis", encoding: str = "utf-8") -> IntakeReport:
        return self.take_bytes("\r\n".join([head, *rows]).encode(encoding), provider)

    def take_bytes(self, data: bytes, provider: str = "Taalhuis") -> IntakeReport:
        path = self.folder / "lijst.csv"
        path.write_bytes(data)
        return import_clients(self.database, SEALER, path, provider, PERIOD, SERVICES, RULES, NOW)

    def commissioners(self, *rows: str) -> IntakeReport:
        path = self.folder / "opdrachtgevers.csv"
        path.write_text("\n".join(["opdrachtgevernummer;naam;email", *rows]))
        return import_commissioners(self.database, SEALER, path, "Taalhuis", PERIOD, NOW)

    def case(self, respondent: str, group: str = "client") -> Any:
        with self.database.read() as session:
            return session.execute(
                sa.select(cases).where(cases.c.respondent == respondent, cases.c.respondent_group == group)
            ).one()

    def change(self, respondent: str, **values: object) -> None:
        with self.database.write() as session:
            session.execute(sa.update(cases).where(cases.c.respondent == respondent).values(**values))

    def everything(self) -> list[list[tuple[Any, ...]]]:
        with self.database.read() as session:
            return [
                [tuple(row) for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))]
                for table in (cases, contacts, case_phones, orders, cells)
            ]


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Desk:
    return Desk(sqlite_database, tmp_path)


@pytest.fixture
def desks(database: Database, tmp_path: Path) -> Desk:
    """A desk on each kind of database, for what the store does."""
    return Desk(database, tmp_path)


def person(number: int, phone: str = "", *, service: int = 11, profile: str = "1", **more: str) -> str:
    values = {
        "clientnummer": str(number), "voornaam": f"Naam{chr(96 + number % 26)}", "achternaam": f"Familie{number}",
        "telefoon": phone or f"06{20_000_000 + number}", "dienst": str(service), "leerprofiel": profile,
        "einddatum_traject": "31-03-2026", "aangekondigd_op": "2026-09-28", **more,
    }  # fmt: skip
    return ";".join(values.get(name, "") for name in HEAD.split(";"))


def codes(report: IntakeReport) -> list[tuple[int, str]]:
    return [(remark.row, remark.code) for remark in report.rejected]


def warned(report: IntakeReport) -> list[tuple[int, str, str]]:
    return [(remark.row, remark.column, remark.code) for remark in report.warnings]


def test_rows_are_accepted_plus_rejected_and_count_lines_of_the_file(desk: Desk) -> None:
    report = desk.take(person(1), "", ";;;", person(2, service=12), '3;"Piet\r\nJan";X;0611111111;;;5;;31-03-2026', "x")
    assert (report.rows, report.accepted) == (4, 2)
    assert codes(report) == [(5, "obsolete_service"), (8, "missing_dienst")]


def test_the_report_has_the_agreed_shape(desk: Desk) -> None:
    document = desk.take(person(1), person(2, service=5, einddatum_traject="")).to_mapping()
    assert list(document) == [
        "provider", "period", "rows", "accepted", "updated", "unchanged", "rejected", "warnings", "routes",
    ]  # fmt: skip
    assert document["period"] == "2026-01-01/2026-12-31"
    assert list(document["rejected"][0]) == ["row", "column", "code", "message"]
    assert document["routes"] == {"telephone": 1, "regular": 0}


def test_a_second_import_changes_nothing(desks: Desk) -> None:
    rows = [person(1), person(2, "0620000001", zelfmelder="ja", email="a@b.nl"), person(3, "0900-1", email="c@d.nl")]
    rows += [person(4, "0620000001", voornaam="Naama", achternaam="FAMILIE1"), person(5, service=14)]
    first = desks.take(*rows)
    kept = desks.everything()
    second = desks.take(*rows)
    assert desks.everything() == kept
    assert (second.accepted, second.unchanged, second.updated) == (3, 3, 0)
    assert (second.rejected, second.warnings, second.routes) == (first.rejected, first.warnings, first.routes)
    assert warned(first) == [(3, "telefoon", "shared_number"), (4, "telefoon", "not_diallable")]
    assert codes(first) == [(5, "duplicate"), (6, "unknown_service")]


def test_a_corrected_file_updates_what_was_not_called(desks: Desk) -> None:
    desks.take(person(1), person(2))
    report = desks.take(person(1, "0633333333", profile="3"), person(2))
    assert (report.accepted, report.updated, report.unchanged) == (2, 1, 1)
    assert report.routes == {"telephone": 1, "regular": 1}
    case = desks.case("1")
    assert (case.route, case.cell_id, case.next_call_at) == ("regular", None, None)
    with desks.database.read() as session:
        assert contact(session, SEALER, case.id).phones == ("+31633333333",)


def test_a_called_person_is_left_as_he_was(desk: Desk) -> None:
    desk.take(person(1))
    desk.change("1", dialled=1)
    kept = desk.everything()
    report = desk.take(person(1, "0633333333"))
    assert (report.updated, report.unchanged) == (0, 1)
    assert warned(report) == [(2, "clientnummer", "already_called")]
    assert desk.everything() == kept


def test_a_refusal_is_obeyed_even_after_a_call(desk: Desk) -> None:
    desk.take(person(1))
    desk.change("1", dialled=1)
    report = desk.take(person(1, toestemming="nee"))
    case = desk.case("1")
    assert report.updated == 1
    assert (case.consent, case.disposition, case.is_final, case.next_call_at) == ("nee", "withdrawn", True, None)


def test_who_refuses_is_never_called(desk: Desk) -> None:
    assert desk.take(person(1, toestemming="nee")).routes == {"telephone": 0, "regular": 1}
    assert (desk.case("1").cell_id, desk.case("1").next_call_at) == (None, None)


def test_the_inburgering_cell_opens_with_the_first_telephone_client(desks: Desk) -> None:
    desks.take(person(1, profile="4"))
    assert desks.everything()[3] == []
    desks.take(person(2), person(3, profile="2"))
    with desks.database.read() as session:
        order = session.execute(sa.select(orders)).one()
        cell = session.execute(sa.select(cells)).one()
    assert (order.track, order.interviews, order.price, cell.target, cell.capacity) == ("inburgering", 25, None, 25, 25)
    assert {desks.case(n).cell_id for n in ("2", "3")} == {cell.id}


def test_calls_wait_for_the_announcement_or_consent(desk: Desk) -> None:
    desk.take(person(1), person(2, aangekondigd_op=""), person(3, aangekondigd_op="", toestemming="ja"))
    assert desk.case("1").next_call_at == datetime(2026, 9, 29, 22, tzinfo=UTC)
    assert desk.case("2").next_call_at is None
    assert desk.case("3").next_call_at == NOW


def test_a_clientnummer_twice_in_a_file_counts_once_among_accepted_rows(desk: Desk) -> None:
    report = desk.take(person(1, service=12), person(1), person(1, "0655555555"))
    assert (report.accepted, codes(report)) == (1, [(2, "obsolete_service"), (4, "duplicate")])


def test_a_duplicate_of_an_earlier_file_loses(desk: Desk) -> None:
    desk.take(person(1, voornaam="Ayşe", achternaam="Yılmaz"))
    report = desk.take(person(9, "+31 (0)6 20000001", voornaam="AYSE", achternaam="yilmaz"))
    assert codes(report) == [(2, "duplicate")]


def test_the_second_number_makes_a_duplicate_too(desk: Desk) -> None:
    report = desk.take(
        person(1), person(2, "0644444444", telefoon2="0620000001", voornaam="naama", achternaam="familie1")
    )
    assert codes(report) == [(3, "duplicate")]


def test_other_periods_and_providers_know_no_duplicates_but_share_codes(desk: Desk) -> None:
    desk.take(person(1))
    report = desk.take(person(1), provider="Anders")
    assert (report.accepted, report.warnings) == (1, [])
    with desk.database.read() as session:
        letter_codes = set(session.execute(sa.select(cases.c.code)).scalars())
    assert len(letter_codes) == 2
    assert all(len(code) == 4 and code.isdigit() for code in letter_codes)


def test_people_on_one_number_are_told_apart_by_their_code(desks: Desk) -> None:
    report = desks.take(*(person(n, "0612345678") for n in range(1, 13)))
    assert report.accepted == 12
    assert len(report.warnings) == 11
    with desks.database.read() as session:
        assert len(set(session.execute(sa.select(cases.c.code)).scalars())) == 12


def test_a_number_on_the_opt_out_list_is_kept_and_never_called(desk: Desk) -> None:
    with desk.database.write() as session:
        optouts.add(session, phone_hash(SEALER, "+31620000001"), "staff", NOW)
    desk.take(person(1, toestemming="ja"))
    case = desk.case("1")
    assert (case.disposition, case.is_final, case.next_call_at) == ("opted_out", True, None)
    desk.take(person(1, "0633333333", toestemming="ja"))
    assert desk.case("1").disposition == "fresh"


def test_opting_out_closes_open_cases_of_all_providers(desks: Desk) -> None:
    desks.take(person(1))
    desks.take(person(1), person(2), provider="Anders")
    with desks.database.write() as session:
        assert optouts.add(session, phone_hash(SEALER, "+31620000001"), "web", NOW)
        assert not optouts.add(session, phone_hash(SEALER, "+31620000001"), "web", NOW)
        open_ = session.execute(sa.select(cases.c.respondent).where(cases.c.is_final.is_(sa.false()))).scalars()
        assert list(open_) == ["2"]


def test_positions_are_a_random_order_of_the_whole_list_and_replicates_follow(desks: Desk) -> None:
    desks.take(*(person(n) for n in range(1, 251)))
    with desks.database.read() as session:
        rows = session.execute(sa.select(cases.c.respondent, cases.c.position, cases.c.replicate)).all()
    positions = [row.position for row in sorted(rows, key=lambda row: int(row.respondent))]
    assert sorted(positions) == list(range(250))
    assert positions[:100] != sorted(positions[:100])
    assert max(positions[:100]) > 200  # the last batch of the file does not come last
    assert all(row.replicate == row.position // 3 for row in rows)
    desks.take(person(251), person(252))
    assert {desks.case("251").position, desks.case("252").position} == {250, 251}


@pytest.mark.parametrize("first", ["clients", "commissioners"])
def test_a_self_referred_client_is_taken_off_the_commissioners_list(desks: Desk, first: str) -> None:
    def both(*order: str) -> None:
        for which in order:
            if which == "clients":
                desks.take(person(1, zelfmelder="ja", email="Ana@Example.nl"))
            else:
                report = desks.commissioners("70;Ana;ana@example.nl", "71;Gemeente;g@example.nl")
                assert report.rows == report.accepted + len(report.rejected) == 2

    both(*(["clients", "commissioners"] if first == "clients" else ["commissioners", "clients"]))
    assert desks.case("70", "commissioner").exclusion == "self_referred"
    assert desks.case("71", "commissioner").exclusion is None
    again = desks.commissioners("70;Ana;ana@example.nl", "71;Gemeente;g@example.nl")
    assert (codes(again), again.unchanged) == ([(2, "zelfmelder")], 1)
    desks.take(person(1, zelfmelder="nee", email="Ana@Example.nl"))
    assert desks.case("70", "commissioner").exclusion is None


def test_commissioners_are_checked_and_never_called(desk: Desk) -> None:
    report = desk.commissioners("1;A;a@b.nl", ";B;b@b.nl", "3;C;", "4;D;geen", "1;E;e@b.nl", "6;a;A@B.nl", "7;F;a@b.nl")
    assert codes(report) == [
        (3, "missing_opdrachtgevernummer"), (4, "missing_email"), (5, "bad_email"), (6, "duplicate"), (7, "duplicate"),
    ]  # fmt: skip
    assert warned(report) == [(8, "email", "shared_email")]
    assert report.routes == {"telephone": 0, "regular": 2}
    assert desk.case("1", "commissioner").next_call_at is None
    assert desk.commissioners("1;A;a@b.nl", "7;F;nieuw@b.nl").updated == 1


@pytest.mark.parametrize(
    "heading", ["BSN", "bsn_nummer", "Burgerservicenummer", "burger service nummer", "klant-BSN", "sofinummer"]
)
def test_a_file_with_bsns_is_refused_and_nothing_is_stored(desk: Desk, heading: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        desk.take(person(1) + ";123456782", head=f"{HEAD};{heading}")
    assert caught.value.code == "bsn_column"
    assert desk.everything() == [[], [], [], [], []]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf\r\n\r\n;;;\r\n", "empty_file"),
        (b"naam;dienst\nx;5\n", "missing_column"),
        (b"hallo", "missing_column"),
        (b"clientnummer;telefoon;Telefoon \n1;2;3\n", "duplicate_column"),
        (b"clientnummer\x00;dienst\n", "not_a_table"),
        (b"%PDF-1.7 clientnummer", "not_a_table"),
        (b"PK\x03\x04 but no workbook", "not_a_table"),
        (b"<html><table>clientnummer", "not_a_table"),
    ],
)
def test_what_is_no_list_is_refused_whole(desk: Desk, data: bytes, code: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        desk.take_bytes(data)
    assert caught.value.code == code
    assert desk.everything() == [[], [], [], [], []]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_separators_and_encodings_are_recognised(desk: Desk, encoding: str, delimiter: str) -> None:
    head = " ClientNummer ,VOORNAAM,Achternaam,E-mail,Dienst,Einddatum Traject,Kleur".replace(",", delimiter)
    row = '1,Zoë,"Ibáñez",a@b.nl,jobcoaching,31-03-2026,€ blauw'.replace(",", delimiter)
    report = desk.take(row, head=head, encoding=encoding)
    assert (report.accepted, warned(report)) == (1, [(1, "Kleur", "unknown_column")])
    with desk.database.read() as session:
        kept = contact(session, SEALER, desk.case("1").id)
    assert (kept.first_name, kept.last_name) == ("Zoë", "Ibáñez")


def test_one_odd_line_does_not_spoil_the_accents_of_the_others(desk: Desk) -> None:
    head = b"clientnummer;voornaam;telefoon;dienst;einddatum_traject\n"
    rows = ["1;José;0612345678;5;2026-03-31\n".encode(), "2;Zoë;0612345679;5;2026-03-31\n".encode("cp1252")]
    desk.take_bytes(head + b"".join(rows))
    with desk.database.read() as session:
        names = [contact(session, SEALER, desk.case(n).id).first_name for n in ("1", "2")]
    assert names == ["José", "Zoë"]


def test_a_lost_quote_costs_its_own_row_only(desk: Desk) -> None:
    report = desk.take(person(1), '2;"Jan;Smit;0612345678;;;5;;31-03-2026', *(person(n) for n in range(3, 60)))
    assert report.rows == 59
    assert report.accepted == 59


def test_a_bad_row_far_down_loses_none_above_it(desk: Desk) -> None:
    rows = [person(n) for n in range(1, 400)]
    report = desk.take(
        *rows, "\ud800".encode("utf-8", "replace").decode() + "boom;;;;", *[person(n) for n in range(400, 420)]
    )
    assert (report.rows, report.accepted) == (420, 419)
    assert codes(report) == [(401, "missing_dienst")]


def test_a_row_with_too_few_or_too_many_cells_is_judged_by_what_it_has(desk: Desk) -> None:
    report = desk.take("1", person(2) + ";;extra", person(3) + ";;")
    assert codes(report) == [(2, "missing_dienst")]
    assert warned(report) == [(3, "", "extra_cells")]


def test_a_workbook_is_read_as_it_is(desk: Desk) -> None:
    path = desk.folder / "lijst.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet, other = book.add_worksheet("Cliënten"), book.add_worksheet("Oud")
        day = book.add_format({"num_format": "dd-mm-yyyy"})
        sheet.write_row(
            0,
            0,
            [
                "Clientnummer",
                "Telefoon ",
                "DIENST",
                "leerprofiel",
                "einddatum_traject",
                "toestemming",
                "aangekondigd_op",
            ],
        )
        sheet.write_row(1, 0, [1001, 612345678, 11, 1])
        sheet.write_datetime(1, 4, datetime(2026, 3, 31), day)  # noqa: DTZ001
        sheet.write_boolean(1, 5, True)
        sheet.write_row(4, 0, ["1002", "6,12E+08", "Jobcoaching", "", "31-03-2026"])
        sheet.write_row(5, 0, ["1003", "06-87654321", "5", "", 46112])
        sheet.write_row(6, 0, [" ", None, "\u00a0"])
        other.write_row(0, 0, ["bsn"])
    report = import_clients(desk.database, SEALER, path, "Taalhuis", PERIOD, SERVICES, RULES, NOW)
    assert (report.rows, report.accepted, codes(report)) == (3, 1, [(5, "bad_phone"), (6, "bad_date")])
    case = desk.case("1001")
    assert (case.ended_on, case.consent, case.route) == (date(2026, 3, 31), "ja", "telephone")


def test_nothing_of_a_person_stands_readable_in_the_database(desk: Desk, tmp_path: Path) -> None:
    desk.take(person(1, email="geheim@example.nl", achternaam="Onvindbaar"))
    with desk.database.write() as session:
        kept = "\n".join(
            repr(tuple(row)) for table in (cases, contacts, case_phones) for row in session.execute(sa.select(table))
        )
    assert "Onvindbaar" not in kept
    assert "geheim" not in kept
    assert "620000001" not in kept
