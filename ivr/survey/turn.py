"""The words between the engine and its doors: signals in, turns out.

A Turn says what is said, what was recorded, and what is awaited. It knows nothing of TwiML or HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Keypress:
    """The person pressed these keys (one key, or as many as the turn awaited)."""

    digits: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The turn's time-out passed without a key."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The person hung up, or the line broke."""


Signal = Keypress | Silence | HungUp


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt to be played: a phrase id, a question id, or `<question id>.keys`; normal or slow."""

    id: str
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Awaits:
    """How keys are taken: at most `digits` keys, `timeout_seconds` of silence after the prompts or a key."""

    digits: int
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded response: question id and code (or number) as it is stored."""

    question: str
    value: str


@dataclass(frozen=True, slots=True)
class Wish:
    """When somebody asked to be called: day and part of day, as keyed. None = any later time."""

    day: Literal["vanavond", "morgen", "zaterdag", "volgende_week"] | None = None
    part: Literal["ochtend", "middag", "avond"] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens next in the call.

    announces: played first, cannot be interrupted. asks: played while keys are already taken.
    awaits: None means the call ends after what is said. records: answers to store now, exactly once.
    """

    announces: tuple[Prompt, ...] = ()
    asks: tuple[Prompt, ...] = ()
    awaits: Awaits | None = None
    records: tuple[Answer, ...] = ()
