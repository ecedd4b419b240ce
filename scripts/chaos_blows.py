"""What `make chaos` does to the processes of a house: kill, freeze, empty, lock, restart, fill the disk, jump in time.

Decides what is hit, how, and for how long, by its own dice; when it is hit is `chaos_run.py`'s. A killed
process is started again by `processes.py`, as a service manager would.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import redis

from scripts.processes import Processes

HOUSE = ("web", "worker-1", "worker-2", "upkeep", "clock")


@dataclass
class Blows:
    """Strikes a house, one blow at a time. `counts`: what was done; `kills`: processes killed with -9.

    take_database: takes the database away for up to so many seconds, gives it back, and says what it did.
    jump: moves the clock of everybody by so many seconds; False when that would not be fair just now.
    """

    processes: Processes
    redis_url: str
    redis_dir: Path
    dice: random.Random
    take_database: Callable[[float], str]
    jump: Callable[[float], bool]
    counts: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    def strike(self, after_first: Callable[[], None]) -> None:
        """A few blows in quick succession: what recovers from one must recover from the next in the middle of it.

        The first falls while calls go on, in the middle of whatever is being answered or dialled.
        """
        for number in range(self.dice.choice((1, 2, 3, 4, 6))):
            self._one()
            if number == 0:
                after_first()
            time.sleep(self.dice.uniform(0.0, 0.3))

    def _one(self) -> None:
        kinds: list[tuple[int, str, Callable[[], str | None]]] = [
            (30, "kill web", lambda: self._kill("web")),
            (10, "kill a web worker", self._kill_web_worker),
            (26, "kill a worker", lambda: self._kill(self.dice.choice(("worker-1", "worker-2")))),
            (6, "kill upkeep", lambda: self._kill("upkeep")),
            (18, "kill the clock", lambda: self._kill("clock")),
            (12, "kill everything", self._kill_all),
            (10, "kill redis", lambda: self._kill("redis")),
            (6, "kill redis, lose its file", self._lose_redis),
            (4, "empty redis", self._empty_redis),
            (8, "freeze a process", self._freeze),
            (6, "fill a disk", self._fill_disk),
            (8, "take the database", self._take_database),
            (8, "jump in time", self._jump),
        ]
        _, what, do = self.dice.choices(kinds, [weight for weight, _, _ in kinds])[0]
        self.counts[do() or what] += 1

    def _kill_all(self) -> None:
        """The machine loses its power; only the carrier, elsewhere, goes on."""
        for name in (*HOUSE, "redis"):
            self._kill(name)

    def _kill(self, name: str) -> None:
        if (pid := self.processes.pid(name)) is not None:
            self._kill_pid(pid)

    def _kill_pid(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

    def _take_database(self) -> str:
        what = self.take_database(self.dice.uniform(0.3, 2.0))
        self.kills += what.startswith("kill")
        return what

    def _jump(self) -> str:
        """A machine that slept, or a clock that was set: forwards by minutes, or a little back."""
        seconds = self.dice.choice((self.dice.uniform(5, 60), self.dice.uniform(60, 900), -self.dice.uniform(0.5, 10)))
        if not self.jump(seconds):
            return "no jump in time (it would leave the calling hours)"
        return f"jump {'forwards' if seconds > 0 else 'back'} in time"

    def _kill_web_worker(self) -> None:
        if children := _children(self.processes.pid("web")):
            self._kill_pid(self.dice.choice(children))

    def _lose_redis(self) -> None:
        self._kill("redis")
        shutil.rmtree(self.redis_dir / "appendonlydir", ignore_errors=True)

    def _empty_redis(self) -> None:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def _freeze(self) -> None:
        """Stopped, not dead: what it held stays held, and it goes on in the middle of what it did."""
        pid = self.processes.pid(self.dice.choice((*HOUSE, "redis")))
        pids = [pid, *_children(pid)] if pid is not None else []
        for each in pids:
            _signal(each, signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.3, 2.5))
        for each in pids:
            _signal(each, signal.SIGCONT)

    def _fill_disk(self) -> None:
        """For a while nothing that a process writes fits any more: each write to a file fails."""
        pid = self.processes.pid(self.dice.choice(HOUSE))
        pids = [pid, *_children(pid)] if pid is not None else []
        before = {each: limits for each in pids if (limits := _limit(each, 4096)) is not None}
        time.sleep(self.dice.uniform(0.3, 1.5))
        for each, (soft, _) in before.items():
            _limit(each, soft)


def _children(pid: int | None) -> list[int]:
    if pid is None:
        return []
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _limit(pid: int, soft: int) -> tuple[int, int] | None:
    """Set the largest file that a process may write; its limits before, or None when it is gone."""
    try:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, before[1]))
    except (ProcessLookupError, PermissionError, ValueError):
        return None
    return before
