"""A provider's report as a test invents it: its lists and answers, and how they reach the commands.

Everything expected is worked out with plain integers and Decimal's own ROUND_HALF_UP, not with the project's code.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

LD_ASPECTS = (
    "LD_C_AANDACHT", "LD_C_INFO", "LD_C_BEGRIP", "LD_K_SNEL1", "LD_K_MAIL", "LD_K_EERSTE", "LD_K_PLAATS", "LD_K_TEL",
    "LD_B_STAP",
)  # fmt: skip
INB = {
    "INB_LES": "altijd", "INB_ANTW": "vaak", "INB_PRAAT": "ja", "INB_OEF": "goed", "INB_HUISWERK": "nee",
    "INB_PRETTIG": "soms", "INB_SCHOOL": "heel_goed", "INB_ZIEK": "nee",
}  # fmt: skip
HEADER = (
    "provider", "period_from", "period_to", "group", "respondent", "service", "questionnaire", "mode", "question",
    "value", "answered_at",
)  # fmt: skip
CLIENTS = (
    "clientnummer", "voornaam", "achternaam", "email", "telefoon", "dienst", "leerprofiel", "einddatum_traject",
    "toestemming", "zelfmelder", "postcode",
)  # fmt: skip
COMMISSIONERS = ("opdrachtgevernummer", "naam", "email")
PERIOD = ("2020-01-01", "2020-12-31")

Run = Callable[..., dict[str, Any]]
Row = tuple[str, ...]


@dataclass
class Report:
    """Collects a provider's list and answers, and delivers them."""

    provider: str
    period: tuple[str, str] = PERIOD
    clients: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    commissioners: list[Row] = field(default_factory=list)

    def client(self, service: int, *, profile: int = 3, phone: str = "", self_referred: str = "", zip: str = "") -> int:
        """Put a client on the list; its number."""
        number = len(self.clients) + 1
        name = (f"Voornaam{number}", f"Achternaam{number}", f"c{number}@example.org")
        ended = "" if service == 11 and phone else self.period[1]
        shown = str(profile) if service == 11 else ""
        consent = "ja" if phone else ""
        self.clients.append((str(number), *name, phone, str(service), shown, ended, consent, self_referred, zip))
        return number

    def add(
        self,
        service: int,
        net: int,
        grades: Iterable[int | None],
        *,
        vary: Callable[[int], dict[str, str]] | None = None,
        **extra: str,
    ) -> None:
        """`net` clients of a service, of whom the first gave these grades (None: usable without a grade). extra: the
        same further answers of all of them; vary: further answers of the nth."""
        given = list(grades)
        for nth in range(net):
            number = self.client(service)
            if nth < len(given):
                answers = form(service, given[nth]) | extra | (vary(nth) if vary else {})
                self.answer(number, service, answers, ("web", "post", "email")[nth % 3], nth=nth)

    def answer(self, number: int, service: int, answers: dict[str, str], mode: str = "web", *, nth: int = 0) -> None:
        """Answers of a client; of every second client in the simple questionnaire."""
        sheet = "inburgering" if service == 11 else ("laagdrempelig", "regulier")[nth % 2]
        head = (self.provider, *self.period, "client", str(number), str(service), sheet, mode)
        at = f"2021-01-{1 + nth % 28:02}T10:00:00Z"
        self.answers += [(*head, question, value, at) for question, value in answers.items()]

    def commissioner(self, answers: dict[str, str] | None = None) -> None:
        """Invite a commissioner, who may have answered."""
        number = f"OG{len(self.commissioners) + 1}"
        self.commissioners.append((number, f"Gemeente {number}", f"{number}@example.org"))
        head = (self.provider, *self.period, "commissioner", number, "", "opdrachtgever", "email")
        self.answers += [(*head, id, value, "2021-01-06T09:00:00Z") for id, value in (answers or {}).items()]

    def deliver(self, run: Run, folder: Path) -> None:
        """Send everything through the commands; nothing may be rejected."""
        where = ("--provider", self.provider, "--period", "/".join(self.period))
        if self.clients:
            taken = run("sample", "import", write(folder / "list.csv", CLIENTS, self.clients), *where)
            assert taken["accepted"] == len(self.clients), taken["rejected"][:3]
        if self.commissioners:
            file = write(folder / "list.csv", COMMISSIONERS, self.commissioners)
            run("sample", "import", file, *where, "--group", "commissioner")
        if self.answers:
            taken = run("responses", "import", write(folder / "list.csv", HEADER, self.answers))
            assert (taken["accepted"], taken["rejected"]) == (len(self.answers), [])


def form(service: int, grade: int | None) -> dict[str, str]:
    """A usable questionnaire."""
    answers = dict(INB) if service == 11 else dict.fromkeys(LD_ASPECTS, "tevreden")
    if service == 5:
        answers["LD_DUUR"] = "goed"
    if grade is not None:
        answers["INB_CIJFER" if service == 11 else "LD_CIJFER"] = str(grade)
    return answers


def write(path: Path, header: Row, rows: Iterable[Row]) -> Path:
    """A file as it is delivered."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])
    return path


def printed(value: Fraction, places: int = 1) -> str:
    """As it is printed: half up, with a comma."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return str(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)).replace(".", ",")


def table_row(service: str, net: int, grades: list[int | None]) -> list[str]:
    """A client row of table 1.1 from its group on."""
    valid = [grade for grade in grades if grade is not None]
    response = printed(Fraction(100 * len(grades), net))
    grade = "*" if not valid or net == 1 else printed(Fraction(sum(valid), len(valid)))
    published = "ja" if float(response.replace(",", ".")) >= 30 else "nee"
    return ["clienten", service, str(net), str(len(grades)), response, grade, published]
