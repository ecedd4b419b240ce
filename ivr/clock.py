"""One clock for planner, workers, carrier and population.

In production it is the wall clock. In the demo and in rehearsals it *leaps*: the timekeeper (a server
that the local carrier runs, `ivr/rehearsal/timekeeper.py`) moves time to the next moment somebody waits
for, but only when nobody is at work. Everyone reads the moment from a small file, so that `now()` costs
no round trip; waiting and promising go over a Unix socket.

Protocol of the socket: one JSON object a line, one answer a line.
    {"op": "sleep", "until": <epoch seconds>}             → {"now": <epoch seconds>} when that moment has come
    {"op": "promise", "token": "…", "grace": <seconds>}   → {"now": …} at once
    {"op": "keep", "token": "…"}                          → {"now": …} at once
A connection counts as at work from its first answer until its next `sleep`, so a process that computes
between two sleeps holds the clock; when it dies the connection closes and holds nothing any more.
A promise holds the clock until it is kept, or until `grace` seconds of real time have gone by (the
process that should have kept it was killed; the reconciler will find its work).
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import socket
import struct
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ivr.errors import ConfigurationError

MOMENT = struct.Struct("<d")
"""How the current moment lies in the timekeeper's file: one little-endian double, epoch seconds UTC."""


class Clock(Protocol):
    """What time it is, and how to wait for another."""

    def now(self) -> datetime:
        """The current moment, aware UTC."""
        ...

    def sleep_until(self, moment: datetime) -> None:
        """Return when `moment` has come; at once if it has passed."""
        ...

    def promise(self, token: str, grace_seconds: float = 3.0) -> None:
        """Work known by `token` is on its way to somebody: time stands still until `keep`."""
        ...

    def keep(self, token: str) -> None:
        """The work known by `token` has been done, by whomever."""
        ...

    def rest(self) -> None:
        """This thread's work is done: since its last sleep it held time still, and now it does not."""
        ...


class SystemClock:
    """The wall clock. Promises mean nothing to it: real time never leaps."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep_until(self, moment: datetime) -> None:
        wait = (moment - self.now()).total_seconds()
        if wait > 0:
            time.sleep(wait)

    def promise(self, token: str, grace_seconds: float = 3.0) -> None:
        return None

    def keep(self, token: str) -> None:
        return None

    def rest(self) -> None:
        return None


class LeapingClock:
    """Client of the timekeeper at `address` (a Unix socket; the moment lies in `<address>.now`).

    `now()` reads the file and needs no connection. The connection is opened at the first wait or promise,
    one per thread, so that a waiting thread does not hold up another.
    """

    def __init__(self, address: Path) -> None:
        self._address = address
        self._local = threading.local()
        moment = Path(f"{address}.now")
        try:
            with moment.open("rb") as file:
                self._moment = mmap.mmap(file.fileno(), MOMENT.size, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The leaping clock at {address} is not running ({error}). Start the local carrier first, "
                "or set IVR_CLOCK=system."
            ) from error

    def now(self) -> datetime:
        (seconds,) = MOMENT.unpack(self._moment[: MOMENT.size])
        return datetime.fromtimestamp(seconds, UTC)

    def sleep_until(self, moment: datetime) -> None:
        self._ask({"op": "sleep", "until": moment.timestamp()})

    def promise(self, token: str, grace_seconds: float = 3.0) -> None:
        self._ask({"op": "promise", "token": token, "grace": grace_seconds})

    def keep(self, token: str) -> None:
        self._ask({"op": "keep", "token": token})

    def rest(self) -> None:
        # A connection is at work from the end of one sleep to the next; one that is gone holds nothing.
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.pid == os.getpid():
            connection.close()
            self._local.connection = None

    def _ask(self, question: dict[str, object]) -> None:
        # A forked child must not share its parent's socket: two readers would steal each other's answers.
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.pid != os.getpid():
            connection = self._local.connection = _Connection(self._address)
        try:
            connection.ask(question)
        except OSError:
            connection.close()
            self._local.connection = None
            raise


class _Connection:
    """One thread's line to the timekeeper; it closes when the thread ends, and holds nothing any more."""

    def __init__(self, address: Path) -> None:
        self.pid = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(address))
        self._answers = self._socket.makefile("rb")

    def ask(self, question: dict[str, object]) -> None:
        self._socket.sendall(json.dumps(question).encode() + b"\n")
        if not self._answers.readline():
            raise ConnectionError("the timekeeper closed the connection")

    def close(self) -> None:
        # Closing a forked copy leaves the parent's line open: the descriptor is shared, the connection is not shut.
        with contextlib.suppress(OSError, ValueError):
            self._answers.close()
        self._socket.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self.close()


def open_clock(setting: str) -> Clock:
    """The clock that `IVR_CLOCK` names: `system`, or `leaping:/path/of/socket`."""
    if setting == "system":
        return SystemClock()
    if setting.startswith("leaping:"):
        return LeapingClock(Path(setting.removeprefix("leaping:")))
    raise ConfigurationError(f"IVR_CLOCK must be 'system' or 'leaping:/path/of/socket', not {setting!r}.")
