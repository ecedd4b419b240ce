"""Table 1.1: net sample, response, grade and publication, per service, Totaal and commissioners.

Decides who belongs to the net sample (rules 12 and interfaces), what is printed where there is no grade (rules 19
and 20) and whether a row is published (rule 18). Who is usable was decided before; the counting is the store's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ivr.survey.scoring_rounding import comma, percentage, printed_mean
from ivr.survey.scoring_rules import Rules

TOTAL = "Totaal"
TOTAL_COMMISSIONERS = "Totaal opdrachtgevers"
CLIENTS = "clienten"
COMMISSIONERS = "opdrachtgevers"

Grades = Mapping[Decimal, int]


@dataclass(frozen=True, slots=True)
class Record:
    """What the net sample must know of one delivered record.

    exclusion: why it was left out at delivery or later. outcome_elsewhere: what the mailing tool learnt. disposition:
    how its calls ended. is_reached: a call rang, was answered or met voicemail. has_answered: usable, by any mode.
    """

    group: str
    route: str
    exclusion: str | None
    outcome_elsewhere: str | None
    disposition: str
    is_reached: bool
    has_answered: bool


def left_out(record: Record, rules: Rules) -> str | None:
    """Why this record is outside the net sample; None when it is inside.

    Who answered was reached, whatever bounced. A regular-route client and a commissioner count as invited unless
    the mailing tool says the invitation could not be delivered. A telephone client counts once a call reached a
    working number, or the mailing tool invited the person; being announced a call is no invitation.
    """
    if record.exclusion is not None and not (record.exclusion in rules.gives_way and record.has_answered):
        return record.exclusion
    if record.has_answered:
        return None
    if record.group == "commissioner" or record.route == "regular":
        return "undeliverable" if record.outcome_elsewhere == "undeliverable" else None
    if record.outcome_elsewhere == "invited":
        return None
    if record.disposition in rules.undeliverable:
        return record.disposition
    if record.is_reached:
        return None
    return "undeliverable" if record.outcome_elsewhere == "undeliverable" else "not_invited"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row as it is printed; `grade` is the printed mean, None where `grade_text` is an asterisk."""

    group: str
    service: str
    code: int | None
    net: int
    completed: int
    response: Decimal
    grade: Decimal | None
    grade_text: str
    is_published: bool


def client_rows(
    net: Mapping[int, int],
    completed: Mapping[int, int],
    grades: Mapping[int, Grades],
    services: Mapping[int, str],
    rules: Rules,
) -> list[TableRow]:
    """A row per service with a net sample, in service order, then Totaal: the mean over clients, not over services.

    All arguments are keyed by service code; `grades` holds each grade with how often it was given.
    """
    codes = sorted(code for code in net.keys() | completed.keys() if net.get(code, 0) or completed.get(code, 0))
    rows = [
        _row(
            CLIENTS,
            services.get(code, str(code)),
            code,
            net.get(code, 0),
            completed.get(code, 0),
            grades.get(code, {}),
            rules,
        )
        for code in codes
    ]
    everyone = add(grades.get(code, {}) for code in codes)
    total_net = sum(net.get(code, 0) for code in codes)
    total_completed = sum(completed.get(code, 0) for code in codes)
    return [*rows, _row(CLIENTS, TOTAL, None, total_net, total_completed, everyone, rules)]


def commissioner_row(net: int, completed: int, grades: Grades, rules: Rules) -> TableRow | None:
    """The commissioners' row; None when none was invited. None answered prints 0,0; always published."""
    if net == 0:
        return None
    if completed == 0:
        zero = Decimal("0.0")
        return TableRow(COMMISSIONERS, TOTAL_COMMISSIONERS, None, net, 0, zero, zero, comma(zero), True)
    row = _row(COMMISSIONERS, TOTAL_COMMISSIONERS, None, net, completed, grades, rules)
    return TableRow(row.group, row.service, None, net, completed, row.response, row.grade, row.grade_text, True)


def is_published(net: int, response: Decimal, rules: Rules) -> bool:
    """Whether the printed response reaches what is asked of a net sample of this size."""
    for limit, minimum in rules.publication:
        if limit is None or net <= limit:
            return response >= minimum
    return False


def add(parts: Iterable[Grades]) -> Counter[Decimal]:
    """The grades of several groups together."""
    together: Counter[Decimal] = Counter()
    for part in parts:
        together.update(part)
    return together


def _row(
    group: str, service: str, code: int | None, net: int, completed: int, grades: Grades, rules: Rules
) -> TableRow:
    response = percentage(completed, net, 1)
    # One person's grade is never printed; the row and its publication follow the response all the same.
    grade = None if net == 1 and completed else printed_mean(grades)
    text = "*" if grade is None else comma(grade)
    return TableRow(group, service, code, net, completed, response, grade, text, is_published(net, response, rules))
