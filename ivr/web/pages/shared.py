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
        self._held: tuple[float, Value] | None = None

    def get(self) -> Value:
        held = self._held
        if held is not None and time.monotonic() < held[0]:
            return held[1]
        with self._lock:
            # Whoever waited here finds the answer of the one who was first.
            if self._held is None or time.monotonic() >= self._held[0]:
                value = self._compute()
                self._held = (time.monotonic() + self._seconds, value)
            return self._held[1]

    def forget(self) -> None:
        """Compute anew next time: something was changed by hand."""
        self._held = None
