"""What the machine did meanwhile, from /proc: CPU time of processes, and what its host took away."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and all its descendants that are alive."""
    seconds, queue = 0.0, [pid]
    children: dict[int, list[int]] = {}
    stats: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
                stats[int(entry.name)] = (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / _TICK
    while queue:
        each = queue.pop()
        seconds += stats.get(each, 0.0)
        queue += children.get(each, [])
    return seconds


class Stolen:
    """How much of the machine its host takes away, from now on (`steal` in /proc/stat)."""

    def __init__(self) -> None:
        self._began = self._read()

    @staticmethod
    def _read() -> tuple[int, int]:
        times = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return times[7], sum(times)

    def share(self) -> float:
        taken, total = (now - then for now, then in zip(self._read(), self._began, strict=True))
        return taken / total if total else 0.0
