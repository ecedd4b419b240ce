"""`make chaos`: many small fieldworks on real processes that are killed all the time; the same zeros as `ivr rehearse`.

Worlds run side by side, each in a process of its own with its own seed, lists, people, calendar and database, until
so many processes were killed with -9. At the end each world is left in peace, finishes, and is judged by what the
carrier and the people recorded. Exit 0 only when every wrong figure is 0. What happens within a world is
`chaos_run.py`'s; this decides how many there are, on which database, and when it has been enough.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from typing import Any

import click

from ivr.logs import configure_logs
from ivr.rehearsal.season_count import WRONG
from scripts.chaos_run import Outcome, Trial, has_postgres, undergo
from scripts.output import command, emit, json_option, note, say
from scripts.processes import die_with

KILLS_A_WORLD = 20
FINISHING_SECONDS = 120.0
"""No blow is struck in the last two minutes: what was begun must finish and be judged."""
SHOWN = 20
BROKEN = "worlds_broken"


@click.command("chaos")
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
@click.option("--limit", default=600.0, show_default=True, help="Seconds; no blow is struck in the last 120 of them.")
@click.option("--database", default="both", show_default=True, type=click.Choice(["both", "sqlite", "postgresql"]))
@click.option("--providers", default=4, show_default=True, help="Fieldworks in a world.")
@click.option("--people", default=12, show_default=True, help="Rows of each list.")
@click.option("--side-by-side", default=3, show_default=True, type=click.IntRange(1), help="Worlds at a time.")
@json_option
@command
def chaos(
    kills: int,
    seed: int,
    limit: float,
    database: str,
    providers: int,
    people: int,
    side_by_side: int,
    as_json: bool,
) -> None:
    """Kill and disturb everything, and find that nothing was lost, doubled or misplaced."""
    configure_logs(json_lines=False, level="ERROR")
    for name in [name for name in os.environ if name.startswith(("IVR_", "TWILIO_"))]:
        del os.environ[name]
    began = time.monotonic()
    trials = _trials(seed, database, providers, people, began + limit - FINISHING_SECONDS)
    outcomes = _undergo_all(trials, kills, side_by_side, began + limit - FINISHING_SECONDS)
    document = _document(outcomes) | {"wall_seconds": round(time.monotonic() - began, 1)}
    for line in [line for outcome in outcomes for line in outcome.wrong][:SHOWN]:
        note(f"WRONG {line}")
    if as_json:
        emit(document)
    else:
        for name, value in document.items():
            say(f"{name:<22} {value}")
    if document["kills"] < kills:
        note(
            f"Only {document['kills']} of {kills} kills fitted into {limit:.0f} s on this machine; --limit gives more."
        )
    if any(document[figure] for figure in (*WRONG, BROKEN)):
        raise SystemExit(1)


def _trials(seed: int, database: str, providers: int, people: int, until: float) -> Iterator[Trial]:
    """World after world, each with a seed of its own, without an end."""
    if database == "both" and not has_postgres():
        note("The embedded PostgreSQL is not installed: every world is on SQLite.")
        database = "sqlite"
    for number in count():
        on_postgres = database == "postgresql" or (database == "both" and number % 2 == 1)
        yield Trial(seed * 100 + number, on_postgres, KILLS_A_WORLD, providers, people, until)


def _undergo_all(trials: Iterator[Trial], kills: int, side_by_side: int, until: float) -> list[Outcome]:
    """Worlds side by side until so many kills were done, or it is too late to begin another."""
    outcomes: list[Outcome] = []
    running: dict[Future[Outcome], int] = {}
    # Started anew, not forked: a fork would share locks and threads with its neighbours.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(side_by_side, context, initializer=die_with, initargs=(os.getpid(),)) as pool:
        while True:
            missing = kills - sum(outcome.kills for outcome in outcomes) - sum(running.values())
            while missing > 0 and len(running) < side_by_side and time.monotonic() < until:
                trial = next(trials).with_kills(missing)
                running[pool.submit(undergo, trial)] = trial.kills
                missing -= trial.kills
            if not running:
                return outcomes
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                outcomes.append(_outcome_of(future))
            if sum(outcome.figures[BROKEN] for outcome in outcomes) >= side_by_side:
                until = 0.0  # what breaks so often is no accident of one world


def _outcome_of(future: Future[Outcome]) -> Outcome:
    """What became of a world; one that could not be begun or judged is wrong, and the others go on."""
    try:
        return future.result()
    except Exception as error:
        return Outcome(False, 0, Counter({BROKEN: 1}), Counter(), [f"a world broke: {error!r}"])


def _document(outcomes: list[Outcome]) -> dict[str, Any]:
    """All worlds together."""
    figures: Counter[str] = Counter()
    blows: Counter[str] = Counter()
    for outcome in outcomes:
        figures.update(outcome.figures)
        blows.update(outcome.blows)
    return {
        "kills": sum(outcome.kills for outcome in outcomes),
        "worlds": len(outcomes),
        "on_postgresql": sum(outcome.on_postgres for outcome in outcomes),
        "blows": dict(sorted(blows.items())),
        **{
            figure: figures[figure]
            for figure in ("successful", "calls", "webhooks", "answers", "apologies", "in_doubt")
        },
        **{figure: figures[figure] for figure in (*WRONG, BROKEN)},
    }


if __name__ == "__main__":
    chaos()
