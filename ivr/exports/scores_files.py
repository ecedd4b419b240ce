"""The five files of scoring as rows: table 1.1, promotor score, aspects, norm, figures. Columns and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ivr.exports.scores import Scores

HEAD = ("provider", "meetperiode_van", "meetperiode_tot")
TABLE = (*HEAD, "groep", "dienst", "netto_steekproef", "ingevuld", "respons_pct", "rapportcijfer", "publicatie")
PROMOTOR = (*HEAD, "aangeraden", "n", "promotorscore")
ASPECTS = (*HEAD, "aspect", "antwoord", "aantal", "pct", "n", "pct_alle_deelnemers")
NORM = (*HEAD, "dienst", "n", "rapportcijfer", "norm", "uitkomst", "standaardafwijking", "publicatie", "voorbehoud")
FIGURES = (
    *HEAD, "groep", "figuur", "titel", "vraag", "antwoord", "aantal", "pct", "n", "pct_alle_deelnemers", "gemiddelde",
    "gemiddelde_alle_deelnemers",
)  # fmt: skip
GROUPS = {"client": "clienten", "commissioner": "opdrachtgevers"}


def files(scores: Sequence[Scores]) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    """(file, heading, rows) of the five files."""
    yield "tabel_1_1.csv", TABLE, _per(scores, _table_rows)
    yield "promotorscore.csv", PROMOTOR, _per(scores, _promotor_rows)
    yield "aspecten.csv", ASPECTS, _per(scores, _aspect_rows)
    yield "norm.csv", NORM, _per(scores, _norm_rows)
    yield "figuren.csv", FIGURES, _per(scores, _figure_rows)


def _per(scores: Sequence[Scores], rows: Callable[[Scores], Iterable[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
    for one in scores:
        sample = one.sample
        for row in rows(one):
            yield (sample.provider, sample.period_from.isoformat(), sample.period_to.isoformat(), *row)


def _table_rows(one: Scores) -> Iterator[tuple[Any, ...]]:
    for row in one.table:
        published = "ja" if row.is_published else "nee"
        yield (row.group, row.service, row.net, row.completed, row.response, row.grade_text, published)


def _promotor_rows(one: Scores) -> Iterator[tuple[Any, ...]]:
    if one.promotor is not None:
        shown = one.promotor.score is not None
        yield (one.promotor.recommended if shown else "*", one.promotor.n, one.promotor.score if shown else "*")


def _norm_rows(one: Scores) -> Iterator[tuple[Any, ...]]:
    for row, printed in zip(one.norm, one.table, strict=False):
        published = "ja" if printed.is_published else "nee"
        mean = "*" if row.mean is None else row.mean
        yield (row.service, row.n, mean, row.norm, row.outcome, row.spread, published, one.disclaimer)


def _aspect_rows(one: Scores) -> Iterator[tuple[Any, ...]]:
    for row in one.aspects:
        yield (row.question, row.answer, row.count, row.percent, row.n, row.benchmark)


def _figure_rows(one: Scores) -> Iterator[tuple[Any, ...]]:
    for row in one.figures:
        yield (
            GROUPS[row.group], row.figure, row.title, row.question, row.answer, row.count, row.percent, row.n,
            row.benchmark, row.mean, row.benchmark_mean,
        )  # fmt: skip
