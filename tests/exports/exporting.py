"""What the tests of the exports share: a small catalogue and rows put straight into the tables."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from ivr.ids import new_id
from ivr.store import Database, Session, tables
from ivr.survey.disposition import Outcome
from ivr.survey.questionnaire import Condition, Option, Question, Questionnaire

PERIOD = (date(2025, 1, 1), date(2025, 12, 31))
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
UNKNOWN = Option("0", "weet_niet", "U weet het niet", True)
YES_NO = (Option("1", "ja", "Ja"), Option("2", "nee", "Nee"), UNKNOWN)
SATISFIED = (
    Option("1", "zeer_tevreden", "Heel tevreden"),
    Option("2", "tevreden", "Tevreden"),
    Option("3", "ontevreden", "Niet tevreden"),
    Option("4", "zeer_ontevreden", "Helemaal niet tevreden"),
    Option("0", "geen_mening", "U weet het niet"),
)
OFTEN = tuple(Option(str(key), code, code) for key, code in enumerate(("altijd", "vaak", "soms", "nooit"), start=1))

SERVICES = {
    1: "Scholing en opleiding",
    5: "Jobcoaching",
    6: "Verzuimbegeleiding (wet poortwachter)",
    9: "Toeleiden naar werk vanuit situatie geen werk",
    10: "Sociale activering en participatie",
    11: "Inburgeringscursussen en duale trajecten",
}

INBURGERING = Questionnaire(
    "inburgering",
    1,
    "Inburgering",
    5,
    (
        Question("INB_LES", "single", "Geeft uw leraar goed les?", "Les", (*OFTEN, UNKNOWN), is_aspect=True),
        Question("INB_ZIEK", "single", "Is de leraar wel eens ziek?", "Ziek", YES_NO),
        Question(
            "INB_ZIEK_WAT",
            "single",
            "Wat gebeurt er dan?",
            "Bij ziekte",
            (Option("1", "geen_les", "Geen les"), Option("2", "anders", "Iets anders"), UNKNOWN),
            is_aspect=True,
            condition=Condition("INB_ZIEK", ("ja",)),
        ),
        Question("INB_CIJFER", "grade", "Welk cijfer?", "Rapportcijfer", minimum=1, maximum=10),
    ),
)
LAAGDREMPELIG = Questionnaire(
    "laagdrempelig",
    1,
    "Laagdrempelig",
    7,
    (
        Question("LD_C_AANDACHT", "single", "Aandacht?", "Aandacht", SATISFIED, is_aspect=True),
        Question("LD_C_INFO", "single", "Informatie?", "Informatie", SATISFIED, is_aspect=True),
        Question("LD_K_SNEL1", "single", "Wachttijd?", "Wachttijd", SATISFIED, is_aspect=True),
        Question("LD_B_STAP", "single", "Volgende stap?", "Volgende stap", SATISFIED, is_aspect=True),
        Question("LD_CIJFER", "grade", "Welk cijfer?", "Rapportcijfer", minimum=1, maximum=10),
        Question("LD_AANGERADEN", "single", "Aangeraden?", "Aangeraden", YES_NO),
        Question("LD_DUUR", "single", "Duur?", "Duur", YES_NO, condition=Condition("service", ("5",))),
        Question("LD_FREQ", "number", "Hoe vaak?", "Contact per maand", minimum=0, maximum=31),
    ),
)


def an_outcome(code: str, aapor: str, group: str) -> Outcome:
    return Outcome(code, code, aapor, group, True, True, True, True, 0, "none", 0)


def a_catalogue(**scoring: Any) -> Any:
    """What the exports use of a catalogue."""
    outcomes = [
        an_outcome("fresh", "", ""),
        an_outcome("complete", "1.1", "I"),
        an_outcome("partial", "1.2", "P"),
        an_outcome("refusal", "2.112", "R"),
        an_outcome("no_answer", "3.13", "NC"),
        an_outcome("answering_machine", "2.22", "NC"),
        an_outcome("not_in_service", "4.32", "NE"),
        an_outcome("wrong_person", "4.10", "NE"),
        an_outcome("quota_full", "4.80", ""),
    ]
    return SimpleNamespace(
        questionnaires={"inburgering": INBURGERING, "laagdrempelig": LAAGDREMPELIG},
        services=SERVICES,
        outcomes={one.code: one for one in outcomes},
        scoring=scoring,
    )


@dataclass
class Room:
    """Puts rows into a database, one provider and period at a time."""

    session: Session
    numbers: dict[int, int] = field(default_factory=dict)

    def sample(self, provider: str, period: tuple[date, date] = PERIOD) -> int:
        key = provider.casefold()
        found = self.session.execute(
            sa.select(tables.providers.c.id).where(tables.providers.c.name_key == key)
        ).scalar()
        if found is None:
            found = self._insert(tables.providers, name=provider, name_key=key)
        return self._insert(tables.samples, provider_id=found, period_from=period[0], period_to=period[1])

    def case(self, sample: int, **values: Any) -> int:
        self.numbers[sample] = self.numbers.get(sample, 0) + 1
        row = {
            "sample_id": sample,
            "respondent_group": "client",
            "respondent": f"c{self.numbers[sample]}",
            "service": 5,
            "questionnaire": "laagdrempelig",
            "route": "regular",
            "code": "1234",
            "created_at": NOON,
        }
        return self._insert(tables.cases, **{**row, **values})

    def interview(self, case: int, answers: dict[str, str], **values: Any) -> str:
        id = new_id()
        at = values.pop("at", NOON)
        row = {
            "id": id,
            "case_id": case,
            "questionnaire": "laagdrempelig",
            "version": 1,
            "mode": "web",
            "started_at": at,
            "ended_at": at + timedelta(minutes=5),
            "disposition": "complete",
            "usable": True,
            "usable_at": at,
        }
        self._insert(tables.interviews, **{**row, **values})
        mode = values.get("mode", "web")
        for question, value in answers.items():
            self._insert(tables.responses, interview_id=id, question=question, value=value, mode=mode, answered_at=at)
        return id

    def attempt(self, case: int, number: int = 1, **values: Any) -> str:
        id = new_id()
        row = {
            "id": id,
            "case_id": case,
            "number_in_case": number,
            "state": "closed",
            "planned_at": NOON,
            "not_before": NOON,
            "not_after": NOON,
            "placed_at": NOON,
            "ended_at": NOON,
            "outcome": "no_answer",
            "duration_seconds": 0,
        }
        self._insert(tables.attempts, **{**row, **values})
        return id

    def _insert(self, table: sa.Table, **values: Any) -> int:
        key = self.session.execute(sa.insert(table).values(**values)).inserted_primary_key
        return key[0] if key else 0


def machine(path: Path) -> list[dict[str, str]]:
    """The rows of a machine file."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def people(path: Path) -> list[dict[str, str]]:
    """The rows of a people's file."""
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";"))


__all__ = ["Database", "Room", "a_catalogue", "machine", "people"]
