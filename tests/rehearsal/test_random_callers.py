"""Two hundred random callers who press anything at any time: none is ever stuck, and the line is never long silent.

Measured at the ear, by the carrier's clock: from the end of what was heard last to the beginning of what is heard
next. Who is keying (a code, a ten) makes the silence anew with each key: after it the line must speak again in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ivr.rehearsal.caller import Monkey
from ivr.rehearsal.hearing import Understood
from ivr.rehearsal.listeners import HANG_UP, Act, Delivery, Listener, Reception, Sound
from ivr.rehearsal.population import SyntheticPopulation
from ivr.survey.state import Occasion
from tests.rehearsal.test_people_and_engine import CONFIG, EngineHouse, assert_records_agree, rehearse

LONGEST_SILENCE = 10.0
BETWEEN_LINES_WHILE_FETCHING = 8.0
ANSWERED = 40
"""Of each of the five occasions: two hundred in all."""
CALLS = 48
"""Some numbers are not in service, some people are not at home."""
DAYS = (("vanavond", ("avond",)), ("morgen", ("ochtend", "middag", "avond")), ("volgende_week", ("middag",)))
EARLIER = (("INB_VOLGT", "ja"), ("INB_LES", "altijd"), ("INB_ANTW", "geen_antwoord"))
OCCASIONS = {
    "inburgering": ("inburgering", Occasion(service=11, days=DAYS)),
    "laagdrempelig": ("laagdrempelig", Occasion(service=5, days=DAYS)),
    "shared number": ("inburgering", Occasion(service=11, days=DAYS, codes=(("4711", "me"), ("0815", "you")))),
    "resumed": ("inburgering", Occasion(service=11, days=DAYS, earlier=EARLIER)),
    "rings us, no days left": ("laagdrempelig", Occasion(service=2, direction="inbound")),
}


class Stopwatch:
    """A listener's ear: the longest silence, and the longest while somebody is fetched."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._quiet_since: float | None = None
        self._sounds_until = 0.0
        self._keys: list[float] = []
        self._is_fetching = False
        self.longest = 0.0
        self.longest_fetching = 0.0
        self.how = ""

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        text = " ".join(sound.text for sound in sounds)
        if text.strip():
            self._speaks(at)
            self._quiet_since = None
            self._is_fetching = "Wij wachten" in text and "Druk op 1" in text
        else:
            self._waits(at)
        self._sounds_until = at + sum(sound.seconds for sound in sounds if sound.text)
        acts = self._listener.listens(sounds, keys_count=keys_count, at=at)
        self._keys = [at + act.after for act in acts if act.key != HANG_UP]
        return acts

    def submitted(self, digits: str, delivery: Delivery) -> None:
        self._listener.submitted(digits, delivery)

    def ended(self, how: str, at: float) -> None:
        self._speaks(at)
        self.how = how
        self._listener.ended(how, at)

    def _speaks(self, at: float) -> None:
        """The line speaks (or is put down): how long was it silent before?"""
        self._waits(at)
        if self._quiet_since is not None:
            silence = at - self._quiet_since
            self.longest = max(self.longest, silence)
            if self._is_fetching:
                self.longest_fetching = max(self.longest_fetching, silence)

    def _waits(self, at: float) -> None:
        # A key cuts off what sounds; a later key is somebody busy, not somebody waiting.
        moments = [moment for moment in (self._quiet_since, min(self._sounds_until, at)) if moment is not None]
        moments += [key for key in self._keys if key <= at]
        self._quiet_since = max(moments) if self._sounds_until else None
        self._keys = []


class Fetches(Monkey):
    """Goes to fetch somebody, who is slow to come; before and after that presses anything."""

    def _reacts(self, understood: Understood, seconds: float) -> list[Act]:
        match self._situation:
            case "right_person":
                return self._presses("2", seconds)
            case "person_home":
                return self._presses("1", seconds)
            case "fetching" if self._dice.random() < 0.7:
                return []
            case _:
                return super()._reacts(understood, seconds)


class Timed:
    """A population whose ears are timed."""

    def __init__(self, people: SyntheticPopulation) -> None:
        self._people = people
        self.ears: list[Stopwatch] = []

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        reception = self._people.receives(number, call_sid, voice_url, at)
        if reception.listener is None:
            return reception
        self.ears.append(Stopwatch(reception.listener))
        return replace(reception, listener=self.ears[-1])


def test_who_waits_for_somebody_hears_a_line_every_eight_seconds(play):
    house, people = EngineHouse("inburgering"), SyntheticPopulation(CONFIG, seed=42, monkeys=True)
    people._kind = Fetches
    timed: Any = Timed(people)
    states = rehearse(play, house, timed, CALLS)
    assert all(state["outcome"] is not None for state in states.values())
    waits = [ear.longest_fetching for ear in timed.ears if ear.longest_fetching]
    assert len(waits) >= CALLS / 4
    assert 5 <= max(waits) <= BETWEEN_LINES_WHILE_FETCHING
    assert max(ear.longest for ear in timed.ears) <= LONGEST_SILENCE


@pytest.mark.parametrize("case", OCCASIONS)
def test_random_callers_are_never_stuck_and_never_left_in_silence(play, case):
    questionnaire, occasion = OCCASIONS[case]
    house, people = EngineHouse(questionnaire), SyntheticPopulation(CONFIG, seed=41, monkeys=True)
    house.occasion = occasion
    timed: Any = Timed(people)
    states = rehearse(play, house, timed, CALLS)
    assert len(timed.ears) >= ANSWERED
    assert {ear.how for ear in timed.ears} <= {"completed", "hung_up"}
    assert all(state["outcome"] is not None for state in states.values())
    assert 8 <= max(ear.longest for ear in timed.ears) <= LONGEST_SILENCE
    assert_records_agree(house, people)
