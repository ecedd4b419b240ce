"""The state of a call between two keys, and how it is kept: `dump` and `load` lose nothing.

Decides what is remembered; what happens is decided in `opening.py`, `arranging.py`, `asking.py`, `ending.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, get_args

from ivr.errors import InvariantError
from ivr.survey.keypad import AGAIN, ANSWER_SECONDS, FREE_KEYS, SLOW_SECONDS, UNCLEAR, WHICH_KEYS
from ivr.survey.turn import Answer, Awaits, HungUp, Keypress, Prompt, Signal, Silence, Turn, Wish

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

Step = Literal[
    "greeting",
    "not_taking_part",
    "never_check",
    "later_day",
    "later_part",
    "later_check",
    "right_person",
    "person_home",
    "fetching",
    "code",
    "practice",
    "question",
    "digit",  # the second digit of a number may follow
    "grade_check",  # a lone 1 is read back
    "still_there",
    "over",
]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the engine must know of the call it holds; frozen at its beginning.

    service: 1-13. codes: on a shared number the letters' four-digit codes of the people in this cell who may be
    interviewed, as (code, opaque reference) (empty: the number is not shared). days: for each day that can
    still be offered for an appointment, the parts of that day that can. earlier: answers of a broken-off
    interview that is resumed (never read out). earlier_of: on a shared number the same for each reference whose
    interview this version can resume; used once the code has been keyed. direction: who called whom; a `web`
    occasion has no greeting.
    """

    service: int
    codes: tuple[tuple[str, str], ...] = ()
    days: tuple[tuple[str, tuple[str, ...]], ...] = ()
    earlier: tuple[tuple[str, str], ...] = ()
    direction: Literal["outbound", "inbound", "web"] = "outbound"
    earlier_of: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Interview:
    """One run through a questionnaire: where the call stands after the last signal.

    What others read: outcome, is_over, usable, identified, wish, question, has_begun, answers.
    """

    questionnaire: str
    version: int
    occasion: Occasion
    step: Step
    question: str | None = None
    """The question that is being put, or was put last."""
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Question id → code or number, those of an earlier call included."""
    usable: bool = False
    """Whether this counts as a successful interview; once true it stays true."""
    has_begun: bool = False
    """The person is known and the first question was put."""
    identified: str | None = None
    """On a shared number: the reference of the person whose code was keyed."""
    wish: Wish | None = None
    """When the person wants to be called; final when the outcome is `appointment`."""
    outcome: Outcome | None = None
    entered: str = ""
    """The first digit of a number, while the second may follow or a 1 is read back."""
    silences: int = 0
    wrong: int = 0
    free: int = 0
    unclear: int = 0
    rounds: int = 0
    """How often this step was started anew by choice: bounded, so that every call ends."""
    passed_in_silence: int = 0
    """Questions passed over in a row because nothing was pressed."""
    repeat: tuple[str, ...] = ()
    """Questions that an earlier call passed over in silence and that this call has not yet put again."""
    has_pressed: bool = False
    was_fetched: bool = False

    @property
    def is_over(self) -> bool:
        return self.outcome is not None


Reply = tuple[Interview, Turn]

_FIELDS = {each.name: place for place, each in enumerate(fields(Interview))}
_VALUES = attrgetter(*_FIELDS)


def changed(interview: Interview, **changes: Any) -> Interview:
    """What `dataclasses.replace` gives, in a third of its time: a webhook needs it three times."""
    values = list(_VALUES(interview))
    for name, value in changes.items():
        values[_FIELDS[name]] = value
    return Interview(*values)


Heard = Literal["silence", "key", "again", "keys", "unclear", "wrong"]


_FRESH: dict[str, Any] = {"entered": "", "silences": 0, "wrong": 0, "free": 0, "unclear": 0, "rounds": 0}


def enter(interview: Interview, step: Step, **changes: Any) -> Interview:
    """The interview at a new step, its tries counted from nothing."""
    return changed(interview, step=step, **(_FRESH | changes))


def listen(interview: Interview, signal: Signal, keys: str, free: str = AGAIN + WHICH_KEYS) -> tuple[Interview, Heard]:
    """What was heard where one of `keys` was awaited, and the interview with its tries counted.

    Keys that cost no try (`free`) become wrong keys once there are too many, so that any key sequence ends a call.
    """
    if isinstance(signal, Silence | HungUp) or not signal.digits:
        return changed(interview, silences=interview.silences + 1), "silence"
    if not interview.has_pressed:
        interview = changed(interview, has_pressed=True)
    key = signal.digits
    if len(key) == 1 and key in keys:
        return interview, "key"
    if len(key) == 1 and key in free and interview.free < FREE_KEYS:
        return changed(interview, free=interview.free + 1), "again" if key == AGAIN else "keys"
    if key == UNCLEAR:
        return changed(interview, unclear=interview.unclear + 1), "unclear"
    return changed(interview, wrong=interview.wrong + 1), "wrong"


def key_of(signal: Signal) -> str:
    return signal.digits if isinstance(signal, Keypress) else ""


def say(*ids: str, slow: bool = False) -> tuple[Prompt, ...]:
    return tuple(Prompt(id, slow) for id in ids)


def ask(
    asks: tuple[Prompt, ...],
    *,
    announces: tuple[Prompt, ...] = (),
    records: tuple[Answer, ...] = (),
    digits: int = 1,
    seconds: float | None = None,
) -> Turn:
    """A turn that waits for keys, longer after slow prompts."""
    if seconds is None:
        seconds = SLOW_SECONDS if any(prompt.slow for prompt in asks) else ANSWER_SECONDS
    return Turn(announces=announces, asks=asks, awaits=Awaits(digits, seconds), records=records)


def menu_again(interview: Interview, heard: Heard, prompts: tuple[str, ...]) -> Reply:
    """A menu once more: slowly, or after a word on the keys."""
    if heard == "wrong":
        return interview, ask(say("wrong_key", *prompts))
    if heard == "keys":
        return interview, ask(say("which_keys", *prompts))
    return interview, ask(say(*prompts, slow=True))


def misses(interview: Interview) -> int:
    """How often this step got nothing it could use. Asking "I do not understand" in a menu counts too."""
    return interview.silences + interview.wrong + interview.unclear


def dump(interview: Interview) -> dict[str, Any]:
    """JSON-safe form of the whole state; `load` gives the same interview back."""
    occasion = interview.occasion
    return {
        "questionnaire": interview.questionnaire,
        "version": interview.version,
        "occasion": {
            "service": occasion.service,
            "codes": [list(pair) for pair in occasion.codes],
            "days": [[day, list(parts)] for day, parts in occasion.days],
            "earlier": [list(pair) for pair in occasion.earlier],
            "direction": occasion.direction,
            "earlier_of": [[reference, [list(pair) for pair in pairs]] for reference, pairs in occasion.earlier_of],
        },
        "step": interview.step,
        "question": interview.question,
        "answers": dict(interview.answers),
        "usable": interview.usable,
        "has_begun": interview.has_begun,
        "identified": interview.identified,
        "wish": None if interview.wish is None else [interview.wish.day, interview.wish.part],
        "outcome": interview.outcome,
        "repeat": list(interview.repeat),
        **{name: getattr(interview, name) for name in _PLAIN},
    }


_PLAIN = (
    "entered",
    "silences",
    "wrong",
    "free",
    "unclear",
    "rounds",
    "passed_in_silence",
    "has_pressed",
    "was_fetched",
)


def load(data: Mapping[str, Any]) -> Interview:
    """The interview that `dump` wrote. InvariantError when it is something else."""
    try:
        kept = data["occasion"]
        if data["step"] not in get_args(Step) or data["outcome"] not in (None, *get_args(Outcome)):
            raise ValueError("unknown step or outcome")
        return Interview(
            questionnaire=data["questionnaire"],
            version=data["version"],
            occasion=Occasion(
                service=kept["service"],
                codes=tuple((code, reference) for code, reference in kept["codes"]),
                days=tuple((day, tuple(parts)) for day, parts in kept["days"]),
                earlier=tuple((question, value) for question, value in kept["earlier"]),
                direction=kept["direction"],
                earlier_of=tuple(
                    (reference, tuple((question, value) for question, value in pairs))
                    for reference, pairs in kept["earlier_of"]
                ),
            ),
            step=data["step"],
            question=data["question"],
            answers=dict(data["answers"]),
            usable=data["usable"],
            has_begun=data["has_begun"],
            identified=data["identified"],
            wish=None if data["wish"] is None else Wish(*data["wish"]),
            outcome=data["outcome"],
            repeat=tuple(data["repeat"]),
            **{name: data[name] for name in _PLAIN},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvariantError(f"The kept state of a call cannot be read ({type(error).__name__}).") from error
