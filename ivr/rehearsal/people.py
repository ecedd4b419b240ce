"""Who a number belongs to, and what they think: traits drawn once per number, moods drawn once per call.

An honest population (docs: domain, section 8), every output of it labelled `synthetisch`: answer probability
Beta(1.2; 2.2); 6 % of numbers not in service; 45 % of non-answers are voicemail; of human answers 3 % wrong
person, 5 % language problem, 25 % hang up in the introduction, 55 % take part; break-off 5 % at the first
question and 1.2 % at each next; one latent score behind all answers of a person (correlation about 0.5).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Literal

from ivr.rehearsal.hearing import KnownQuestion

Mood = Literal["takes_part", "hangs_up", "refuses", "never_again", "later", "wrong_person", "no_dutch", "silent"]

CORRELATION = 0.5
GRADES = (0.4, 0.3, 0.5, 1.0, 2.0, 5.8, 16.0, 39.0, 21.5, 13.5)
PROVIDER_SPREAD = 0.5
"""Standard deviation of providers' mean grades, around 8.0."""
GRADE_SPREAD = 1.45
"""Standard deviation of GRADES; turns a provider's mean into a shift of the latent score."""
_FROM_GOOD_TO_BAD = (45.0, 45.0, 6.0, 2.0, 1.0)
_DONT_KNOW = 0.02
_YES = {"LD_AANGERADEN": 0.49, "LD_KLACHT": 0.08, "LD_MAATR": 0.25, "INB_ZIEK": 0.55}
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Habits:
    """How often people are like that; probabilities per occasion."""

    not_in_service: float = 0.06
    voicemail: float = 0.45
    """of the calls that nobody answers"""
    busy: float = 0.08
    """of the calls that nobody answers"""
    wrong_person: float = 0.03
    no_dutch: float = 0.05
    hangs_up: float = 0.25
    takes_part: float = 0.55
    breaks_off_first: float = 0.05
    breaks_off_next: float = 0.012
    housemate_answers: float = 0.04
    wrong_key: float = 0.012
    silence: float = 0.015
    again: float = 0.01
    which_keys: float = 0.005
    not_understood: float = 0.012
    barge_in: float = 0.12
    slow_ten: float = 0.1
    stray_key: float = 0.0
    stray_hang_up: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """Traits of whoever has a number. latent: satisfaction, standard normal. share: which of the letters on a
    shared number is theirs, as a fraction (0-1).
    """

    number: str
    is_in_service: bool
    answer_probability: float
    is_wrong_person: bool
    knows_no_dutch: bool
    latent: float
    share: float
    barges_in: bool
    seed: str


def person_for(number: str, seed: int, habits: Habits) -> Person:
    """The person at this number: the same for the same seed, whoever else is called."""
    key = f"{seed}/{number}"
    dice = random.Random(key)  # noqa: S311  (play, not secrets)
    return Person(
        number=number,
        is_in_service=dice.random() >= habits.not_in_service,
        answer_probability=dice.betavariate(1.2, 2.2),
        is_wrong_person=dice.random() < habits.wrong_person,
        knows_no_dutch=dice.random() < habits.no_dutch,
        latent=dice.gauss(0, 1),
        share=dice.random(),
        barges_in=dice.random() < 2 * habits.barge_in,
        seed=key,
    )


def mood_of(person: Person, habits: Habits, dice: random.Random) -> Mood:
    """What this person does with this call, once it is answered."""
    if person.is_wrong_person:
        return "wrong_person"
    if person.knows_no_dutch:
        return "no_dutch"
    rest = max(0.0, 1 - habits.wrong_person - habits.no_dutch - habits.hangs_up - habits.takes_part)
    moods: tuple[Mood, ...] = ("takes_part", "hangs_up", "refuses", "never_again", "later", "silent")
    weights = (habits.takes_part, habits.hangs_up, rest * 0.45, rest * 0.15, rest * 0.3, rest * 0.1)
    return dice.choices(moods, weights)[0]


def answer_key(person: Person, question: KnownQuestion, provider: str) -> str:
    """The keys that say what this person thinks: one digit, or more for a number. The same each time it is asked."""
    dice = random.Random(f"{person.seed}/{question.id}")  # noqa: S311
    quantile = _quantile(person, provider, dice)
    if question.kind == "grade":
        return "0" if dice.random() < _DONT_KNOW else str(_pick(GRADES, quantile) + 1)
    if question.kind == "number":
        return str(min(question.maximum, round(dice.expovariate(1 / 4))))
    keys = [key for key in question.options if key != "0"]
    if "0" in question.options and (dice.random() < _DONT_KNOW or not keys):
        return "0"
    if question.id in _YES:
        return keys[0] if dice.random() < _YES[question.id] else keys[1]
    if question.is_aspect and len(keys) >= 4:
        return keys[_pick(_FROM_GOOD_TO_BAD[: len(keys)], 1 - quantile)]
    if question.is_aspect and len(keys) == 2:
        return keys[0] if quantile > 0.2 else keys[1]
    return dice.choice(keys)


def _quantile(person: Person, provider: str, dice: random.Random) -> float:
    shift = random.Random(f"provider/{provider}").gauss(0, PROVIDER_SPREAD) / GRADE_SPREAD if provider else 0.0  # noqa: S311
    own = dice.gauss(0, 1)
    return _NORMAL.cdf(CORRELATION**0.5 * person.latent + (1 - CORRELATION) ** 0.5 * own + shift)


def _pick(weights: Sequence[float], quantile: float) -> int:
    """Which of the ordered categories this quantile falls in."""
    total = sum(weights)
    for index, reached in enumerate(accumulate(weights)):
        if quantile * total <= reached:
            return index
    return len(weights) - 1


def letter_code(person: Person, letters: Mapping[str, Sequence[Mapping[str, str]]]) -> str | None:
    """The code in this person's letter; None when no letter went to this number."""
    codes = [str(letter["code"]) for letter in letters.get(person.number, ())]
    return codes[int(person.share * len(codes))] if codes else None
