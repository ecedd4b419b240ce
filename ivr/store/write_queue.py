"""The queue of SQLite's writers: one after the other, woken at once, and none waits for ever.

SQLite's own waiting is a sleep that grows, which the unlucky pay for. Decides who may begin to write, and how long
that is waited for; that no two write at once is guarded by SQLite's own lock (BEGIN IMMEDIATE) all the same.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from ivr.logs import get_logger

log = get_logger(__name__)

PATIENCE_SECONDS = 10.0
"""Within the 15 s that a carrier waits for a webhook; an ordinary turn takes less than a millisecond."""


class WriteQueue:
    """Writers of one SQLite file, one after the other; a context manager. Nobody's turn is promised, only one's own.

    Between threads by a lock, between processes by a file beside the database. The kernel releases it when a process
    dies. Where the file cannot be made, SQLite's own waiting has to do; and so it has when the turn does not come
    within `patience_seconds`, because whoever has it is stopped or hangs. If that one is in a transaction, SQLite says
    "database is locked" after its own time-out; if it is not, nobody need wait for it.
    """

    def __init__(self, database: Path) -> None:
        self.patience_seconds = PATIENCE_SECONDS
        self._path = database.with_name(f"{database.name}-queue")
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._file: int | None = None
        self._owner = 0
        self._waiter: _Waiter | None = None

    def __enter__(self) -> None:
        mine = self._mine
        mine.depth = getattr(mine, "depth", 0) + 1
        if mine.depth > 1:
            return
        until = time.monotonic() + self.patience_seconds
        mine.has_turn = self._lock.acquire(timeout=self.patience_seconds)
        mine.file = None
        is_stuck = not mine.has_turn
        if mine.has_turn and (file := self._open()) is not None:
            mine.file = file if self._comes(file, until) else None
            is_stuck = mine.file is None
        if is_stuck:
            log.warning("write_queue_stuck", waited_seconds=self.patience_seconds, file=self._path.name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mine = self._mine
        mine.depth -= 1
        if mine.depth:
            return
        if mine.file is not None:
            fcntl.flock(mine.file, fcntl.LOCK_UN)
        if mine.has_turn:
            self._lock.release()

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._lock.acquire(blocking=False):
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self._lock.release()

    def _open(self) -> int | None:
        if self._file is not None and self._owner != os.getpid():
            # A forked child shares its parent's lock and has none of its threads: it needs its own.
            self._file = self._waiter = None
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                return None
            self._owner = os.getpid()
        return self._file

    def _comes(self, file: int, until: float) -> bool:
        """Lock the file; False when that took too long. A file that is still being waited for is not used again."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._waiter = self._waiter or _Waiter()
            if not self._waiter.lock(file, until - time.monotonic()):
                self._file = self._waiter = None
                return False
        return True


class _Waiter:
    """Waits for a file's lock in a thread of its own: flock wakes who waits at once, but knows no time-out."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[int, threading.Event]] = SimpleQueue()
        self._verdict = threading.Lock()
        self._is_given_up = False
        threading.Thread(target=self._wait, name="write-queue", daemon=True).start()

    def lock(self, file: int, seconds: float) -> bool:
        """Lock `file`. False when it took longer: then the file belongs to the waiting thread, which closes it."""
        has_come = threading.Event()
        self._asked.put((file, has_come))
        if has_come.wait(max(0.0, seconds)):
            return True
        with self._verdict:
            self._is_given_up = not has_come.is_set()
            return not self._is_given_up

    def _wait(self) -> None:
        while True:
            file, has_come = self._asked.get()
            fcntl.flock(file, fcntl.LOCK_EX)
            with self._verdict:
                if self._is_given_up:
                    os.close(file)
                    return
                has_come.set()
