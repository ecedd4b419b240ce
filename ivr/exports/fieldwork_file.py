"""`fieldwork.csv`: how the telephone fieldwork went, per provider: AAPOR rates, calls by outcome, discounted records.

One row per measure: (groep, maat, sleutel, waarde, n). Groups: `inburgering` and `telefoonoptie` (the two tracks),
`telefonisch` (both together), `opgeleverd` and `opgeleverd_opdrachtgevers` (delivered clients and commissioners: the
records that stand, those outside the net sample and why, rejected rows and why). A group with fewer records than the
minimum shows no values, and neither does what could be worked out by subtracting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ivr.exports.scores import Scores
from ivr.exports.scores_files import HEAD
from ivr.store import Session, rejections, tallies
from ivr.store.reading import SampleRow
from ivr.survey.disposition import Outcome
from ivr.survey.scoring import Rules, hidden_groups, per_success, rates

HEADER = (*HEAD, "groep", "maat", "sleutel", "waarde", "n")
TRACKS = {"inburgering": "inburgering", "purchased": "telefoonoptie"}
TOGETHER = "telefonisch"
DELIVERED = {"client": "opgeleverd", "commissioner": "opgeleverd_opdrachtgevers"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of the fieldwork; `value` is None where the group is too small or the figure does not exist.
    n: records in the group."""

    group: str
    measure: str
    key: str
    value: Decimal | int | None
    n: int


def compute(
    session: Session, rules: Rules, outcomes: Mapping[str, Outcome], scores: Sequence[Scores]
) -> list[tuple[SampleRow, list[Measure]]]:
    """The measures of each sample, in order."""
    ids = [one.sample.id for one in scores]
    cases: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    calls: dict[int, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    successes: dict[int, Counter[str]] = defaultdict(Counter)
    for sample_id, track, disposition, count in tallies.worked_cases(session, ids):
        cases[sample_id][TRACKS[track]][disposition] += count
    for sample_id, track, outcome, count in tallies.calls(session, ids):
        calls[sample_id][TRACKS[track]][outcome or ""] += count
    for sample_id, track, count in tallies.successes(session, ids):
        successes[sample_id][TRACKS[track]] += int(count or 0)
    delivered: Counter[tuple[int, str]] = Counter()
    for sample_id, group, *_, count in tallies.records(session, ids):
        delivered[sample_id, group] += count
    rejected: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for sample_id, group, code, count in rejections.counts(session, ids):
        rejected[sample_id, group][code] = count
    result: list[tuple[SampleRow, list[Measure]]] = []
    for one in scores:
        id = one.sample.id
        measures = [*_phone(cases[id], calls[id], successes[id], outcomes, rules)]
        for group, name in DELIVERED.items():
            n, refused = delivered[id, group], rejected[id, group]
            measures += _records(name, n, one.discounted[group], refused, rules)
        result.append((one.sample, measures))
    return result


def rows(computed: Sequence[tuple[SampleRow, list[Measure]]]) -> Iterator[tuple]:
    """The rows of the file."""
    for sample, measures in computed:
        head = (sample.provider, sample.period_from.isoformat(), sample.period_to.isoformat())
        for one in measures:
            yield (*head, one.group, one.measure, one.key, one.value, one.n)


def _phone(
    cases: Mapping[str, Counter[str]],
    calls: Mapping[str, Counter[str]],
    successes: Counter[str],
    outcomes: Mapping[str, Outcome],
    rules: Rules,
) -> Iterator[Measure]:
    bases = {track: sum(cases[track].values()) for track in TRACKS.values() if track in cases}
    hidden = hidden_groups(bases, rules.minimum_n)
    names = [*bases, TOGETHER] if len(bases) > 1 else list(bases)
    for name in names:
        tracks = list(bases) if name == TOGETHER else [name]
        found: Counter[str] = sum((cases[track] for track in tracks), Counter())
        made: Counter[str] = sum((calls.get(track, Counter()) for track in tracks), Counter())
        n = sum(found.values())
        is_hidden = name in hidden or n < rules.minimum_n
        for measure, key, value in _values(found, made, sum(successes[track] for track in tracks), outcomes):
            yield Measure(name, measure, key, None if is_hidden else value, n)


def _values(
    cases: Counter[str], calls: Counter[str], successes: int, outcomes: Mapping[str, Outcome]
) -> Iterator[tuple[str, str, Decimal | int | None]]:
    groups: Counter[str] = Counter()
    for code, count in cases.items():
        groups[outcomes[code].group if code in outcomes else ""] += count
    yield "clienten", "", sum(cases.values())
    yield "interviews", "geslaagd", successes
    yield "gesprekken", "", sum(calls.values())
    yield "gesprekken_per_geslaagd", "", per_success(sum(calls.values()), successes)
    for name, rate in rates(groups).items():
        yield "aapor", name, rate
    for code, count in sorted(calls.items()):
        yield "gesprekken_naar_uitkomst", code or "nog_onbekend", count
    for code, count in sorted(cases.items()):
        yield "clienten_naar_stand", code, count


def _records(
    group: str, n: int, discounted: Mapping[str, int], rejected: Mapping[str, int], rules: Rules
) -> Iterator[Measure]:
    rows = n + sum(rejected.values())
    if rows == 0:
        return
    is_shown = n >= rules.minimum_n
    yield Measure(group, "records", "", n if is_shown else None, n)
    yield Measure(group, "netto", "", n - sum(discounted.values()) if is_shown else None, n)
    for reason, count in discounted.items():
        yield Measure(group, "buiten_netto", reason, count if is_shown else None, n)
    # Of the delivered rows, not of the records: a rejected row never became one.
    for code, count in sorted(rejected.items()):
        yield Measure(group, "geweigerd", code, count if is_shown and rows >= rules.minimum_n else None, rows)
