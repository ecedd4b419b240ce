"""Who may be at the other end of the line, as the carrier sees them: what reaches an ear, what a hand does.

The carrier knows nothing of questionnaires; people know nothing of TwiML. Between them lie only these words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

HANG_UP = "hang up"


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that is heard: its words and how long it lasts (0 words: a tone, a pause). url: where its sound is."""

    text: str
    seconds: float
    url: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Act:
    """A key (`0`-`9`, `*`, `#`) or HANG_UP, so many seconds after the sound began."""

    after: float
    key: str


Delivery = Literal["acknowledged", "uncertain", "undelivered"]
"""What became of a web request: answered with 2xx; sent, but nobody knows what it did; never sent."""


class Listener(Protocol):
    """A person, a machine, a script: whoever answered the call."""

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        """Hears `sounds` from now on; says what it will do. `keys_count`: a Gather is active.

        What has not happened when something else begins (the sound was cut off by a key, the wait is over)
        never happens. `at`: the moment, epoch seconds.
        """
        ...

    def submitted(self, digits: str, delivery: Delivery) -> None:
        """The keys of the last Gather (empty: silence) were brought to the caller's computer."""
        ...

    def ended(self, how: str, at: float) -> None:
        """The call is over: `hung_up` (by this listener), `completed`, or what broke it."""
        ...


class Handset(Protocol):
    """A telephone with somebody real beside it, who decides while it rings and then rings the call's bell."""

    @property
    def decision(self) -> Literal["answers", "declines"] | None:
        """What they did while it rang; None: nothing yet."""
        ...


@dataclass(frozen=True, slots=True)
class Reception:
    """What the network meets at a number.

    after_seconds: from the first ring to the answer (or to busy, or to the intercept). listener: who answers.
    handset: the telephone that decides this while it rings, instead of `after_seconds`.
    """

    kind: Literal["human", "machine", "busy", "no_answer", "not_in_service"]
    after_seconds: float = 0.0
    listener: Listener | None = None
    handset: Handset | None = None


class Population(Protocol):
    """All numbers there are."""

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        """What happens when `number` rings now. Called once per call that is placed."""
        ...
