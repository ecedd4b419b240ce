"""One computation for all who watch: asked for by many at once it runs once, and its answer serves for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """The answer of `compute`, at most `seconds` old. An error is not kept: the next who asks tries again."""

    def __init__(self, compute: Callable[[], Value], seconds: float) -> None:
        self._compute, self._seconds = compute, seconds
        self._lock = threading.Lock()
        self._held: tuple[float, int, Value] | None = None
        self._changes = 0

    def get(self) -> Value:
        held = self._held
        if held is not None and self._is_good(held):
            return held[2]
        with self._lock:
            # Whoever waited here finds the answer of the one who was first.
            held = self._held
            if held is None or not self._is_good(held):
                # What is changed by hand meanwhile may have been read before: that serves nobody who asks later.
                changes, value = self._changes, self._compute()
                held = self._held = (time.monotonic() + self._seconds, changes, value)
            return held[2]

    def _is_good(self, held: tuple[float, int, Value]) -> bool:
        return time.monotonic() < held[0] and held[1] == self._changes

    def forget(self) -> None:
        """Compute anew next time: something was changed by hand. Never waits for a computation."""
        self._changes += 1
