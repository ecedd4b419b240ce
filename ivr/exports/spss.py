"""`interviews.sav` for SPSS and PSPP: numbers with Dutch variable and value labels, missing values declared.

A code becomes the number of its option in the questionnaire (1, 2, …); no answer becomes a negative number (-1 weet
niet, -2 niet begrepen, -3 geen antwoord), declared missing for every question, so that it can never be taken for a
grade or a count. A code that only an older version of the questionnaire knew gets a number from 101 up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr.exports.codebook import COLUMNS, ENDINGS, GROUPS, MISSING_LABELS, MODES
from ivr.survey.questionnaire import Question

MISSING_CODES: Mapping[str, int] = {"weet_niet": -1, "niet_begrepen": -2, "geen_antwoord": -3}
FIRST_OLD_CODE = 101

# The header of a .sav holds the day and time of writing; these bytes are set to a fixed moment so that the same data
# gives the same file (layout: PSPP developer's guide, "File Header Record").
_DATE_AT, _FIXED_DATE = 92, b"01 Jan 0000:00:00"


def write(source: Path, target: Path, known: Mapping[str, Question | None], services: Mapping[int, str]) -> int:
    """Write `target` from the wide CSV; gives the number of rows. The whole table is held in memory."""
    import pandas as pd
    import pyreadstat

    frame = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8")
    labels: dict[str, str | None] = {}
    values: dict[str, dict[Any, str]] = {}
    missing: dict[str, list[Any]] = {}
    measures: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if name in known:
            columns[name], values[name] = _question(frame[name], known[name])
            question = known[name]
            labels[name] = question.label if question else name
            missing[name] = [{"lo": min(MISSING_CODES.values()), "hi": max(MISSING_CODES.values())}]
            measures[name] = "scale" if question is not None and question.kind != "single" else "nominal"
            continue
        labels[name] = COLUMNS[name]
        measures[name] = "nominal"
        if name in ("service", "questionnaire_version", "usable", "successful"):
            numbers: Any = pd.to_numeric(frame[name], errors="coerce")
            columns[name] = numbers.astype("float64")
        elif name in ("started_at", "ended_at", "period_from", "period_to"):
            columns[name] = pd.to_datetime(frame[name], errors="coerce", utc=True).dt.tz_localize(None)
            measures[name] = "scale"
        else:
            columns[name] = frame[name]
    values |= {
        "service": {float(code): label for code, label in services.items()},
        "usable": {0.0: "Niet bruikbaar", 1.0: "Bruikbaar"},
        "successful": {0.0: "Telt niet mee", 1.0: "Telt mee voor het afgesproken aantal"},
        "group": dict(GROUPS),
        "mode": dict(MODES),
        "disposition": dict(ENDINGS),
    }
    table: Any = pd.DataFrame(columns)
    pyreadstat.write_sav(
        table,
        str(target),
        file_label="Toets: interviews",
        column_labels=labels,
        variable_value_labels={name: found for name, found in values.items() if found},
        missing_ranges=missing,
        variable_measure=measures,
    )
    with target.open("r+b") as file:
        file.seek(_DATE_AT)
        file.write(_FIXED_DATE)
    return len(table)


def _question(texts: Any, question: Question | None) -> tuple[Any, dict[Any, str]]:
    """A column of codes or numbers as numbers, and their labels."""
    import pandas as pd

    codes: dict[str, float] = {code: float(number) for code, number in MISSING_CODES.items()}
    labels: dict[Any, str] = {float(number): MISSING_LABELS[code] for code, number in MISSING_CODES.items()}
    if question is not None and question.kind != "single":
        plain: Any = pd.to_numeric(texts, errors="coerce")
        return plain.fillna(texts.map(codes)).astype("float64"), labels
    options = [option for option in question.options if option.code not in codes] if question else []
    for number, option in enumerate(options, start=1):
        codes[option.code] = float(number)
        labels[float(number)] = option.text
    old = sorted(set(texts.unique()) - codes.keys() - {""})
    for number, code in enumerate(old, start=FIRST_OLD_CODE):
        codes[code] = float(number)
        labels[float(number)] = code
    return texts.map(codes).astype("float64"), labels
