"""A whole call as text: keys pressed, prompts heard, answers kept, how it ended.

A journey file has a head (what it shows, and the occasion) and a transcript. Only the head and the lines that begin
with `>` steer the call; everything else is what must come out. `~` marks a slow prompt, `!` what cannot be
interrupted, `(8)` the seconds of silence that are waited for.

    > 1          a key (or, where a code is awaited, keys)
    > silence    the time-out passed
    > hangs up
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from ivr.survey.interview import Interview, Occasion, advance, begin, dump, load
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import HungUp, Keypress, Signal, Silence, Turn, from_mapping, to_mapping

DAYS = (
    ("vanavond", ("avond",)),
    ("morgen", ("ochtend", "middag", "avond")),
    ("zaterdag", ("ochtend", "middag")),
    ("volgende_week", ("ochtend", "middag", "avond")),
)


@dataclass(frozen=True)
class Journey:
    """What steers a call."""

    shows: str
    questionnaire: str
    occasion: Occasion
    signals: tuple[Signal, ...]


def parse(text: str) -> Journey:
    """The head and the signals of a journey file."""
    head: dict[str, list[str]] = {}
    signals: list[Signal] = []
    for line in text.splitlines():
        if line.startswith("> "):
            word = line[2:].strip()
            signals.append({"silence": Silence(), "hangs up": HungUp()}.get(word) or Keypress(word))
        elif line and not signals and line[0].islower() and not line.startswith("begins"):
            name, _, rest = line.partition(" ")
            head.setdefault(name, []).append(rest.strip())

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        words = " ".join(head.get(name, [])).split()
        return tuple((left, right) for left, _, right in (word.partition("=") for word in words))

    days = DAYS
    if "days" in head:
        days = tuple((day, tuple(parts.split(","))) for day, parts in pairs("days"))
    earlier_of: dict[str, list[tuple[str, str]]] = {}
    for line in head.get("earlier_of", []):
        reference, *rest = line.split()
        earlier_of[reference] = [(left, right) for left, _, right in (word.partition("=") for word in rest)]
    direction = head.get("direction", ["outbound"])[0]
    assert direction in ("outbound", "inbound", "web")
    return Journey(
        shows=" ".join(head["shows"]),
        questionnaire=head["questionnaire"][0],
        occasion=Occasion(
            service=int(head["service"][0]),
            codes=pairs("codes"),
            days=days,
            earlier=pairs("earlier"),
            direction=direction,
            earlier_of=tuple((reference, tuple(given)) for reference, given in earlier_of.items()),
        ),
        signals=tuple(signals),
    )


def through_storage(interview: Interview) -> Interview:
    """The interview as it comes back from the store between two keys."""
    return load(json.loads(json.dumps(dump(interview))))


def play(questionnaire: Questionnaire, journey: Journey, between: Callable[[Interview], Interview]) -> list[str]:
    """The transcript of the call, with `between` done to the state between every two keys."""
    interview, turn = begin(questionnaire, journey.occasion)
    lines = [*_heard(turn), *_marks(None, interview)]
    for signal in journey.signals:
        before = interview
        interview, turn = advance(questionnaire, between(interview), signal)
        turn = from_mapping(json.loads(json.dumps(to_mapping(turn))))
        lines += ["", f"> {_name(signal)}", *_heard(turn), *_marks(before, interview)]
    if not interview.is_over:
        lines.append(f"waits at {interview.step}")
    return lines


def _name(signal: Signal) -> str:
    return signal.digits if isinstance(signal, Keypress) else "silence" if isinstance(signal, Silence) else "hangs up"


def _heard(turn: Turn) -> list[str]:
    lines = [f"  keeps {answer.question} = {answer.value}" for answer in turn.records]
    words = [f"{prompt.id}!" for prompt in turn.announces]
    words += [f"{prompt.id}~" if prompt.slow else prompt.id for prompt in turn.asks]
    if turn.awaits is not None:
        digits = "" if turn.awaits.digits == 1 else f"{turn.awaits.digits} keys, "
        words.append(f"({digits}{turn.awaits.timeout_seconds:g})")
    return [*lines, "  " + " ".join(words)] if words else lines


def _marks(before: Interview | None, after: Interview) -> list[str]:
    lines: list[str] = []
    if after.identified and not (before and before.identified):
        lines.append(f"  knows {after.identified}")
    if after.has_begun and not (before and before.has_begun):
        lines.append("  has begun")
    if after.usable and not (before and before.usable):
        lines.append("  usable")
    if after.outcome and not (before and before.outcome):
        wish = f" {after.wish.day or 'any'} {after.wish.part or 'any'}" if after.wish else ""
        lines.append(f"ends: {after.outcome}{wish}")
    return lines
