"""One row: its first fault, its warnings, its values."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.survey.cells import Cell, as_date, as_text, as_whole, as_yes_no
from ivr.survey.names import same_name
from ivr.survey.sample import CLIENT_COLUMNS, Client, Remark, read_client

PERIOD = (date(2026, 1, 1), date(2026, 12, 31))
SERVICES = {
    1: "Scholing en opleiding", 3: "Diagnose, onderzoek en loopbaanoriëntatie", 5: "Jobcoaching",
    6: "Verzuimbegeleiding (wet poortwachter)", 11: "Inburgeringscursussen en duale trajecten",
    12: "Duurzame inzetbaarheid", 13: "Supported employment",
}  # fmt: skip
GOOD: dict[str, Cell] = {
    "clientnummer": "7", "voornaam": "Ana", "achternaam": "Horvat", "telefoon": "0612345678", "dienst": "5",
    "einddatum_traject": "31-03-2026",
}  # fmt: skip
INBURGERING = {**GOOD, "dienst": "11", "leerprofiel": "2", "einddatum_traject": None}


def read(cells: dict[str, Cell]) -> Client | Remark:
    return read_client(9, cells, PERIOD, SERVICES)


def client(**changes: Cell) -> Client:
    result = read({**GOOD, **changes})
    assert isinstance(result, Client), result
    return result


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"clientnummer": " \u00a0"}, "clientnummer", "missing_clientnummer"),
        ({"clientnummer": "", "dienst": ""}, "clientnummer", "missing_clientnummer"),
        ({"dienst": None}, "dienst", "missing_dienst"),
        ({"dienst": "14"}, "dienst", "unknown_service"),
        ({"dienst": "0"}, "dienst", "unknown_service"),
        ({"dienst": "11.5"}, "dienst", "unknown_service"),
        ({"dienst": "5,6"}, "dienst", "unknown_service"),
        ({"dienst": "Zwemles"}, "dienst", "unknown_service"),
        ({"dienst": "12"}, "dienst", "obsolete_service"),
        ({"dienst": "duurzame  inzetbaarheid", "vragenlijst": "kort"}, "dienst", "obsolete_service"),
        ({"vragenlijst": "kort", "einddatum_traject": ""}, "vragenlijst", "bad_questionnaire"),
        ({"dienst": "11"}, "leerprofiel", "missing_leerprofiel"),
        ({"dienst": "11", "leerprofiel": "6"}, "leerprofiel", "bad_leerprofiel"),
        ({"dienst": "11", "leerprofiel": "1,5"}, "leerprofiel", "bad_leerprofiel"),
        ({"dienst": "11", "leerprofiel": "B1", "einddatum_traject": "x"}, "leerprofiel", "bad_leerprofiel"),
        ({"einddatum_traject": " "}, "einddatum_traject", "missing_einddatum_traject"),
        ({"einddatum_traject": "", "aangekondigd_op": "x"}, "einddatum_traject", "missing_einddatum_traject"),
        ({"einddatum_traject": "2026-02-30"}, "einddatum_traject", "bad_date"),
        ({"einddatum_traject": "03/31/2026"}, "einddatum_traject", "bad_date"),
        ({"einddatum_traject": "2025-12-31", "aangekondigd_op": "morgen"}, "aangekondigd_op", "bad_date"),
        ({"einddatum_traject": "31-12-2025"}, "einddatum_traject", "outside_period"),
        ({"einddatum_traject": date(2027, 1, 1)}, "einddatum_traject", "outside_period"),
        (
            {"dienst": 11.0, "leerprofiel": 1.0, "einddatum_traject": "2027-01-01"},
            "einddatum_traject",
            "outside_period",
        ),
        ({"telefoon": ""}, "telefoon", "missing_contact"),
        ({"telefoon": "", "email": "geen"}, "telefoon", "missing_contact"),
        ({"telefoon": "", "straat": "Dam", "huisnummer": "1", "plaats": "Delft"}, "telefoon", "missing_contact"),
        ({"telefoon": "12"}, "telefoon", "bad_phone"),
        ({"telefoon": "6,12E+08"}, "telefoon", "bad_phone"),
        ({"telefoon": "0900-1234"}, "telefoon", "not_diallable"),
        ({"telefoon": "", "telefoon2": "112"}, "telefoon2", "not_diallable"),
        ({"telefoon": "12", "telefoon2": "112"}, "telefoon", "bad_phone"),
    ],
)
def test_the_first_fault_that_applies_is_told(changes: dict[str, Cell], column: str, code: str) -> None:
    remark = read({**GOOD, **changes})
    assert isinstance(remark, Remark), remark
    assert (remark.row, remark.column, remark.code) == (9, column, code)
    assert remark.message.endswith(".")


@pytest.mark.parametrize(
    "way",
    [
        {"telefoon2": "06 87654321"},
        {"email": "ana@example.nl"},
        {"straat": "Dam", "huisnummer": 12.0, "postcode": "2611 AB", "plaats": "Delft"},
    ],
)
def test_a_bad_number_is_a_warning_when_there_is_another_way(way: dict[str, Cell]) -> None:
    taken = client(telefoon="0900-1234", **way)
    assert [(warning.column, warning.code) for warning in taken.warnings] == [("telefoon", "not_diallable")]
    assert taken.phones == (("+31687654321",) if "telefoon2" in way else ())


def test_both_numbers_are_kept_once_and_in_order() -> None:
    assert client(telefoon2="020-1234567").phones == ("+31612345678", "+31201234567")
    assert client(telefoon2="+31 6 12345678").phones == ("+31612345678",)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("11", 11), (11.0, 11), ("11.0", 11), ("11,0", 11), (" 011 ", 11), ("JOBCOACHING", 5), ("job coaching", 5),
        ("Diagnose,  onderzoek en loopbaanorientatie", 3), ("verzuimbegeleiding", 6), ("5 Jobcoachin", 5),
        ("13 - Supported employment", 13), ("Inburgeringscursussen en  duale trajecten", 11),
    ],
)  # fmt: skip
def test_a_service_is_known_by_code_or_name(written: Cell, code: int) -> None:
    assert client(dienst=written, leerprofiel="3").service == code


def test_service_11_has_its_own_questionnaire_and_needs_no_end_date() -> None:
    taken = read(dict(INBURGERING))
    assert isinstance(taken, Client)
    assert (taken.questionnaire, taken.learning_profile, taken.ended_on) == ("inburgering", 2, None)


def test_a_learning_profile_means_nothing_for_other_services() -> None:
    assert client(leerprofiel="9").learning_profile is None


@pytest.mark.parametrize(
    ("written", "name"), [("", "regulier"), ("Regulier", "regulier"), ("LAAGDREMPELIG ", "laagdrempelig")]
)
def test_the_questionnaire_is_as_asked_and_regulier_by_default(written: str, name: str) -> None:
    assert client(vragenlijst=written).questionnaire == name


@pytest.mark.parametrize(
    "cell",
    ["2026-03-31", "31-03-2026", "31-3-2026", date(2026, 3, 31), datetime(2026, 3, 31, 14, 5)],  # noqa: DTZ001  (a workbook knows no zones)
)
def test_a_date_is_read_in_both_spellings_and_as_a_workbook_keeps_it(cell: Cell) -> None:
    assert client(einddatum_traject=cell).ended_on == date(2026, 3, 31)


def test_both_ends_belong_to_the_period() -> None:
    assert client(einddatum_traject="2026-01-01").ended_on == PERIOD[0]
    assert client(einddatum_traject="2026-12-31").ended_on == PERIOD[1]


@pytest.mark.parametrize(
    ("written", "consent"),
    [
        ("ja", "ja"),
        ("JA", "ja"),
        (True, "ja"),
        (1.0, "ja"),
        ("nee", "nee"),
        ("Nee.", "nee"),
        (False, "nee"),
        ("", None),
        ("onbekend", None),
    ],
)
def test_consent_is_read(written: Cell, consent: str | None) -> None:
    assert client(toestemming=written).consent == consent
    assert client(toestemming=written).warnings == ()


def test_an_unclear_consent_counts_as_no() -> None:
    taken = client(toestemming="liever niet")
    assert taken.consent == "nee"
    assert [warning.code for warning in taken.warnings] == ["unclear_toestemming"]


def test_only_the_digits_of_the_postcode_leave_the_contact() -> None:
    assert client(postcode="2611 ab").postcode4 == "2611"
    assert client(postcode="B-2000").postcode4 is None


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(max_size=12) | st.floats() | st.none() | st.booleans() | st.dates() for name in CLIENT_COLUMNS
        },
    )
)
def test_any_row_gives_a_client_that_can_be_reached_or_one_remark(cells: dict[str, Cell]) -> None:
    result = read(cells)
    if isinstance(result, Client):
        address = (result.street, result.house_number, result.postcode, result.town)
        assert result.phones or result.email or all(address)
    else:
        assert result.code
        assert result.message


@given(st.text(max_size=20) | st.floats() | st.none() | st.booleans() | st.dates() | st.datetimes())
def test_reading_a_cell_never_fails(cell: Cell) -> None:
    assert as_text(cell) == as_text(as_text(cell)) or str(cell).startswith('="')
    assert as_whole(cell) is None or as_whole(cell) >= 0  # type: ignore[operator]
    assert as_date(cell) is None or as_date(cell).year > 0  # type: ignore[union-attr]
    assert as_yes_no(cell) in (True, False, None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("José", "García"), ("JOSE", "garcia")),
        (("Fatima", "El Amrani"), ("fatima", "el-amrani")),
        (("Fatima", "El Amrani"), ("Fatima", "Elamrani")),
        (("Ayşe", "Yılmaz"), ("Ayse", "Yilmaz")),
        (("Jan", "van den Berg"), ("Jan", "v.d. Berg")),
        (("Jan", "de Vries"), ("", "Vries, Jan de")),
        (("Amira", "Haddad"), ("Haddad", "Amira")),
        (("Mohammed", "Aziz"), ("Mohamed", "Aziz")),
        (("Wojciech", "Łukasik"), ("WOJCIECH", "Lukasik")),
        (("İbrahim", "Dijkstra"), ("Ibrahim", "Dykstra")),
    ],
)
def test_one_name_in_two_spellings_is_one_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert same_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Ahmed", "Yilmaz"), ("Ayse", "Yilmaz")),
        (("Fatima", "Haddad"), ("Fatiha", "Haddad")),
        (("M.", "Yilmaz"), ("Mehmet", "Yilmaz")),
        (("", ""), ("", "")),
        (("Jan", "de Vries"), ("Jan", "de Boer")),
    ],
)
def test_two_people_of_one_house_stay_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not same_name(one, other)
