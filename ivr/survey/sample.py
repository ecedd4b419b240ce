"""One row of a delivered client list: taken in, or rejected with one code.

Decides which of a row's faults is told (the first of a fixed order), what counts as a way to reach a person, and
which faults only deserve a warning. What needs other rows or earlier files (duplicates, shared numbers, updates)
is decided in `fieldwork/intake.py`; the route in `eligibility.py`. Messages are Dutch, for the provider, and
repeat no name or number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ivr.survey.cells import Cell, as_date, as_text, as_whole, as_yes_no
from ivr.survey.phone import PhoneFault, read_phone
from ivr.survey.services import INBURGERING, OBSOLETE, read_service

CLIENT_COLUMNS = (
    "clientnummer",
    "voornaam",
    "achternaam",
    "telefoon",
    "telefoon2",
    "email",
    "straat",
    "huisnummer",
    "postcode",
    "plaats",
    "dienst",
    "leerprofiel",
    "vragenlijst",
    "einddatum_traject",
    "toestemming",
    "zelfmelder",
    "aangekondigd_op",
)

_EMAIL = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\".][^\s@,;<>()\"]*\.[^\s@,;<>()\".\d][^\s@,;<>()\".]+", re.IGNORECASE)
_UNKNOWN = frozenset({"", "-", "?", "onbekend", "nvt", "n.v.t", "n.v.t."})

Questionnaire = Literal["regulier", "laagdrempelig", "inburgering"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a row, as `ivr sample import --json` gives it. As a rejection it is the row's only code."""

    row: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Client:
    """A row that can be used. `phones` are E.164, telefoon before telefoon2; `consent` is ja, nee or None."""

    respondent: str
    service: int
    questionnaire: Questionnaire
    first_name: str = ""
    last_name: str = ""
    phones: tuple[str, ...] = ()
    email: str = ""
    street: str = ""
    house_number: str = ""
    postcode: str = ""
    town: str = ""
    learning_profile: int | None = None
    ended_on: date | None = None
    consent: Literal["ja", "nee"] | None = None
    is_self_referred: bool = False
    announced_on: date | None = None
    warnings: tuple[Remark, ...] = field(default=(), compare=False)

    @property
    def postcode4(self) -> str | None:
        """The four digits of a Dutch postcode, which tell the province but not the person; or None."""
        found = re.match(r"([1-9]\d{3})\s?[A-Za-z]{2}$", self.postcode)
        return found[1] if found else None


class _RejectedError(Exception):
    def __init__(self, column: str, code: str, message: str) -> None:
        super().__init__(code)
        self.column, self.code, self.message = column, code, message


def read_client(
    row: int, cells: Mapping[str, Cell], period: tuple[date, date], services: Mapping[int, str]
) -> Client | Remark:
    """The client of a row, or the remark that rejects it.

    `cells` by column name of CLIENT_COLUMNS (absent columns absent); `services` is code → label, both ends of
    `period` belong to it.
    """
    try:
        return _read(row, cells, period, services)
    except _RejectedError as fault:
        return Remark(row, fault.column, fault.code, fault.message)


def is_email(text: str) -> bool:
    """Whether `text` has the form of an e-mail address."""
    return len(text) <= 254 and ".." not in text and _EMAIL.fullmatch(text) is not None


def _read(row: int, cells: Mapping[str, Cell], period: tuple[date, date], services: Mapping[int, str]) -> Client:
    def text(column: str) -> str:
        return as_text(cells.get(column))

    warnings: list[Remark] = []
    respondent = text("clientnummer")
    if not respondent:
        raise _RejectedError("clientnummer", "missing_clientnummer", "Het clientnummer ontbreekt.")
    service = _service(cells.get("dienst"), services)
    questionnaire = _questionnaire(text("vragenlijst"), service)
    profile = _learning_profile(cells.get("leerprofiel")) if service == INBURGERING else None
    ended_on, announced_on = _dates(cells, service, period)
    phones, phone_faults = _phones(cells)
    email, address = text("email"), tuple(text(name) for name in ("straat", "huisnummer", "postcode", "plaats"))
    if email and not is_email(email):
        warnings.append(
            Remark(row, "email", "bad_email", "Dit is geen geldig e-mailadres; wij gebruiken het niet. Verbeter het.")
        )
        email = ""
    if not phones and not email and not all(address):
        if phone_faults:
            column, fault = phone_faults[0]
            raise _RejectedError(column, fault.code, fault.message)
        raise _RejectedError(
            "telefoon",
            "missing_contact",
            "Deze cliënt is niet te bereiken: geef een telefoonnummer, een e-mailadres of een volledig postadres "
            "(straat, huisnummer, postcode en plaats).",
        )
    warnings += [Remark(row, column, fault.code, fault.message) for column, fault in phone_faults]
    return Client(
        respondent=respondent,
        service=service,
        questionnaire=questionnaire,
        first_name=text("voornaam"),
        last_name=text("achternaam"),
        phones=phones,
        email=email,
        street=address[0],
        house_number=address[1],
        postcode=address[2],
        town=address[3],
        learning_profile=profile,
        ended_on=ended_on,
        consent=_consent(row, cells.get("toestemming"), warnings),
        is_self_referred=_self_referred(row, cells.get("zelfmelder"), warnings),
        announced_on=announced_on,
        warnings=tuple(warnings),
    )


def _service(cell: Cell, services: Mapping[int, str]) -> int:
    if not as_text(cell):
        raise _RejectedError("dienst", "missing_dienst", "De dienst ontbreekt. Geef een code van 1 tot en met 13.")
    service = read_service(as_text(cell), services)
    if service is None:
        raise _RejectedError(
            "dienst", "unknown_service", "Deze dienst kennen wij niet. Geef een code van 1 tot en met 13, of de naam."
        )
    if service == OBSOLETE:
        raise _RejectedError(
            "dienst",
            "obsolete_service",
            "Dienst 12 (duurzame inzetbaarheid) bestaat niet meer. Kies een andere dienst.",
        )
    return service


def _questionnaire(text: str, service: int) -> Questionnaire:
    word = text.casefold()
    if word not in ("", "regulier", "laagdrempelig"):
        raise _RejectedError(
            "vragenlijst", "bad_questionnaire", "Vul bij vragenlijst in: regulier of laagdrempelig, of laat het leeg."
        )
    if service == INBURGERING:
        return "inburgering"
    return "laagdrempelig" if word == "laagdrempelig" else "regulier"


def _learning_profile(cell: Cell) -> int:
    if not as_text(cell):
        raise _RejectedError(
            "leerprofiel",
            "missing_leerprofiel",
            "Het leerprofiel ontbreekt. Bij dienst 11 is het nodig: 1 tot en met 5.",
        )
    profile = as_whole(cell)
    if profile is None or not 1 <= profile <= 5:
        raise _RejectedError("leerprofiel", "bad_leerprofiel", "Het leerprofiel moet 1, 2, 3, 4 of 5 zijn.")
    return profile


def _dates(cells: Mapping[str, Cell], service: int, period: tuple[date, date]) -> tuple[date | None, date | None]:
    ended_cell, announced_cell = cells.get("einddatum_traject"), cells.get("aangekondigd_op")
    if not as_text(ended_cell) and service != INBURGERING:
        raise _RejectedError(
            "einddatum_traject", "missing_einddatum_traject", "De einddatum van het traject ontbreekt."
        )
    ended_on, announced_on = _date("einddatum_traject", ended_cell), _date("aangekondigd_op", announced_cell)
    if ended_on is not None and not period[0] <= ended_on <= period[1]:
        raise _RejectedError(
            "einddatum_traject",
            "outside_period",
            f"Het traject eindigde niet in de meetperiode ({period[0]:%d-%m-%Y} tot en met {period[1]:%d-%m-%Y}).",
        )
    return ended_on, announced_on


def _date(column: str, cell: Cell) -> date | None:
    if not as_text(cell):
        return None
    day = as_date(cell)
    if day is None:
        raise _RejectedError(column, "bad_date", "Deze datum kunnen wij niet lezen. Schrijf 31-03-2026 of 2026-03-31.")
    return day


def _phones(cells: Mapping[str, Cell]) -> tuple[tuple[str, ...], list[tuple[str, PhoneFault]]]:
    phones: list[str] = []
    faults: list[tuple[str, PhoneFault]] = []
    for column in ("telefoon", "telefoon2"):
        cell = cells.get(column)
        if not as_text(cell):
            continue
        number = read_phone(cell if isinstance(cell, (int, float)) else as_text(cell))
        if isinstance(number, PhoneFault):
            faults.append((column, number))
        elif number not in phones:
            phones.append(number)
    return tuple(phones), faults


def _consent(row: int, cell: Cell, warnings: list[Remark]) -> Literal["ja", "nee"] | None:
    if as_text(cell).casefold() in _UNKNOWN:
        return None
    answer = as_yes_no(cell)
    if answer is None:
        # In doubt nobody is called: a remark in this column is more often a no than a yes.
        warnings.append(
            Remark(
                row,
                "toestemming",
                "unclear_toestemming",
                "Vul bij toestemming in: ja of nee, of laat het leeg. Wij bellen deze cliënt nu niet.",
            )
        )
        return "nee"
    return "ja" if answer else "nee"


def _self_referred(row: int, cell: Cell, warnings: list[Remark]) -> bool:
    if as_text(cell).casefold() in _UNKNOWN:
        return False
    answer = as_yes_no(cell)
    if answer is None:
        warnings.append(
            Remark(row, "zelfmelder", "unclear_zelfmelder", "Vul bij zelfmelder in: ja of nee, of laat het leeg.")
        )
    return bool(answer)
