"""`make chaos`: many small fieldworks on real processes that are killed all the time; the same zeros as `ivr rehearse`.

Worlds follow one another, each with its own seed, lists, people and calendar, every second one on PostgreSQL where
the embedded server is installed, until so many processes were killed with -9. Between the kills: frozen processes, an
emptied Redis, a locked or restarted database, a full disk. At the end of each world it is left in peace, finishes,
and is judged by what the carrier and the people recorded. Exit 0 only when every wrong figure is 0.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ivr.logs import configure_logs
from ivr.rehearsal.season_count import WRONG
from ivr.settings import ROOT
from ivr.store import Database
from scripts.chaos_blows import Blows
from scripts.chaos_world import World
from scripts.output import command, emit, json_option, note, say

KILLS_A_WORLD = 70
WEBHOOKS_BETWEEN = (5, 60)
"""So many webhooks between two bursts of blows: a house that does nothing has nothing to lose."""
LONGEST_PAUSE = 5.0
SHORT_OUTAGES = 0.8
CALM_SECONDS = 120.0
SHOWN = 20


@click.command("chaos")
@click.option("--kills", default=200, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
@click.option("--limit", default=570.0, show_default=True, help="Start no world, and strike no blow, after this long.")
@click.option("--providers", default=8, show_default=True, help="Fieldworks side by side.")
@click.option("--people", default=20, show_default=True, help="Rows of each list.")
@click.option("--sqlite-only", is_flag=True, help="Never start PostgreSQL.")
@json_option
@command
def chaos(kills: int, seed: int, limit: float, providers: int, people: int, sqlite_only: bool, as_json: bool) -> None:
    """Kill and disturb everything, and find that nothing was lost, doubled or misplaced."""
    configure_logs(json_lines=False, level="ERROR")
    for name in [name for name in os.environ if name.startswith(("IVR_", "TWILIO_"))]:
        del os.environ[name]
    began = time.monotonic()
    totals: Counter[str] = Counter()
    wrong: list[str] = []
    blows: Counter[str] = Counter()
    worlds = killed = 0
    while killed < kills and time.monotonic() - began < limit - CALM_SECONDS:
        counts, found, dealt, dead = _one_world(
            seed * 100 + worlds,
            began + limit - CALM_SECONDS,
            min(KILLS_A_WORLD, kills - killed),
            providers,
            people,
            on_postgres=bool(worlds % 2) and not sqlite_only,
        )
        totals.update(counts)
        blows.update(dealt)
        wrong += found
        killed += dead
        worlds += 1
    document: dict[str, Any] = {
        "kills": killed,
        "worlds": worlds,
        "blows": dict(sorted(blows.items())),
        **{figure: totals[figure] for figure in ("successful", "calls", "webhooks", *WRONG)},
        "wall_seconds": round(time.monotonic() - began, 1),
    }
    for line in wrong[:SHOWN]:
        note(f"WRONG {line}")
    if as_json:
        emit(document)
    else:
        for name, value in document.items():
            say(f"{name:<22} {value}")
    if killed < kills:
        note(f"Only {killed} of {kills} kills fitted into {limit:.0f} s on this machine; --limit gives more time.")
    if any(document[figure] for figure in WRONG):
        raise SystemExit(1)


def _one_world(
    seed: int, until: float, kills: int, providers: int, people: int, *, on_postgres: bool
) -> tuple[Counter[str], list[str], Counter[str], int]:
    dice = random.Random(f"blows/{seed}")  # noqa: S311  (play, not secrets)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toets-chaos-")))
        server = _postgres(stack) if on_postgres else None
        url = server.url("toets") if server else f"sqlite:///{folder / 'toets.db'}"
        world = World(folder, seed, url, providers=providers, people=people)
        stack.callback(world.close)
        stack.callback(world.stop)
        world.open()

        def lock(seconds: float) -> None:
            if server is not None:
                server.restart(kill=dice.random() < 0.5)
            else:
                _lock(world.house.database, seconds)

        blows = Blows(world.processes, world.settings.redis, folder / "redis", dice, lock)
        note(f"world {seed}: {'PostgreSQL' if server else 'SQLite'}, {len(world.district.providers)} fieldworks")
        told = time.monotonic()
        while blows.kills < kills and time.monotonic() < until and not _is_over(world):
            _let_work(world, dice.randint(*WEBHOOKS_BETWEEN))
            # Most outages are short; in the others the clock leaps on, and calls meet a house that is away for hours.
            is_short = dice.random() < SHORT_OUTAGES
            if is_short:
                world.hold()
            blows.strike()
            if is_short:
                world.release_when_web_is_back()
            if time.monotonic() - told > 10:
                told = time.monotonic()
                note(f"  {blows.kills} kills; {_progress(world)}")
        finished = world.wait_until_over(time.monotonic() + CALM_SECONDS)
        note(f"  {'finished' if finished else 'NOT FINISHED'} after {blows.kills} kills; {_progress(world)}")
        world.stop()
        figures = world.judge()
        if figures.wrong and (keep := os.environ.get("CHAOS_KEEP")):
            import shutil

            shutil.copytree(folder, Path(keep) / str(seed), ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True)
        return figures.counts, [f"world {seed}: {line}" for line in figures.wrong], blows.counts, blows.kills


def _let_work(world: World, webhooks: int) -> None:
    """Return once so many webhooks were sent, or after a while when nothing moves."""
    goal, until = world.webhooks + webhooks, time.monotonic() + LONGEST_PAUSE
    while world.webhooks < goal and time.monotonic() < until:
        time.sleep(0.05)


def _is_over(world: World) -> bool:
    try:
        return world.is_over()
    except Exception as error:  # The database may be down just now, on purpose.
        note(f"  (cannot look now: {type(error).__name__})")
        return False


def _progress(world: World) -> str:
    try:
        return world.progress()
    except Exception as error:
        return f"({type(error).__name__})"


def _lock(database: Database, seconds: float) -> None:
    """Somebody else's write transaction, as a backup program that knows no better."""
    with database.write():
        time.sleep(seconds)


def _postgres(stack: ExitStack) -> Any:
    """The embedded server that the tests use; None when it is not installed."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        from postgres_server import PostgresServer  # pyright: ignore[reportMissingImports]

        server = PostgresServer()
    except (ImportError, FileNotFoundError):
        return None
    finally:
        sys.path.pop(0)
    stack.callback(server.stop)
    server.administer("CREATE DATABASE toets")
    return server


if __name__ == "__main__":
    chaos()
