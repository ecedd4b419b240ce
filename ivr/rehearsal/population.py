"""All the numbers that can be called, and the people's own record of each call.

Decides what a number does when it rings: not in service, busy, nobody, voicemail, a person. The draws are seeded
by (seed, number, how often it was called), so a run can be repeated whatever the order of the calls. The record
is written as JSON lines; it is the yardstick for the house and is never shown to it.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ivr.rehearsal.caller import Caller, Monkey, Voicemail
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.hearing import Ear, read_questionnaires
from ivr.rehearsal.listeners import Population, Reception
from ivr.rehearsal.people import Habits, Mood, Person, letter_code, mood_of, person_for
from ivr.rehearsal.transport import JsonLines

Kind = Literal["synthetic", "monkeys", "nobody"]

_RINGS_ON = 600.0
"""Nobody comes: it rings until the caller gives up."""
_ATTEMPT = re.compile(r"/voice/([0-9A-Za-z_-]+)/")


class Letters:
    """Which codes stand in the letters to a number: `{"+316…": [{"code": "1234"}, …]}`, read again when it changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._letters: Mapping[str, Sequence[Mapping[str, str]]] = {}

    def code_of(self, person: Person) -> str | None:
        if self._path is not None and self._path.exists():
            stat = self._path.stat()
            if self._stamp != (stat.st_mtime_ns, stat.st_size):
                self._letters = json.loads(self._path.read_text(encoding="utf-8"))
                self._stamp = (stat.st_mtime_ns, stat.st_size)
        return letter_code(person, self._letters)


class SyntheticPopulation:
    """A whole country of synthetic people. `record`: file that gets one JSON line per call."""

    def __init__(
        self,
        config_dir: Path,
        *,
        seed: int = 0,
        habits: Habits | None = None,
        record: Path | None = None,
        letters: Path | None = None,
        monkeys: bool = False,
    ) -> None:
        self.habits = habits or Habits()
        self.calls: list[dict[str, Any]] = []
        self._seed = seed
        self._ear = Ear(read_questionnaires(config_dir))
        self._people: dict[str, Person] = {}
        self._rung: Counter[str] = Counter()
        self._record = JsonLines(record)
        self._letters = Letters(letters)
        self._kind = Monkey if monkeys else Caller

    def person(self, number: str) -> Person:
        """Who has this number."""
        if number not in self._people:
            self._people[number] = person_for(number, self._seed, self.habits)
        return self._people[number]

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        person = self.person(number)
        dice = self._dice(person)
        attempt = _ATTEMPT.search(voice_url)
        record = self._begun(number, call_sid, attempt[1] if attempt else None, at)
        if not person.is_in_service:
            return self._nobody(record, "not_in_service", 2.0)
        if self._kind is Caller and dice.random() >= person.answer_probability:
            chance = dice.random()
            if chance < self.habits.voicemail:
                record["met"] = "machine"
                answers_after = dice.uniform(12, 24)
                machine = Voicemail(at + answers_after, dice.uniform(60, 120), lambda how, _: self._over(record, how))
                return Reception("machine", answers_after, machine)
            if chance < self.habits.voicemail + self.habits.busy:
                return self._nobody(record, "busy", 3.0)
            return self._nobody(record, "no_answer", _RINGS_ON)
        mood = mood_of(person, self.habits, dice) if self._kind is Caller else "takes_part"
        caller = self._talker(person, mood, dice, record)
        return Reception("human", dice.uniform(2, 16), caller)

    def _dice(self, person: Person) -> random.Random:
        """The dice of the next call with this person."""
        self._rung[person.number] += 1
        return random.Random(f"{person.seed}/{self._rung[person.number]}")  # noqa: S311  (play, not secrets)

    def _begun(self, number: str, call_sid: str, attempt_id: str | None, at: float) -> dict[str, Any]:
        """The record of a call that has just begun."""
        return {
            "synthetisch": True,
            "number": number,
            "call_sid": call_sid,
            "attempt_id": attempt_id,
            "started": datetime.fromtimestamp(at, UTC).isoformat(),
            "met": "human",
            "mood": None,
            "provider": None,
            "questions": [],
            "answers": {},
            "uncertain": {},
            "surprises": [],
            "apologised": False,
            "ended": None,
        }

    def _talker(self, person: Person, mood: Mood, dice: random.Random, record: dict[str, Any]) -> Caller:
        record["mood"] = mood
        return self._kind(
            person, mood, dice, self._ear, self.habits, record, self._hung_up, lambda: self._letters.code_of(person)
        )

    def answers_by_attempt(self) -> dict[str, dict[str, str]]:
        """attempt id → question id → value, as acknowledged by the house during that call."""
        answers: dict[str, dict[str, str]] = defaultdict(dict)
        for call in self.calls:
            if call["attempt_id"] is not None and call["answers"]:
                answers[call["attempt_id"]].update(call["answers"])
        return dict(answers)

    def close(self) -> None:
        self._record.close()

    def _nobody(self, record: dict[str, Any], kind: Literal["not_in_service", "busy", "no_answer"], after: float):
        record["met"] = kind
        self._over(record, kind)
        return Reception(kind, after)

    def _hung_up(self, caller: Caller) -> None:
        caller.record["answers"] = caller.book.answers
        caller.record["uncertain"] = caller.book.uncertain
        caller.record["surprises"] = caller.book.surprises
        caller.record["transcript"] = caller.transcript
        self._over(caller.record, caller.record["ended"])

    def _over(self, record: dict[str, Any], how: str) -> None:
        record["ended"] = how
        self._record.write(record)
        # What was said need not stay in memory; the file has it.
        self.calls.append({name: value for name, value in record.items() if name != "transcript"})


class NobodyHome:
    """Every number rings and nobody answers: a carrier for `make run` without a population."""

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        return Reception("no_answer")

    def close(self) -> None:
        return None


def open_population(
    kind: Kind,
    config_dir: Path,
    *,
    seed: int = 0,
    rates: Rates | None = None,
    record: Path | None = None,
    letters: Path | None = None,
) -> SyntheticPopulation | NobodyHome:
    """The population of this name; faults of people (stray keys, hanging up) become habits of everyone."""
    if kind == "nobody":
        return NobodyHome()
    habits = Habits()
    if rates is not None:
        habits = replace(habits, stray_key=rates.stray_key, stray_hang_up=rates.hang_up)
    return SyntheticPopulation(
        config_dir, seed=seed, habits=habits, record=record, letters=letters, monkeys=kind == "monkeys"
    )


__all__ = ["Kind", "Letters", "NobodyHome", "Population", "SyntheticPopulation", "open_population"]
