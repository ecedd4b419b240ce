"""The engine: a pure function from a signal to the next turn, doing the whole call of docs/call.md.

    begin(questionnaire, occasion)            → (Interview, Turn)
    advance(questionnaire, interview, signal) → (Interview, Turn)

It knows neither database nor carrier: the same function serves the phone, the read-aloud web page, the
softphone and the rehearsal. `dump`/`load` turn the state into JSON and back without loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal[
    "complete",  # usable, to the end
    "partial",  # usable, ended before the end
    "unusable",  # to the end, yet too few aspects answered
    "break_off",  # questions begun, ended before usable
    "refusal",
    "never_call_again",
    "appointment",
    "hung_up_introduction",
    "no_interaction",
    "wrong_person",
    "language_problem",
]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the engine must know of the call it holds; frozen at its beginning.

    service: 1-13. codes: on a shared number the letters' four-digit codes of the people in this cell who may be
    interviewed, each with an opaque reference (empty: the number is not shared). days: for each day that can
    still be offered for an appointment, the parts of that day that can. earlier: answers of a broken-off
    interview that is resumed (never read out). direction: who called whom; a `web` occasion has no greeting.
    """

    service: int
    codes: tuple[tuple[str, str], ...] = ()
    days: tuple[tuple[str, tuple[str, ...]], ...] = ()
    earlier: tuple[tuple[str, str], ...] = ()
    direction: Literal["outbound", "inbound", "web"] = "outbound"
