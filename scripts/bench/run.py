"""`make bench`: our webhook and its opponents, taking turns on the same machine; prints what was measured.

Decides the rounds and what is said of them; one measurement is `measuring.py`'s. A machine with other work on it moves
every figure: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from measuring import SIDES, WARMING_CALLS, Databases, Run, measure

QUIET = 0.02
"""Of the machine's time: where its host takes more, a p99 says how long the host kept a processor to itself."""


def half_loads(side: str, databases: Databases, folder: Path, connections: int, rounds: int) -> Iterator[Run]:
    """Loads at half of saturation, until the host left the machine alone in `rounds` of them; 5 x rounds at most.

    Each goes at half of what saturation reached the moment before: a shared machine is not the same one minutes later.
    """
    quiet = 0
    for _ in range(5 * rounds):
        most = measure(side, databases, folder, connections=connections).per_second
        run = measure(side, databases, folder, connections=128, rate=most / 2)
        print(f"half load: {side:<16} p99 {run.p99_ms:5.1f} ms, stolen {run.stolen:.1%}", file=sys.stderr)  # noqa: T201
        yield run
        quiet += run.stolen <= QUIET
        if quiet == rounds:
            return


def middle_p99(tries: list[Run]) -> Run:
    """The median of the quiet ones by p99; of all where too few were quiet to say so."""
    quiet = [run for run in tries if run.stolen <= QUIET]
    chosen = sorted(quiet if len(quiet) >= len(tries) / 5 else tries, key=lambda run: run.p99_ms)
    return chosen[len(chosen) // 2]


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
    with_postgres = any(SIDES[side][1] == "postgres" for side in sides)
    databases = Databases(folder, given.calls + WARMING_CALLS, postgres=with_postgres)
    runs: list[Run] = []
    crowds: dict[str, Run] = {}
    halves: list[Run] = []
    try:
        for number in range(given.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                runs.append(measure(side, databases, folder, connections=given.connections))
                print(f"round {number + 1}: {side:<16} {runs[-1].questions_per_second:8.0f}/s", file=sys.stderr)  # noqa: T201
        best = {side: middle(runs, side) for side in sides}
        for side in sides:
            if side.startswith("ours"):
                tries = [*half_loads(side, databases, folder, given.connections, given.rounds)]
                crowds[f"{side} at half load"] = middle_p99(tries)
                halves += tries
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)
    document = report(best, crowds, runs, halves)
    print(document)  # noqa: T201
    if given.json:
        measured = {"runs": [asdict(run) for run in runs], "half": [asdict(run) for run in halves]}
        given.json.write_text(json.dumps(measured, indent=1))
    bad = [run for run in [*runs, *halves] if run.side.startswith("ours") and (run.wrong or _failed(run))]
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


def report(best: dict[str, Run], crowds: dict[str, Run], runs: list[Run], halves: list[Run]) -> str:
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
    for side in crowds:
        tries = [run for run in halves if side.startswith(run.side)]
        each = ", ".join(f"{run.p99_ms:.0f} ({run.stolen:.0%})" for run in tries)
        lines.append(f"p99 in ms of {side}, in order (stolen; up to {QUIET:.0%} counts as quiet): {each}")
    load_now = os.getloadavg()[0]
    lines.append(f"\nload average at the end {load_now:.1f} on {os.cpu_count()} cores; medians of {len(runs)} runs")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
