"""One measured task of `scripts/bench_exports.py`, in a process of its own: imports first, then the clock."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ivr.catalogue import load_catalogue
from ivr.exports import formats, machine
from ivr.exports.files import Outbox
from ivr.settings import ROOT
from ivr.store import Database, reading
from ivr.survey.forms import forms_of

Work = Callable[[], object]


def ours(url: str, folder: Path, also: str | None) -> Work:
    """Both CSV files, and one format made from them."""
    catalogue = load_catalogue(ROOT / "config")
    forms = forms_of(catalogue.questionnaires)
    if also in ("parquet", "sav"):
        import pyarrow.compute
        import pyarrow.csv
        import pyarrow.parquet  # noqa: F401
    if also == "sav":
        import pandas  # noqa: F401
        import pyreadstat  # noqa: F401
    database = Database(url)

    def work() -> None:
        outbox = Outbox(folder)
        with database.read() as session:
            reading.begin_snapshot(session)
            columns = machine.question_columns(forms, [])
            machine.write_answers(session, outbox, reading.find_samples(session), None, columns, None)
        if also is not None:
            formats.write(outbox, [also], forms, columns, catalogue.services, [])

    return work


def ours_only(url: str, folder: Path, also: str) -> Work:
    """One format from CSV files that are there already."""
    ours(url, folder, None)()
    catalogue = load_catalogue(ROOT / "config")
    forms = forms_of(catalogue.questionnaires)
    columns = machine.question_columns(forms, [])
    return lambda: formats.write(Outbox(folder), [also], forms, columns, catalogue.services, [])


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
        long = (
            'SELECT interview_id, provider, period_from, period_to, "group", service, questionnaire, version, '
            "mode, question, value, answered_at FROM answers JOIN interviews USING (interview_id) ORDER BY 1, 10"
        )
        duck.execute(f"COPY ({long}) TO '{folder}/duck_long.csv' (HEADER)")
        duck.execute(f"COPY ({wide}) TO '{folder}/duck_wide.csv' (HEADER)")

    return work


def with_pyreadstat(url: str, folder: Path) -> Work:
    """pyreadstat writing the finished table once more, with its labels, from memory."""
    import pyreadstat

    ours(url, folder, "sav")()
    frame, meta = pyreadstat.read_sav(str(folder / "interviews.sav"), user_missing=True)
    return lambda: pyreadstat.write_sav(
        frame,
        str(folder / "again.sav"),
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
        work = with_pyreadstat(url, here)
    elif wanted in ("sav", "xlsx"):
        work = ours_only(url, here, wanted)
    else:
        work = ours(url, here, None if wanted == "csv" else wanted)
    before = _resident_mb()
    top, stop = [before], threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            top[0] = max(top[0], _resident_mb())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began, spent = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    stop.set()
    watcher.join()
    shutil.rmtree(here)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    numbers = {"seconds": seconds, "cpu": cpu, "mb": top[0] - before, "process_mb": peak}
    sys.stdout.write(json.dumps({name: round(number, 3) for name, number in numbers.items()}) + "\n")


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
