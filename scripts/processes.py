"""Starts the processes of a running house, keeps them running, and stops every one of them.

A process that dies is started again (after 0.2 s, then slower while it keeps failing), because that is what
a service manager does in production and what a kill -9 in mid-fieldwork must survive. Each child has a
process group of its own, so that what it left behind is gone before its successor starts, and dies with us,
also when we are killed with -9: by the kernel's word (`dies_with_us`), not by our own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
QUICK_SECONDS = 5.0
"""A process that lived for longer than this did not fail at its start."""

_LIBC = ctypes.CDLL(None)


def die_with(parent: int) -> None:
    """End this process, now or later, when the process `parent` that started it is gone, however it went (Linux).

    SIGKILL, because a process that is stopped or waits for somebody hears nothing else, and because everything that
    is started here is built to survive it. The kernel watches the *thread* that started us.
    """
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # it died before the kernel knew


def dies_with_us() -> Callable[[], None]:
    """What a child does first, as `preexec_fn`: without it a killed parent leaves it behind, still serving."""
    return partial(die_with, os.getpid())


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0
    failures: int = 0
    is_wanted: bool = True
    exits: list[int] = field(default_factory=list)


class Processes:
    """A set of child processes with one environment; output goes to `<log_dir>/<name>.log`.

    Use as a context manager: leaving it stops all children, in reverse order of their start. longest_pause: seconds
    before a process that keeps failing at its start is started again.
    """

    def __init__(self, environment: Mapping[str, str], log_dir: Path, *, longest_pause: float = 5.0) -> None:
        self._longest_pause = longest_pause
        self._environment = dict(environment)
        self._log_dir = log_dir
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()
        self._is_stopping = threading.Event()
        # One long-lived thread starts every child: the kernel's death signal follows the starting thread.
        self._requests: list[_Child] = []
        self._thread = threading.Thread(target=self._keep, name="processes", daemon=True)
        self._thread.start()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start `command` as `name`; it is kept running until `stop`."""
        with self._lock:
            self._children[name] = _Child(name, command)
        deadline = time.monotonic() + 10
        while self.pid(name) is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def pid(self, name: str) -> int | None:
        """Process id of `name` while it runs."""
        process = self._children[name].process
        return process.pid if process and process.poll() is None else None

    def restarts(self) -> dict[str, int]:
        """How often each child had to be started again."""
        return {name: child.starts - 1 for name, child in self._children.items() if child.starts > 1}

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The last lines that `name` wrote, to show when it fails."""
        file = self._log_dir / f"{name}.log"
        if not file.exists():
            return ""
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, name: str, seconds: float = 5.0) -> None:
        """Stop one child for good: SIGTERM, and after `seconds` SIGKILL to its whole group."""
        with self._lock:
            child = self._children[name]
            child.is_wanted = False
            process = child.process
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        _kill_group(process.pid)
        process.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self._children)):
            self.stop(name)
        self._is_stopping.set()
        self._thread.join(5)

    def _keep(self) -> None:
        while not self._is_stopping.wait(0.05):
            with self._lock:
                for child in self._children.values():
                    if child.is_wanted:
                        self._ensure(child)

    def _ensure(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            _kill_group(child.process.pid)
            child.exits.append(code)
            child.process = None
            child.failures = child.failures + 1 if now - child.started_at < QUICK_SECONDS else 0
            child.restart_at = now + min(self._longest_pause, 0.2 * 2 ** min(child.failures, 5))
        if now < child.restart_at:
            return
        with (self._log_dir / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_us(),
            )
        child.starts += 1
        child.started_at = now


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def python(*arguments: str) -> list[str]:
    """A command that runs in this environment's Python."""
    return [sys.executable, *arguments]
