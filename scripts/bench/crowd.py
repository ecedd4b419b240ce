"""A crowd of calls at once over real HTTP: the local carrier's own player, in real time, against the real web server.

`crowd.py --calls 1000 --seconds 60`: so many calls are answered within --ramp seconds; each hears its prompts to the
end, thinks a while and presses a key, so that a call sends a webhook about every ten seconds. Every webhook from the
end of the ramp on is timed by the carrier, from the request to the last byte of the reply; the recordings are fetched
besides. Exit code 1 when any answer was no 200 or 204. The carrier's process shares the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT), str(ROOT / "tests")]

import common  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from machine import cpu_of  # noqa: E402
from measuring import Databases, served  # noqa: E402

from ivr.rehearsal.calls import EVENTS, Call, Target  # noqa: E402
from ivr.rehearsal.listeners import Act, Delivery, Reception, Sound  # noqa: E402
from ivr.rehearsal.service import LocalCarrier, Plan  # noqa: E402
from ivr.rehearsal.transport import HttpWeb, Reply  # noqa: E402
from ivr.store import Database, tables  # noqa: E402
from scripts.household import free_port  # noqa: E402
from scripts.rehearse_voice import silent_wav  # noqa: E402

THINKS = (1.5, 4.0)
"""Seconds between the end of a prompt and the key."""


class Presser:
    """Hears every prompt to its end, thinks, presses 1: that leads through the whole interview."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        return [Act(sum(sound.seconds for sound in sounds) + self._dice.uniform(*THINKS), "1")] if keys_count else []

    def submitted(self, digits: str, delivery: Delivery) -> None: ...

    def ended(self, how: str, at: float) -> None: ...


class Crowd:
    """Everybody answers at the first ring."""

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        return Reception("human", 0.5, Presser(random.Random(number)))  # noqa: S311  (play, not secrets)


class TimedWeb(HttpWeb):
    """Real HTTP with a stopwatch for webhooks."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.is_timing = False

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """See `HttpWeb`."""
        began = time.perf_counter()
        try:
            reply = await super().request(method, url, headers, body)
        except Exception as error:
            self.statuses[type(error).__name__] += 1
            raise
        self.statuses[str(reply.status)] += 1
        if self.is_timing and method == "POST":
            self.taken.append(time.perf_counter() - began)
        return reply


def silence_prompts(database: Database) -> None:
    """Give each prompt of the bench a real recording of silence: five seconds for a question, one for the rest."""
    with database.write() as session:
        for row in session.execute(sa.select(tables.prompts)).mappings().all():
            wav = silent_wav(5.0 if row["text"].startswith(("INB", "LD")) else 1.0, row["sha256"])
            sha256 = hashlib.sha256(wav).hexdigest()
            session.execute(sa.insert(tables.prompts).values(**(dict(row) | {"sha256": sha256, "wav": wav})))
            uses = tables.order_prompts.c.sha256 == row["sha256"]
            session.execute(sa.update(tables.order_prompts).where(uses).values(sha256=sha256))


def to_be_rung(database: Database) -> None:
    """The calls of the bench as they are before anybody answers: asked for, nothing said."""
    nothing = {"state": "dialing", "turn": -1, "dialogue": None, "call_sid": None, "interview_id": None}
    with database.write() as session:
        session.execute(sa.update(tables.attempts).values(**nothing))
        for table in (tables.turns, tables.interviews):
            session.execute(sa.delete(table))


async def crowd(base_url: str, calls: list[str], ramp: float, seconds: float, pid: int) -> dict[str, Any]:
    """Let them all ring within `ramp` seconds; what was measured in the `seconds` after it."""
    web = TimedWeb()
    plan = Plan(port=0, calls_per_second=len(calls) / ramp, token=common.TOKEN)
    carrier = LocalCarrier(plan, Crowd(), web)
    await carrier.open()
    try:
        for number, attempt in enumerate(calls):
            root, now = f"{base_url}/voice/{attempt}", carrier.keeper.now()
            target = Target(f"{root}/0", fallback_url=f"{root}/fallback")
            carrier.exchange.place(
                Call(
                    carrier.exchange.book.new_sid(), plan.account_sid, f"+316{number:08d}", "+31850000000", target, now,
                    status_callback=f"{root}/status", status_events=frozenset(EVENTS),
                )
            )  # fmt: skip
        await asyncio.sleep(ramp)
        web.is_timing, spent, own = True, cpu_of(pid), time.process_time()
        await asyncio.sleep(seconds)
        web.is_timing = False
        return {
            "live_calls": carrier.exchange.book.live,
            "webhooks": len(web.taken),
            "taken": web.taken,
            "web_cpu": (cpu_of(pid) - spent) / seconds,
            "carrier_cpu": (time.process_time() - own) / seconds,
            "statuses": dict(web.statuses),
        }
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await carrier.close()


def measure(kind: str, calls: int, ramp: float, seconds: float) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="toets-crowd-"))
    databases = Databases(folder, calls, postgres=kind == "postgres")
    base_url = f"http://127.0.0.1:{free_port()}"
    try:
        with databases.fresh(kind) as url:
            database = Database(url)
            silence_prompts(database)
            to_be_rung(database)
            database.dispose()
            with served("scripts.serve:create_app", base_url, url, folder) as pid:
                ids = [attempt for attempt, _ in databases.calls[kind]]
                found = asyncio.run(crowd(base_url, ids, ramp, seconds, pid))
            database = Database(url)
            with database.read() as session:
                answers = session.execute(sa.select(sa.func.count()).select_from(tables.responses)).scalar_one()
            database.dispose()
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)
    taken = statistics.quantiles(found.pop("taken"), n=1000, method="inclusive")
    return {
        **found,
        "database": kind,
        "calls": calls,
        "webhooks_per_second": round(found["webhooks"] / seconds, 1),
        "p50_ms": round(taken[499] * 1000, 1),
        "p99_ms": round(taken[989] * 1000, 1),
        "answers": answers,
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--ramp", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    found = measure(given.database, given.calls, given.ramp, given.seconds)
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0 if set(found["statuses"]) <= {"200", "204"} else 1


if __name__ == "__main__":
    sys.exit(main())
