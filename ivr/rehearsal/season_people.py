"""The people of a season, and what they remember of a call beyond their answers: whom it was about, and that
they asked never to be called again.

A population like any other (`population.py`), whose letters are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ivr.rehearsal.caller import Caller
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.people import Habits, Mood, Person, letter_code, mood_of
from ivr.rehearsal.population import SyntheticPopulation

ASKS_NEVER = "nooit meer"
CONFIRMS = "is dat goed"
YES = "1"
_ABOUT = re.compile(r"de vragen gaan over (.+?)\. uw naam", re.IGNORECASE)

Box = Sequence[tuple[str, str, str]]
"""The letters to one number: (code, provider, respondent), in the order in which they came."""


class SeasonPeople(SyntheticPopulation):
    """letters: number → its letters. never_again: number → when its owner asked for that, epoch seconds."""

    def __init__(self, config_dir: Path, *, seed: int, rates: Rates) -> None:
        habits = replace(Habits(), stray_key=rates.stray_key, stray_hang_up=rates.hang_up)
        super().__init__(config_dir, seed=seed, habits=habits)
        self.letters: Mapping[str, Box] = {}
        self.never_again: dict[str, float] = {}

    def receive(self, letters: Mapping[str, Box]) -> None:
        """The post has come."""
        self.letters = letters
        self._letters = _Box(letters)  # pyright: ignore[reportAttributeAccessIssue]

    def who_answers(self, number: str) -> tuple[str, str] | None:
        """(provider, respondent) of the letter that the person at this number holds; None without letters."""
        box = self.letters.get(number)
        return box[int(self.person(number).share * len(box))][1:] if box else None

    def rings_in(self, number: str, call_sid: str, at: float) -> Caller:
        """Who calls us from this number: mostly to take part. The record gets its attempt's id afterwards."""
        person = self.person(number)
        dice = self._dice(person)
        mood: Mood = "takes_part" if dice.random() < 0.7 else mood_of(person, self.habits, dice)
        return self._talker(person, mood, dice, self._begun(number, call_sid, None, at))

    def _over(self, record: dict[str, Any], how: str) -> None:
        if _asked_never(record.get("transcript", ())):
            ended = datetime.fromisoformat(record["ended_at"]).timestamp()
            self.never_again.setdefault(record["number"], ended)
        if not record["provider"]:
            heard = (_ABOUT.search(line["heard"]) for line in record.get("transcript", ()) if "heard" in line)
            record["provider"] = next((match[1] for match in heard if match), None)
        super()._over(record, how)


class _Box:
    """Looks codes up in the letters of this season."""

    def __init__(self, letters: Mapping[str, Box]) -> None:
        self._codes = {number: [{"code": code} for code, _, _ in box] for number, box in letters.items()}

    def code_of(self, person: Person) -> str | None:
        return letter_code(person, self._codes)


def _asked_never(transcript: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the person heard the question and said yes, and the computer took it."""
    is_asked = False
    for line in transcript:
        if "heard" in line:
            heard = line["heard"].lower()
            is_asked = ASKS_NEVER in heard and CONFIRMS in heard
        elif is_asked and line.get("pressed") == YES and line.get("delivery") == "acknowledged":
            return True
    return False
