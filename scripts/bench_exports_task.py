"""One measured task of `scripts/bench_exports.py`, in a process of its own: imports first, then the clock."""

from __future__ import annotations

import gc
import json
import shutil
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from ivr.catalogue import load_catalogue
from ivr.exports import formats, machine
from ivr.exports.files import Outbox, Written
from ivr.settings import ROOT
from ivr.store import Database, reading
from ivr.survey.forms import forms_of

Work = Callable[[], object]
SHEET = 100_000
KEPT = "kept"
"""The folder beside the tasks' own in which `ours_wide` leaves its file for the steps that begin with it."""


def ours(url: str, here: Path, wanted: str) -> Work:
    """The CSV files from the database, or one format: then only the wide CSV stands between, as in an export."""
    catalogue = load_catalogue(ROOT / "config")
    forms = forms_of(catalogue.questionnaires)
    _import_for(wanted)
    database = Database(url)

    def work() -> None:
        outbox = Outbox(here)
        with database.read() as session:
            reading.begin_snapshot(session)
            columns = machine.question_columns(forms, [])
            samples = reading.find_samples(session)
            machine.write_answers(session, outbox, samples, None, columns, None, with_long=wanted == "csv")
        formats.write(outbox, [wanted], forms, columns, catalogue.services, [])

    return work


def our_step(here: Path, wanted: str) -> Work:
    """One format from a wide CSV that is there already; XLSX from its first hundred thousand rows."""
    rows = 0
    with (
        (here.parent / KEPT / "interviews.csv").open(encoding="utf-8") as source,
        (here / "interviews.csv").open("w", encoding="utf-8") as target,
    ):
        for line in islice(source, None if wanted != "xlsx" else 1 + SHEET):
            target.write(line)
            rows += 1
    catalogue = load_catalogue(ROOT / "config")
    forms = forms_of(catalogue.questionnaires)
    columns = machine.question_columns(forms, [])
    _import_for(wanted)
    outbox = Outbox(here, [Written("interviews.csv", rows - 1, "")])
    return lambda: formats.write(outbox, [wanted], forms, columns, catalogue.services, [])


def _import_for(wanted: str) -> None:
    if wanted in ("parquet", "sav"):
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet  # noqa: F401
    if wanted == "sav":
        import pandas  # noqa: F401
        import pyreadstat  # noqa: F401


_ANSWERS = "SELECT interview_id, question, value, mode, answered_at FROM responses"
_INTERVIEWS = """SELECT i.id AS interview_id, p.name AS provider, s.period_from, s.period_to,
 c.respondent_group AS "group", c.service, i.questionnaire, i.version, i.mode AS by_mode, i.started_at, i.ended_at,
 i.disposition, i.usable, i.successful FROM interviews i JOIN cases c ON c.id = i.case_id
 JOIN samples s ON s.id = c.sample_id JOIN providers p ON p.id = s.provider_id"""


def with_duckdb(url: str, folder: Path, wanted: str) -> Work:
    """The same files by DuckDB, which gets both tables as Arrow through ADBC."""
    import duckdb  # pyright: ignore[reportMissingImports]  (extra `bench`)
    import pyarrow  # noqa: F401

    if url.startswith("sqlite"):
        import adbc_driver_sqlite.dbapi as driver  # pyright: ignore[reportMissingImports]

        address = "file:" + url.removeprefix("sqlite:///")
    else:
        import adbc_driver_postgresql.dbapi as driver  # pyright: ignore[reportMissingImports]

        address = url.replace("postgresql+psycopg", "postgresql")
    columns = machine.question_columns(forms_of(load_catalogue(ROOT / "config").questionnaires), [])

    def work() -> None:
        duck: Any = duckdb.connect()
        duck.execute("SET threads = 2")
        with driver.connect(address) as connection, connection.cursor() as cursor:
            for name, query in (("answers", _ANSWERS), ("interviews", _INTERVIEWS)):
                cursor.execute(query)
                reader = cursor.fetch_record_batch()
                duck.register("incoming", reader)
                duck.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")  # noqa: S608
                duck.unregister("incoming")
        cells = ", ".join(f"max(value) FILTER (question = '{column}') AS \"{column}\"" for column in columns)
        pivot = f"SELECT interview_id, {cells} FROM answers GROUP BY interview_id"  # noqa: S608
        wide = (
            f"SELECT i.*, w.* EXCLUDE (interview_id) FROM interviews i JOIN ({pivot}) w USING (interview_id) ORDER BY 1"  # noqa: S608
        )
        if wanted == "parquet":
            duck.execute(f"COPY ({wide}) TO '{folder}/duck.parquet' (FORMAT parquet, COMPRESSION zstd)")
            return
        duck.execute(f"COPY ({wide}) TO '{folder}/duck_wide.csv' (HEADER)")
        if wanted == "wide":
            return
        long = (
            'SELECT interview_id, provider, period_from, period_to, "group", service, questionnaire, version, '
            "mode, question, value, answered_at FROM answers JOIN interviews USING (interview_id) ORDER BY 1, 10"
        )
        duck.execute(f"COPY ({long}) TO '{folder}/duck_long.csv' (HEADER)")

    return work


def with_pyreadstat(here: Path) -> Work:
    """pyreadstat writing our finished table once more, with its labels, from memory."""
    import pyreadstat

    our_step(here, "sav")()
    frame, meta = pyreadstat.read_sav(str(here / "interviews.sav"), user_missing=True)
    return lambda: pyreadstat.write_sav(
        frame,
        str(here / "again.sav"),
        column_labels=meta.column_names_to_labels,
        variable_value_labels=meta.variable_value_labels,
        missing_ranges=meta.missing_ranges,
    )


def main() -> None:
    task, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    here = folder / task
    here.mkdir()
    tool, _, wanted = task.partition("_")
    if tool == "duckdb":
        work = with_duckdb(url, here, wanted)
    elif tool == "pyreadstat":
        work = with_pyreadstat(here)
    elif tool == "step":
        work = our_step(here, wanted)
    else:
        work = ours(url, here, wanted)
    gc.collect()
    before = _megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark begins anew
    began, spent = time.perf_counter(), time.process_time()
    work()
    numbers = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - spent}
    numbers["mb"] = _megabytes("VmHWM") - before
    if task == "ours_wide":
        (folder / KEPT).mkdir(exist_ok=True)
        (here / "interviews.csv").replace(folder / KEPT / "interviews.csv")
    shutil.rmtree(here)
    sys.stdout.write(json.dumps({name: round(number, 3) for name, number in numbers.items()}) + "\n")


def _megabytes(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
