"""One row of a file of answers: is it one of ours, and what does it say?

Decides whether a row can be taken, without looking into the store: the first thing that is wrong is its code, with a
Dutch sentence. Whether its respondent is on a list is decided in `answers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ivr.fieldwork.delivered import DeliveredRow
from ivr.survey.cells import as_date, as_text
from ivr.survey.forms import read_value
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.sample import Remark
from ivr.survey.services import INBURGERING, read_service

COLUMNS = (
    "provider", "period_from", "period_to", "group", "respondent", "service", "questionnaire", "mode", "question",
    "value", "answered_at",
)  # fmt: skip
REQUIRED = tuple(column for column in COLUMNS if column != "service")
GROUPS = ("client", "commissioner")
MODES = ("web", "email", "post", "telephone_human")


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A row that can be used, as far as it speaks for itself. `value` is as it will be stored."""

    row: int
    provider: str
    period: tuple[date, date]
    group: str
    respondent: str
    service: int | None
    questionnaire: str
    mode: str
    question: str
    value: str
    answered_at: datetime


def read_row(row: DeliveredRow, forms: Mapping[str, Questionnaire], services: Mapping[int, str]) -> AnswerRow | Remark:
    """The answer in a row, or the first thing that is wrong with it.

    Codes: missing_<column>, bad_date, bad_period, bad_group, bad_service, bad_questionnaire,
    questionnaire_mismatch, bad_mode, unknown_question, bad_value.
    """
    text = {column: as_text(row.cells.get(column)) for column in COLUMNS}

    def fault(column: str, code: str, message: str) -> Remark:
        return Remark(row.number, column, code, message)

    for column in ("provider", "period_from", "period_to", "group", "respondent", "questionnaire", "mode", "question"):
        if not text[column]:
            return fault(column, f"missing_{column}", f"De kolom {column} is leeg.")
    first, last = as_date(row.cells.get("period_from")), as_date(row.cells.get("period_to"))
    if first is None or last is None:
        column = "period_from" if first is None else "period_to"
        return fault(column, "bad_date", "Schrijf de dag van de meetperiode als 2026-01-31.")
    if first > last:
        return fault("period_to", "bad_period", "De meetperiode eindigt voordat zij begint.")
    group, questionnaire, mode = text["group"].lower(), text["questionnaire"].lower(), text["mode"].lower()
    if group not in GROUPS:
        return fault("group", "bad_group", f"De groep moet {' of '.join(GROUPS)} zijn.")
    if questionnaire not in forms:
        return fault(
            "questionnaire", "bad_questionnaire", f"De vragenlijst moet een van deze zijn: {', '.join(forms)}."
        )
    if mode not in MODES:
        return fault("mode", "bad_mode", f"De wijze moet een van deze zijn: {', '.join(MODES)}.")
    service = read_service(text["service"], services) if text["service"] else None
    if group == "commissioner" and text["service"]:
        return fault("service", "bad_service", "Bij een opdrachtgever blijft de dienst leeg.")
    if text["service"] and service is None:
        return fault("service", "bad_service", "Deze dienst kennen wij niet. Schrijf een code van 1 tot en met 13.")
    if (group == "commissioner") != (questionnaire == "opdrachtgever"):
        return fault("questionnaire", "questionnaire_mismatch", "Deze vragenlijst hoort niet bij deze groep.")
    return _answer(row, text, forms, (first, last), (group, questionnaire, mode), service)


def _answer(
    row: DeliveredRow,
    text: Mapping[str, str],
    forms: Mapping[str, Questionnaire],
    period: tuple[date, date],
    kind: tuple[str, str, str],
    service: int | None,
) -> AnswerRow | Remark:
    group, questionnaire, mode = kind
    question = text["question"]
    if not question.startswith("OG_"):
        question = question.upper()
    if not text["value"]:
        return Remark(row.number, "value", "missing_value", "Het antwoord ontbreekt.")
    value, wrong = read_value(forms[questionnaire], question, text["value"])
    if wrong == "unknown_question":
        return Remark(row.number, "question", wrong, f"Deze vraag staat niet in de vragenlijst {questionnaire}.")
    if value is None:
        return Remark(row.number, "value", "bad_value", "Dit antwoord kan niet bij deze vraag.")
    if not text["answered_at"]:
        return Remark(row.number, "answered_at", "missing_answered_at", "Het moment van het antwoord ontbreekt.")
    moment = read_moment(row.cells.get("answered_at"))
    if moment is None:
        return Remark(row.number, "answered_at", "bad_date", "Schrijf het moment als 2026-01-31T14:30:00Z.")
    return AnswerRow(
        row.number, text["provider"], period, group, text["respondent"], service, questionnaire, mode, question, value,
        moment,
    )  # fmt: skip


def read_moment(cell: object) -> datetime | None:
    """A moment, aware UTC. Without an offset it is taken as UTC, and a day alone as its first moment, so that the
    day that was delivered is the day that is exported."""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC) if cell.tzinfo else cell.replace(tzinfo=UTC)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    text = as_text(cell if isinstance(cell, str) else None)
    day = as_date(text)
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def fits_service(answer: AnswerRow, service: int | None) -> Remark | None:
    """What is wrong between an answer and the service of the person on the list; None when they agree."""
    if answer.group == "commissioner":
        return None
    if answer.service is not None and answer.service != service:
        return Remark(
            answer.row, "service", "service_mismatch", "Deze persoon staat met een andere dienst op de lijst."
        )
    if (service == INBURGERING) != (answer.questionnaire == "inburgering"):
        return Remark(
            answer.row, "questionnaire", "questionnaire_mismatch", "Deze vragenlijst hoort niet bij de dienst."
        )
    return None
