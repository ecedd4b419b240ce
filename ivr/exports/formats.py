"""The wide data set in other formats: Parquet, SPSS and XLSX, made from the finished CSV files of the same export.

Decides how a column of `interviews.csv` is typed. Reading the CSV again costs less than asking the database again,
and one row can then never differ between two formats. pyarrow and pyreadstat are imported only when their format is
asked for.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ivr.exports import spss, workbook
from ivr.exports.files import Outbox
from ivr.exports.machine import INTERVIEWS
from ivr.exports.workbook import GENERAL
from ivr.survey.forms import MISSING, find_question
from ivr.survey.questionnaire import Question, Questionnaire

_BLOCK_BYTES = 80 << 10
_GROUP_ROWS = 5_000

MOMENTS = ("started_at", "ended_at")
WHOLE = ("service", "questionnaire_version", "usable", "successful")
NUMBERS = {
    **dict.fromkeys(
        ("netto_steekproef", "ingevuld", "aangeraden", "n", "aantal", "pct", "pct_alle_deelnemers", "bestelling",
         "regel", "nummer", "draait_terug"), "0"
    ),
    **dict.fromkeys(
        ("respons_pct", "rapportcijfer", "promotorscore", "gemiddelde", "gemiddelde_alle_deelnemers", "norm"), "0.0"
    ),
    **dict.fromkeys(("standaardafwijking", "prijs", "subsidie", "eigen_deel"), "0.00"),
    "waarde": GENERAL,
}  # fmt: skip
"""Columns of the people's files that hold numbers, and how a sheet shows them. Every other column is text, whatever
it looks like: a provider may be called 1e5, and figure 3.10 is not figure 3.1."""


def write(
    outbox: Outbox,
    formats: Sequence[str],
    forms: Mapping[str, Questionnaire],
    columns: Sequence[str],
    services: Mapping[int, str],
    people: Sequence[tuple[str, str]],
) -> None:
    """Write `interviews.parquet`, `interviews.sav`, `interviews.xlsx` and `tabellen.xlsx` as far as asked.

    columns: the question columns of `interviews.csv`. people: (file, sheet) of the tables in `tabellen.xlsx`.
    """
    known = {id: question_of(forms, id) for id in columns}
    source = outbox.path / "interviews.csv"
    if "parquet" in formats:
        outbox.done("interviews.parquet", _parquet(source, outbox.path / "interviews.parquet", known))
    if "sav" in formats:
        outbox.done("interviews.sav", spss.write(source, outbox.path / "interviews.sav", known, services))
    if "xlsx" in formats:
        rows = next(one.rows for one in outbox.written if one.file == source.name)
        _interviews_workbook(source, outbox.path / "interviews.xlsx", known, rows)
        outbox.done("interviews.xlsx", rows)
        if people:
            outbox.done("tabellen.xlsx", _tables_workbook(outbox.path, people))


def question_of(forms: Mapping[str, Questionnaire], id: str) -> Question | None:
    """The question behind a column, whichever questionnaire it is in."""
    return next((found for form in forms.values() if (found := find_question(form, id))), None)


def is_number(question: Question | None) -> bool:
    """Whether a column holds a grade or a count."""
    return question is not None and question.kind != "single"


def _parquet(source: Path, target: Path, known: Mapping[str, Question | None]) -> int:
    """Codes stay text; grades and counts become numbers, null where no answer was given (the reason why stands in
    `responses.csv`). Moments are UTC without saying so in their type: with a zone, DuckDB wants pytz to hand them over.
    Read and written block by block."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as arrow_csv
    import pyarrow.parquet as pq

    types: dict[str, pa.DataType] = {column: pa.string() for column in (*INTERVIEWS, *known)}
    types |= dict.fromkeys(WHOLE, pa.int32())
    types |= dict.fromkeys(MOMENTS, pa.timestamp("s"))
    types |= {"period_from": pa.date32(), "period_to": pa.date32()}
    types |= {id: pa.float64() for id, question in known.items() if is_number(question)}
    options = arrow_csv.ConvertOptions(
        column_types=types,
        null_values=["", *sorted(MISSING)],
        strings_can_be_null=False,
        timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"],
    )
    schema = pa.schema(list(types.items()))
    rows = 0
    # Small blocks by one thread, memory from the system and given back after each group: the peak stays under 64 MB,
    # and wide rows of short texts gain nothing from more.
    pool = pa.system_memory_pool()
    with (
        arrow_csv.open_csv(
            source,
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
            memory_pool=pool,
        ) as reader,
        pq.ParquetWriter(target, schema, compression="zstd", memory_pool=pool) as writer,
    ):
        group: list[pa.RecordBatch] = []
        blank = pa.nulls(1, pa.string())[0]  # a scalar of Python's would bring all of pandas along
        for batch in reader:
            arrays = [
                pc.if_else(pc.binary_length(column).cast(pa.bool_()), column, blank, memory_pool=pool)  # type: ignore[attr-defined]
                if pa.types.is_string(column.type)
                else column
                for column in batch.columns
            ]
            group.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            rows += batch.num_rows
            if sum(one.num_rows for one in group) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(group))
                group.clear()
                pool.release_unused()
        if group:
            writer.write_table(pa.Table.from_batches(group))
    return rows


def _interviews_workbook(source: Path, target: Path, known: Mapping[str, Question | None], count: int) -> None:
    numbers = dict.fromkeys((*WHOLE, *(id for id, question in known.items() if is_number(question))), GENERAL)
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        workbook.write(target, [workbook.Sheet("interviews", next(reader), reader, count, numbers)])


def _tables_workbook(folder: Path, people: Sequence[tuple[str, str]]) -> int:
    sheets: list[workbook.Sheet] = []
    for name, title in people:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file, delimiter=";")
        sheets.append(workbook.Sheet(title, header, rows, len(rows), NUMBERS))
    return workbook.write(folder / "tabellen.xlsx", sheets)
