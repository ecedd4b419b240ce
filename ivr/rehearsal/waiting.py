"""What holds the rehearsal's clock and what waits for it: marks only; `timekeeper.py` decides when time moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class Bell:
    """Something that may end a sleep early: a live call was changed, a key came from outside."""

    def __init__(self) -> None:
        self.has_rung = False
        self.wake: Callable[[], None] | None = None

    def ring(self) -> None:
        """Wake who sleeps beside this bell, or let the next sleep end at once."""
        self.has_rung = True
        if self.wake is not None:
            self.wake()

    def reset(self) -> None:
        self.has_rung = False


@dataclass(eq=False, slots=True)
class Hold:
    """Somebody is at work, and time stands still; `since`: seconds of the machine's own clock."""

    what: str
    since: float = field(default_factory=time.monotonic)


@dataclass(eq=False, slots=True)
class Wait:
    """Somebody sleeps until that moment (epoch seconds); `wake` is None once nobody does."""

    until: float
    wake: Callable[[], None] | None

    def end(self) -> None:
        """Wake the sleeper, once."""
        wake, self.wake = self.wake, None
        if wake is not None:
            wake()

    def forget(self) -> None:
        """Nobody waits here any more."""
        self.wake = None
