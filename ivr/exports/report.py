"""`report_<provider>.json`: everything that a report of one provider prints, in one document.

Its form is published as `report.schema.json`, which is written beside it; `version` is that of the form. Numbers are
exact texts with a point ("8.9"), as printed, because a JSON number would be read as a binary fraction. Where a group
is too small to be shown the values are null, as in the CSV files; nothing here belongs to one person.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from importlib import resources
from typing import Any

from ivr.exports.fieldwork_file import Measure
from ivr.exports.files import Outbox
from ivr.exports.scores import Scores, Shown
from ivr.store.reading import SampleRow

VERSION = 1
SCHEMA = "report.schema.json"


def write(outbox: Outbox, scores: Sequence[Scores], fieldwork: Sequence[tuple[SampleRow, list[Measure]]]) -> None:
    """Write a document per provider, with all its periods, and the schema."""
    measures = {sample.id: found for sample, found in fieldwork}
    by_provider: dict[str, list[Scores]] = {}
    for one in scores:
        by_provider.setdefault(one.sample.provider, []).append(one)
    taken: set[str] = set()
    for provider, periods in by_provider.items():
        name = file_name(provider, taken)
        taken.add(name)
        document = {
            "version": VERSION,
            "provider": provider,
            "periods": [_period(one, measures.get(one.sample.id, [])) for one in periods],
        }
        outbox.document(name, document)
    if by_provider:
        outbox.document(SCHEMA, schema())


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json.loads(resources.files("ivr.exports").joinpath(SCHEMA).read_text(encoding="utf-8"))


def file_name(provider: str, taken: set[str]) -> str:
    """A plain file name for a provider, unlike those in `taken`: "Träck 2 B.V." → report_track_2_b_v.json."""
    plain = unicodedata.normalize("NFKD", provider.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:80] or "dienstverlener"
    name, number = f"report_{slug}.json", 2
    while name in taken:
        name, number = f"report_{slug}_{number}.json", number + 1
    return name


def _period(one: Scores, measures: Sequence[Measure]) -> dict[str, Any]:
    return {
        "period_from": one.sample.period_from.isoformat(),
        "period_to": one.sample.period_to.isoformat(),
        "disclaimer": one.disclaimer,
        "table_1_1": [
            {
                "group": row.group,
                "service": row.service,
                "service_code": row.code,
                "net_sample": row.net,
                "completed": row.completed,
                "response_percent": _text(row.response),
                "grade": _text(row.grade),
                "grade_printed": row.grade_text,
                "published": row.is_published,
            }
            for row in one.table
        ],
        "norm": [
            {
                "service": row.service,
                "n": row.n,
                "grade": _text(row.mean),
                "norm": _text(row.norm),
                "outcome": row.outcome,
                "standard_deviation": _text(row.spread),
            }
            for row in one.norm
        ],
        "promotor_score": None
        if one.promotor is None or one.promotor.score is None
        else {"recommended": one.promotor.recommended, "n": one.promotor.n, "score": _text(one.promotor.score)},
        "relatively_good": list(one.points),
        "aspects": [_shown(row) for row in one.aspects],
        "figures": [
            {"group": row.group, "figure": row.figure, "title": row.title, **_shown(row)} for row in one.figures
        ],
        "discounted": dict(sorted(sum((Counter(found) for found in one.discounted.values()), Counter()).items())),
        "fieldwork": [
            {
                "group": row.group,
                "measure": row.measure,
                "key": row.key,
                "value": None if row.value is None else str(row.value),
                "n": row.n,
            }
            for row in measures
        ],
    }


def _shown(row: Shown) -> dict[str, Any]:
    return {
        "question": row.question,
        "answer": row.answer,
        "count": row.count,
        "percent": _text(row.percent),
        "n": row.n,
        "benchmark_percent": _text(row.benchmark),
        "mean": _text(row.mean),
        "benchmark_mean": _text(row.benchmark_mean),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
