"""`make bench`: our webhook and its opponents, taking turns on the same machine; prints what was measured.

Decides the rounds, starts and stops every server, counts its CPU time (and PostgreSQL's) from /proc, and checks after
each round that nothing was lost. A machine with other work on it moves every figure: read the ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "tests")]

import common  # noqa: E402
from machine import Stolen, cpu_of  # noqa: E402

from ivr.store import Database, schema  # noqa: E402
from scripts.household import free_port  # noqa: E402
from scripts.processes import dies_with_us  # noqa: E402

SIDES: dict[str, tuple[str, str]] = {
    "constant": ("servers:constant", "none"),
    "signed": ("servers:signed", "none"),
    "nostore": ("servers:nostore", "none"),
    "raw-sqlite": ("servers:raw", "sqlite"),
    "ours-sqlite": ("scripts.serve:create_app", "sqlite"),
    "sample-sqlite": ("sample:app", "sqlite"),
    "raw-postgres": ("servers:raw", "postgres"),
    "ours-postgres": ("scripts.serve:create_app", "postgres"),
    "sample-postgres": ("sample:app", "postgres"),
}


@dataclass
class Run:
    """One server, one load. cpu_us, db_us: CPU of the web processes and of PostgreSQL, per question answered.

    stolen: the share of the machine's time that its host gave to others meanwhile. A p99 is worth what this leaves.
    """

    side: str
    per_second: float
    questions_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    db_us: float
    statuses: dict[str, int]
    wrong: dict[str, int]
    stolen: float = 0.0


class Databases:
    """A fresh database for each run, copied from a filled one."""

    def __init__(self, folder: Path, calls: int, *, postgres: bool) -> None:
        self._folder, self._count = folder, 0
        file = folder / "template.db"
        template = Database(f"sqlite:///{file}")
        schema.upgrade(template)
        self.calls = {"sqlite": common.fill(template, calls)}
        with template.write() as session:
            session.exec_driver_sql("SELECT 1")
        template.dispose()
        self._template = file
        self.server: Any = None
        if postgres:
            from postgres_server import PostgresServer  # pyright: ignore[reportMissingImports]  (tests/)

            self.server = PostgresServer()
            self.server.administer("CREATE DATABASE bench_template")
            filled = Database(self.server.url("bench_template"))
            schema.upgrade(filled)
            self.calls["postgres"] = common.fill(filled, calls)
            filled.dispose()

    @contextlib.contextmanager
    def fresh(self, kind: str) -> Iterator[str]:
        self._count += 1
        if kind == "postgres":
            name = self.server.fresh("bench_template")
            yield self.server.url(name)
            self.server.drop(name)
            return
        file = self._folder / f"run-{self._count}.db"
        shutil.copyfile(self._template, file)
        yield f"sqlite:///{file}"
        for path in self._folder.glob(f"{file.name}*"):
            path.unlink()

    def close(self) -> None:
        if self.server is not None:
            self.server.stop()


@contextlib.contextmanager
def served(target: str, base_url: str, database_url: str, folder: Path) -> Iterator[int]:
    """The server's process id while it runs. Granian as in scripts/serve.py; the sample under gunicorn's threads."""
    port = base_url.rsplit(":", 1)[1]
    environment = common.environment(base_url, database_url, folder)
    if target == "sample:app":
        subprocess.run(
            [sys.executable, "-c", "import sample"], env=environment | {"BENCH_PREPARE": "1"}, check=True, cwd=HERE
        )
        command = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--worker-class"]
        command += ["gthread", "--log-level", "error", "--keep-alive", "75", target]
    else:
        command = ["granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", port, "--workers"]
        command += ["2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning", target]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=HERE,
            start_new_session=True,
            preexec_fn=dies_with_us(),
        )
    try:
        _wait(f"{base_url}/healthz", process, folder)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  (loopback)
                return
        except urllib.error.HTTPError as error:
            error.close()
            return  # a server without that page, but it answers
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The server does not start:\n{(folder / 'server.log').read_text()[-2000:]}")


def measure(side: str, databases: Databases, folder: Path, *, connections: int, rate: float | None = None) -> Run:
    """One fresh database, one server, one load."""
    target, kind = SIDES[side]
    calls = databases.calls["sqlite" if kind == "none" else kind]
    base_url = f"http://127.0.0.1:{free_port()}"
    is_sample = target == "sample:app"
    with databases.fresh("sqlite" if kind == "none" else kind) as url, served(target, base_url, url, folder) as pid:
        warm, plan = folder / "warm.json", folder / "plan.json"
        common.write_plan(warm, base_url, calls[:8], "sample" if is_sample else "voice")
        common.write_plan(plan, base_url, calls[8:], "sample" if is_sample else "voice")
        load(warm, 8, None)
        db = databases.server._process.pid if kind == "postgres" else None
        stolen = Stolen()
        before, db_before = cpu_of(pid), cpu_of(db) if db else 0.0
        result = load(plan, connections, rate)
        spent, db_spent = cpu_of(pid) - before, cpu_of(db) - db_before if db else 0.0
        share = stolen.share()
        wrong: dict[str, int] = {}
        if kind != "none" and not is_sample:
            database = Database(url)
            wrong = {name: count for name, count in common.settled(database, len(calls)).items() if count}
            database.dispose()
    questions = result["requests"] / (2 if is_sample else 1)
    return Run(
        side,
        result["per_second"],
        questions / result["seconds"],
        result["p50_ms"],
        result["p99_ms"],
        spent / questions * 1e6,
        db_spent / questions * 1e6,
        result["statuses"],
        wrong,
        share,
    )


def load(plan: Path, connections: int, rate: float | None) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "load.py"), str(plan), "--connections", str(connections)]
    if rate is not None:
        command += ["--rate", str(rate)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=250)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", default=",".join(SIDES))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    sides = given.only.split(",")
    folder = Path(tempfile.mkdtemp(prefix="toets-bench-"))
    databases = Databases(folder, given.calls + 8, postgres=any(SIDES[side][1] == "postgres" for side in sides))
    runs: list[Run] = []
    crowds: dict[str, Run] = {}
    try:
        for number in range(given.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                runs.append(measure(side, databases, folder, connections=given.connections))
                print(f"round {number + 1}: {side:<16} {runs[-1].questions_per_second:8.0f}/s", file=sys.stderr)  # noqa: T201
        best = {side: middle(runs, side) for side in sides}
        for side in sides:
            if side.startswith("ours"):
                half = best[side].per_second / 2
                tries = [measure(side, databases, folder, connections=128, rate=half) for _ in range(given.rounds)]
                crowds[f"{side} at half load"] = sorted(tries, key=lambda run: run.p99_ms)[len(tries) // 2]
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)
    document = report(best, crowds, runs)
    print(document)  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps({"runs": [asdict(run) for run in runs], "half": {
            name: asdict(run) for name, run in crowds.items()}}, indent=1))  # fmt: skip
    bad = [run for run in [*runs, *crowds.values()] if run.side.startswith("ours") and (run.wrong or _failed(run))]
    return 1 if bad else 0


def middle(runs: list[Run], side: str) -> Run:
    """The run of this side with the median CPU time: the figure that other work on the machine moves least."""
    mine = sorted((run for run in runs if run.side == side), key=lambda run: run.questions_per_second)
    run = mine[len(mine) // 2]
    run.cpu_us = statistics.median(each.cpu_us for each in mine)
    run.db_us = statistics.median(each.db_us for each in mine)
    return run


def _failed(run: Run) -> int:
    return sum(count for status, count in run.statuses.items() if status != "200")


def report(best: dict[str, Run], crowds: dict[str, Run], runs: list[Run]) -> str:
    lines = [
        "",
        f"{'':<30}{'questions/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'web µs':>9}{'db µs':>8}{'stolen':>8}  not 200",
    ]
    for name, run in {**best, **crowds}.items():
        lines.append(
            f"{name:<30}{run.questions_per_second:>12.0f}{run.p50_ms:>9.1f}{run.p99_ms:>9.1f}{run.cpu_us:>9.0f}"
            f"{run.db_us:>8.0f}{run.stolen:>8.1%}  {_failed(run)}" + (f"  LOST: {run.wrong}" if run.wrong else "")
        )
    lines.append("")
    for kind in ("sqlite", "postgres"):
        ours = best.get(f"ours-{kind}")
        if ours is None:
            continue
        for other, what in ((f"raw-{kind}", "of the bare driver"), (f"sample-{kind}", "times Twilio's sample")):
            if rival := best.get(other):
                speed = ours.questions_per_second / rival.questions_per_second
                work = (rival.cpu_us + rival.db_us) / (ours.cpu_us + ours.db_us)
                lines.append(f"{kind:<10} {speed:6.2f} {what} in questions/s, {work:.2f} in CPU time")
    if {"constant", "signed", "nostore"} <= set(best):
        floor, signed, nostore = (best[name].cpu_us for name in ("constant", "signed", "nostore"))
        layers = {"server, Flask, constant TwiML": floor, "form, signature": signed - floor}
        layers["engine, TwiML"] = nostore - signed
        for kind in ("sqlite", "postgres"):
            if ours := best.get(f"ours-{kind}"):
                layers[f"store, {kind}, web process"] = ours.cpu_us - nostore
        lines += ["", "CPU µs per webhook, by layer"] + [f"  {name:<34}{value:>7.0f}" for name, value in layers.items()]
    load_now = os.getloadavg()[0]
    lines.append(f"\nload average at the end {load_now:.1f} on {os.cpu_count()} cores; medians of {len(runs)} runs")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
