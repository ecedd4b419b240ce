"""`interviews.sav` for SPSS and PSPP: numbers with Dutch variable and value labels, missing values declared.

A code becomes the number of its option in the questionnaire (1, 2, …); no answer becomes a negative number (-1 weet
niet, -2 niet begrepen, -3 geen antwoord), declared missing for every question, so that it can never be taken for a
grade or a count. A code that only an older version of the questionnaire knew gets a number from 101 up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ivr.exports.codebook import COLUMNS, ENDINGS, GROUPS, MISSING_LABELS, MODES
from ivr.exports.machine import INTERVIEWS
from ivr.survey.forms import DECIMAL_SCALE, as_number
from ivr.survey.questionnaire import Question

_SPSS_EPOCH = 12_219_379_200
"""Seconds from SPSS's zero, 14 October 1582, to 1970."""
_NUMBERS = frozenset({"service", "questionnaire_version", "usable", "successful"})
_TIMES = frozenset({"started_at", "ended_at", "period_from", "period_to"})

MISSING_CODES: Mapping[str, int] = {"weet_niet": -1, "niet_begrepen": -2, "geen_antwoord": -3}
FIRST_OLD_CODE = 101

# The header of a .sav holds the day and time of writing; these bytes are set to a fixed moment so that the same data
# gives the same file (layout: PSPP developer's guide, "File Header Record").
_DATE_AT, _FIXED_DATE = 92, b"01 Jan 0000:00:00"


def write(source: Path, target: Path, known: Mapping[str, Question | None], services: Mapping[int, str]) -> int:
    """Write `target` from the wide CSV; gives the number of rows. The whole table is held in memory, as numbers."""
    import pandas as pd
    import pyreadstat

    table = _read(source, known)
    names = variable_names(table.column_names)
    columns: dict[str, Any] = {}
    values: dict[str, Mapping[Any, str]] = {
        "service": {float(code): label for code, label in services.items()},
        "usable": {0.0: "Niet bruikbaar", 1.0: "Bruikbaar"},
        "successful": {0.0: "Telt niet mee", 1.0: "Telt mee voor het afgesproken aantal"},
        "group": GROUPS,
        "mode": MODES,
        "disposition": ENDINGS,
    }
    for name in table.column_names:
        column = table.column(name)
        if name in known:
            columns[names[name]], values[name] = _question(column, known[name])
        else:
            columns[names[name]] = _moments(column) if name in _TIMES else _plain(column, name)
    rows = table.num_rows
    del table
    asked = [name for name in names if name in known]
    every_reason: Any = {"lo": min(MISSING_CODES.values()), "hi": max(MISSING_CODES.values())}
    scales = {name for name in asked if (question := known[name]) is not None and question.kind != "single"}
    frame: Any = pd.DataFrame(columns, copy=False)
    pyreadstat.write_sav(
        frame,
        str(target),
        file_label="Toets: interviews",
        column_labels={names[name]: _label(name, known) for name in names},
        variable_value_labels={names[name]: dict(found) for name, found in values.items() if found},
        missing_ranges={names[name]: [every_reason] for name in asked},
        variable_format={names[name]: shown for name in names if (shown := _format(name, known))},
        variable_measure={names[name]: "scale" if name in scales or name in _TIMES else "nominal" for name in names},
    )
    with target.open("r+b") as file:
        file.seek(_DATE_AT)
        file.write(_FIXED_DATE)
    return rows


def _read(source: Path, known: Mapping[str, Question | None]) -> Any:
    """The wide CSV as an Arrow table: questions as codes (each text once), numbers and moments as such."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    types: dict[str, pa.DataType] = {
        name: pa.float64() if name in _NUMBERS else pa.timestamp("s") if name in _TIMES else pa.string()
        for name in INTERVIEWS
    }
    types |= dict.fromkeys(known, pa.dictionary(pa.int32(), pa.string()))
    return arrow_csv.read_csv(
        source,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], strings_can_be_null=False
        ),
    )


def _moments(column: Any) -> Any:
    """Moments as SPSS counts them: seconds since 14 October 1582. A float costs pyreadstat a third of a datetime."""
    import numpy as np

    seconds = column.cast("int64").combine_chunks()
    return np.where(seconds.is_valid().to_numpy(False), seconds.fill_null(0).to_numpy(False) + _SPSS_EPOCH, np.nan)


def _plain(column: Any, name: str) -> Any:
    import numpy as np

    if name in _NUMBERS:
        return column.to_numpy()
    # Python's own texts: pyreadstat walks over them one by one, and pandas' text columns are slow to walk over.
    return np.array(column.to_pylist(), dtype=object)


def _label(name: str, known: Mapping[str, Question | None]) -> str:
    question = known.get(name)
    return question.label if question is not None else COLUMNS.get(name, name)


def _format(name: str, known: Mapping[str, Question | None]) -> str | None:
    """How a variable is shown: days and moments as such, whole numbers whole, a commissioner's grade with decimals.
    None leaves a text as wide as it is."""
    if name in ("period_from", "period_to"):
        return "EDATE10"
    if name in _TIMES:
        return "DATETIME20"
    if name not in known and name not in _NUMBERS:
        return None
    question = known.get(name)
    return "F6.2" if question is not None and question.scale == DECIMAL_SCALE else "F6.0"


def variable_names(columns: Sequence[str]) -> dict[str, str]:
    """Names that SPSS takes: at most 64 bytes, and two that differ in capitals only get numbers behind them."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for column in columns:
        name, number = column[:64], 2
        while name.casefold() in taken:
            name, number = f"{column[:60]}_{number}", number + 1
        taken.add(name.casefold())
        names[column] = name
    return names


def _question(texts: Any, question: Question | None) -> tuple[Any, dict[Any, str]]:
    """A column of codes or numbers as numbers, and their labels. `texts`: an Arrow column, coded."""
    import numpy as np

    labels: dict[Any, str] = {float(number): MISSING_LABELS[code] for code, number in MISSING_CODES.items()}
    texts = texts.unify_dictionaries().combine_chunks()
    found: list[str] = texts.dictionary.to_pylist()
    numbers = np.full(len(found) + 1, np.nan)
    if question is not None and question.kind != "single":
        for place, text in enumerate(found):
            number = as_number(text)
            numbers[place] = MISSING_CODES.get(text, np.nan if number is None else float(number))
        return numbers[texts.indices.fill_null(len(found)).to_numpy()], labels
    codes: dict[str, float] = {code: float(number) for code, number in MISSING_CODES.items()}
    options = [option for option in question.options if option.code not in codes] if question else []
    for number, option in enumerate(options, start=1):
        codes[option.code] = float(number)
        labels[float(number)] = option.text
    for number, code in enumerate(sorted(set(found) - codes.keys() - {""}), start=FIRST_OLD_CODE):
        codes[code] = float(number)
        labels[float(number)] = code
    for place, text in enumerate(found):
        numbers[place] = codes.get(text, np.nan)
    return numbers[texts.indices.fill_null(len(found)).to_numpy()], labels
