"""One measurement of the bench: a fresh database, one server, one load, and what they cost.

Starts and stops the server, counts its CPU time (and PostgreSQL's) from /proc, and checks that nothing was lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "tests")]

import common  # noqa: E402
from machine import Stolen, cpu_of  # noqa: E402

from ivr.settings import Settings  # noqa: E402
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

THREADS = str(Settings.model_fields["web_threads"].default)
"""Of each of the two processes, as we serve by default."""
WARMING_CALLS = 40
"""Made before the clock runs: each thread's connection has then seen each statement often enough to keep its plan."""


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
        command += ["2", "--blocking-threads", THREADS, "--no-ws", "--log-level", "warning", target]
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
        common.write_plan(warm, base_url, calls[:WARMING_CALLS], "sample" if is_sample else "voice")
        common.write_plan(plan, base_url, calls[WARMING_CALLS:], "sample" if is_sample else "voice")
        load(warm, connections, None)
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
