"""The words between the engine and its doors: signals in, turns out.

A Turn says what is said, what was recorded, and what is awaited. It knows nothing of TwiML or HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Day = Literal["vanavond", "morgen", "zaterdag", "volgende_week"]
Part = Literal["ochtend", "middag", "avond"]


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
    """One recorded response: question id and code (or number) as it is stored.

    It replaces what the interview holds of that question: in a resumed call a question that was passed over in
    silence (`geen_antwoord`) is put again.
    """

    question: str
    value: str


@dataclass(frozen=True, slots=True)
class Wish:
    """When somebody asked to be called: day and part of day, as keyed. None = any later time."""

    day: Day | None = None
    part: Part | None = None


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


def to_mapping(turn: Turn) -> dict[str, Any]:
    """JSON-safe form, kept so that a repeated webhook hears the same; `from_mapping` gives the same turn back."""
    return {
        "announces": [[prompt.id, prompt.slow] for prompt in turn.announces],
        "asks": [[prompt.id, prompt.slow] for prompt in turn.asks],
        "awaits": [turn.awaits.digits, turn.awaits.timeout_seconds] if turn.awaits else None,
        "records": [[answer.question, answer.value] for answer in turn.records],
    }


def from_mapping(data: Mapping[str, Any]) -> Turn:
    """The turn that `to_mapping` wrote. KeyError or TypeError when it did not."""
    awaits = data["awaits"]
    return Turn(
        announces=tuple(Prompt(str(id), bool(slow)) for id, slow in data["announces"]),
        asks=tuple(Prompt(str(id), bool(slow)) for id, slow in data["asks"]),
        awaits=None if awaits is None else Awaits(int(awaits[0]), float(awaits[1])),
        records=tuple(Answer(str(question), str(value)) for question, value in data["records"]),
    )
