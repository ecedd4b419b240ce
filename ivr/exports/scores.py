"""The files of scoring: table 1.1, norm, promotor score, aspects and figures, per provider and meetperiode.

Decides what a row of each file holds; the rules stand in `survey/scoring`, the counting in `store/tallies`. The
benchmark "alle deelnemers" is every provider with the same meetperiode, one's own included, all answers together;
an export of one provider therefore still counts all of them. Client-level data never comes here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from ivr.exports.benchmark import Benchmark
from ivr.store import Session, reading, tallies
from ivr.store.reading import SampleRow
from ivr.survey.forms import GRADE_OF, RECOMMENDED, find_question
from ivr.survey.questionnaire import Option, Question, Questionnaire
from ivr.survey.scoring import (
    PROVINCE,
    Distribution,
    NormRow,
    Provinces,
    Record,
    Rules,
    TableRow,
    add,
    client_rows,
    commissioner_row,
    distribution,
    left_out,
    mean_of,
    norm_row,
    numbered,
    numbers,
    promotor_score,
    relatively_good,
)
from ivr.survey.services import INBURGERING

GROUPS = ("client", "commissioner")
MEAN = "gemiddelde"


@dataclass(frozen=True, slots=True)
class Shown:
    """One printed category: counts are None where the base is too small, the benchmark None where it is withheld."""

    group: str
    figure: str
    title: str
    question: str
    answer: str
    count: int | None
    percent: Decimal | None
    n: int
    benchmark: Decimal | None
    mean: Decimal | None = None
    benchmark_mean: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Promotor:
    """How many recommended the provider, of how many; both None where the net sample is one person, whose answer
    would be told (the same rule as the asterisk of table 1.1)."""

    recommended: int | None
    n: int
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that is printed about one provider and meetperiode."""

    sample: SampleRow
    table: list[TableRow]
    norm: list[NormRow]
    promotor: Promotor | None
    aspects: list[Shown]
    figures: list[Shown]
    points: tuple[str, ...]
    discounted: Mapping[str, Mapping[str, int]]
    """group → why a record is outside the net sample → how many"""
    disclaimer: str


@dataclass
class _Counted:
    """What was counted of one sample."""

    net: Counter[int | None] = field(default_factory=Counter)
    completed: Counter[int | None] = field(default_factory=Counter)
    grades: dict[int | None, Counter[Decimal]] = field(default_factory=lambda: defaultdict(Counter))
    commissioners: Counter[str] = field(default_factory=Counter)
    commissioner_grades: Counter[Decimal] = field(default_factory=Counter)
    promotor_base: int = 0
    discounted: dict[str, Counter[str]] = field(default_factory=lambda: {group: Counter() for group in GROUPS})
    tally: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {"client": defaultdict(Counter), "commissioner": defaultdict(Counter)}
    )


def compute(
    session: Session,
    rules: Rules,
    provinces: Provinces,
    forms: Mapping[str, Questionnaire],
    services: Mapping[int, str],
    samples: Sequence[SampleRow],
) -> list[Scores]:
    """The scores of these samples, in their order; the benchmark counts all samples of their periods."""
    periods = sorted({(one.period_from, one.period_to) for one in samples})
    everyone = [one for period in periods for one in reading.find_samples(session, period=period)]
    counted = _count(session, rules, provinces, [one.id for one in everyone])
    by_period: dict[tuple[date, date], list[_Counted]] = defaultdict(list)
    for one in everyone:
        by_period[one.period_from, one.period_to].append(counted[one.id])
    benchmarks = {
        period: {
            group: Benchmark([part.tally[group] for part in parts], rules, lambda id: _known(forms, provinces, id))
            for group in GROUPS
        }
        for period, parts in by_period.items()
    }
    return [
        _scores(one, counted[one.id], benchmarks[one.period_from, one.period_to], rules, provinces, forms, services)
        for one in samples
    ]


def _count(session: Session, rules: Rules, provinces: Provinces, sample_ids: list[int]) -> dict[int, _Counted]:
    counted = {id: _Counted() for id in sample_ids}
    for row in tallies.records(session, sample_ids):
        sample_id, group, service, route, exclusion, elsewhere, disposition, reached, answered, count = row
        one = counted[sample_id]
        record = Record(group, route, exclusion, elsewhere, disposition, bool(reached), bool(answered))
        reason = left_out(record, rules)
        if reason is not None:
            one.discounted[group][reason] += count
        elif group == "commissioner":
            one.commissioners["net"] += count
            one.commissioners["completed"] += count if answered else 0
        else:
            one.net[service] += count
            one.completed[service] += count if answered else 0
    for sample_id, group, service, question, value, count in tallies.answers(session, sample_ids, rules.gives_way):
        one = counted[sample_id]
        one.tally[group][question][value] += count
        if question == GRADE_OF["opdrachtgever"]:
            one.commissioner_grades.update(_grades(value, count))
        elif question in GRADE_OF.values():
            one.grades[service].update(_grades(value, count))
    for row in tallies.questionnaires(session, sample_ids, rules.gives_way):
        sample_id, group, _service, questionnaire, postcode, count = row
        if group == "client":
            counted[sample_id].tally[group][PROVINCE][provinces.of(postcode)] += count
            counted[sample_id].promotor_base += count if questionnaire != "inburgering" else 0
    return counted


def _grades(value: str, count: int) -> dict[Decimal, int]:
    return {grade: n for grade, n in numbers({value: count}).items() if 1 <= grade <= 10}


def _scores(
    sample: SampleRow,
    counted: _Counted,
    benchmarks: Mapping[str, Benchmark],
    rules: Rules,
    provinces: Provinces,
    forms: Mapping[str, Questionnaire],
    services: Mapping[int, str],
) -> Scores:
    net = {code: n for code, n in counted.net.items() if code is not None}
    completed = {code: n for code, n in counted.completed.items() if code is not None}
    grades = {code: found for code, found in counted.grades.items() if code is not None}
    has_clients = bool(net) or any(counted.tally["client"].values())
    table = client_rows(net, completed, grades, services, rules) if has_clients else []
    norm = [
        norm_row(
            row.service,
            row.net,
            add(grades.values()) if row.code is None else grades.get(row.code, {}),
            rules.norm_total if row.code is None else rules.norm_service,
            rules,
        )
        for row in table
    ]
    commissioners = commissioner_row(
        counted.commissioners["net"], counted.commissioners["completed"], counted.commissioner_grades, rules
    )
    clients, bench = counted.tally["client"], benchmarks["client"]
    aspects = [question for form in forms.values() for question in form.questions if question.is_aspect]
    own = {one.id: distribution(one.id, one, clients.get(one.id, {})) for one in aspects}
    shown_own = {id: part for id, part in own.items() if part.n >= rules.minimum_n}
    return Scores(
        sample=sample,
        table=[*table, commissioners] if commissioners else table,
        norm=norm,
        promotor=_promotor(counted),
        aspects=[shown for part in own.values() for shown in _categories("client", "", "", part, bench, rules)],
        figures=_figures(counted, benchmarks, rules, lambda id: _known(forms, provinces, id)),
        points=relatively_good(shown_own, {id: part for id in own if (part := bench.distribution(id))}, rules),
        discounted={group: dict(sorted(found.items())) for group, found in counted.discounted.items()},
        disclaimer=rules.disclaimer,
    )


def _promotor(counted: _Counted) -> Promotor | None:
    """None where nobody was asked. Inburgering does not ask it, so its respondents are not in n (rule 21)."""
    n = counted.promotor_base
    if n == 0:
        return None
    if sum(net for service, net in counted.net.items() if service not in (None, INBURGERING)) == 1:
        return Promotor(None, n, None)
    recommended = counted.tally["client"].get(RECOMMENDED, Counter())["ja"]
    return Promotor(recommended, n, promotor_score(recommended, n))


def _figures(counted: _Counted, benchmarks: Mapping[str, Benchmark], rules: Rules, known: Any) -> list[Shown]:
    figures: list[Shown] = []
    parts = {
        (group, id): distribution(id, known(id), counts)
        for group in GROUPS
        for id, counts in sorted(counted.tally[group].items())
    }
    answered = [id for (_, id), part in parts.items() if part.n]
    groups = {id: group for group, id in parts}
    for figure in numbered(rules.figures, answered):
        for id in figure.questions:
            group, bench = groups[id], benchmarks[groups[id]]
            part = parts[group, id]
            if figure.is_mean:
                is_shown = part.n >= rules.minimum_n
                mean = mean_of(counted.tally[group][id]) if is_shown else None
                row = Shown(
                    group, figure.number, figure.title, id, MEAN, None, None, part.n, None, mean, bench.mean(id)
                )
                figures.append(row)
            else:
                figures += _categories(group, figure.number, figure.title, part, bench, rules)
    return figures


def _categories(
    group: str, figure: str, title: str, part: Distribution, bench: Benchmark, rules: Rules
) -> Iterator[Shown]:
    """A row per answer; of a question that nobody answered there is none."""
    if part.n == 0:
        return
    is_shown = part.n >= rules.minimum_n
    for answer, count in part.parts:
        yield Shown(
            group,
            figure,
            title,
            part.question,
            answer,
            count if is_shown else None,
            part.percent(count) if is_shown else None,
            part.n,
            bench.percent(part.question, answer),
        )


def _known(forms: Mapping[str, Questionnaire], provinces: Provinces, id: str) -> Question | None:
    if id == PROVINCE:
        options = tuple(Option("", name, name) for name in provinces.names)
        return Question(PROVINCE, "single", "Provincie", "Provincie", options)
    return next((found for form in forms.values() if (found := find_question(form, id))), None)
