"""What the keys mean, the same everywhere, and how a number is keyed digit by digit.

Decides the one key table, the time-outs, how often one may try, and when a number is finished. What is said
afterwards is decided in `asking.py`. All times are seconds after the last prompt or key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ivr.survey.questionnaire import Question

AGAIN = "*"
"""Again, slowly; costs no try."""
UNCLEAR = "#"
""" "Ik begrijp het niet"; ends a number that is being entered."""
WHICH_KEYS = "9"
"""Says which keys there are; costs no try."""

WEET_NIET = "weet_niet"
GEEN_MENING = "geen_mening"
NIET_BEGREPEN = "niet_begrepen"
GEEN_ANTWOORD = "geen_antwoord"
UNIVERSAL_CODES = (NIET_BEGREPEN, GEEN_ANTWOORD)
"""Answers that every question can get besides its own options."""

ANSWER_SECONDS = 8.0
SLOW_SECONDS = 9.0
"""After a slow prompt: who needs the slow one needs longer to find the key."""
DIGIT_SECONDS = 2.5
"""Between the digits of a number."""

TRIES = 3
"""The third wrong key, or the third silence, passes a question over."""
FREE_KEYS = 8
"""So many keys that cost no try (`*`, 9) within one question; more count as wrong keys, so that every call ends."""

OPTION_KEYS = "123450"
"""The keys an option may have, in the order in which options are spoken."""

KEY_TABLE: Mapping[str, str] = {
    "ja": "1",
    "nee": "2",
    "anders": "5",
    "altijd": "1",
    "heel_vaak": "1",
    "vaak": "2",
    "soms": "3",
    "nooit": "4",
    "zeer_tevreden": "1",
    "tevreden": "2",
    "ontevreden": "3",
    "zeer_ontevreden": "4",
    "heel_goed": "1",
    "goed": "2",
    "slecht": "3",
    "heel_slecht": "4",
    WEET_NIET: "0",
    GEEN_MENING: "0",
}
"""Where an answer stands whatever the question: code → key."""


def is_substantive(value: str) -> bool:
    """Whether an answer says something; `geen_mening` does: it is an opinion, and printed."""
    return value not in (WEET_NIET, *UNIVERSAL_CODES)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a key made of a number.

    answer: it is finished, `value` is stored. more: another digit may follow. check: a lone 1 that may be a slow
    10, to be read back. wrong: no such number.
    """

    kind: Literal["answer", "more", "check", "wrong"]
    value: str = ""


def first_digit(question: Question, key: str) -> Entry:
    """The first key of a grade or number (one of `0`-`9`). A grade's 0 is one of its options: `weet_niet`."""
    if option := question.option(key):
        return Entry("answer", option.code)
    number = _number(key)
    if number is None:
        return Entry("wrong")
    if 0 < number * 10 <= _maximum(question):
        return Entry("more", key)
    return whole_number(question, key)


def second_digit(question: Question, first: str, key: str | None) -> Entry:
    """The key after `first`; None or `#` when the number ended there."""
    if key is None or key == UNCLEAR:
        # A slowly keyed 10 must never become a 1, the very grade that distorts small samples.
        return Entry("check", first) if question.kind == "grade" else whole_number(question, first)
    return whole_number(question, first + key)


def whole_number(question: Question, digits: str) -> Entry:
    """The number as a whole, as it stands or as a web page sends it."""
    number = _number(digits)
    if number is None or not (question.minimum or 0) <= number <= _maximum(question):
        return Entry("wrong")
    return Entry("answer", str(number))


def _number(digits: str) -> int | None:
    return int(digits) if 0 < len(digits) <= 3 and digits.isascii() and digits.isdigit() else None


def _maximum(question: Question) -> int:
    return 99 if question.maximum is None else question.maximum
