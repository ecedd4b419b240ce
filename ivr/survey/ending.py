"""How a call ends: which outcome, which goodbye.

Decides the outcome of hanging up at each step. What an outcome means for the case is in `disposition.py`.
"""

from __future__ import annotations

from ivr.survey.state import Interview, Outcome, Reply, Step, changed, say
from ivr.survey.turn import Answer, Turn, Wish

GOODBYES: dict[Outcome, tuple[str, ...]] = {
    "complete": ("goodbye_complete", "goodbye_number"),
    "unusable": ("goodbye_complete", "goodbye_number"),
    "partial": ("goodbye_partial", "goodbye_number"),
    "break_off": ("goodbye_break_off", "goodbye_number"),
    "refusal": ("goodbye_refusal", "goodbye_question"),
    "never_call_again": ("goodbye_never", "goodbye_question"),
    "hung_up_introduction": ("goodbye_introduction", "goodbye_question"),
    "no_interaction": ("goodbye_no_interaction",),
    "wrong_person": ("goodbye_wrong_person", "goodbye_question"),
    "language_problem": ("goodbye_language", "goodbye_question"),
}

_REFUSING: tuple[Step, ...] = ("not_taking_part", "never_check")
_ARRANGING: tuple[Step, ...] = ("later_day", "later_part", "later_check", "fetching")


def end(interview: Interview, outcome: Outcome, *, records: tuple[Answer, ...] = ()) -> Reply:
    """Say goodbye; nothing more is awaited."""
    over = changed(interview, step="over", outcome=outcome, wish=None, entered="")
    return over, Turn(announces=say(*GOODBYES[outcome]), records=records)


def end_later(interview: Interview, wish: Wish, *first: str) -> Reply:
    """Promise to call again, at the wished time or at any later time; `first` is said before that."""
    over = changed(interview, step="over", outcome="appointment", wish=wish, entered="")
    goodbye = "goodbye_later_any" if wish.day is None else "goodbye_later"
    return over, Turn(announces=say(*first, goodbye, "goodbye_question"))


def breaking_off(interview: Interview) -> Outcome:
    """The outcome when questions were begun and the call ends before their end."""
    return "partial" if interview.usable else "break_off"


def hang_up(interview: Interview) -> Interview:
    """The interview after the person hung up, at whatever step; unchanged when it was already over."""
    if interview.is_over:
        return interview
    outcome: Outcome
    wish: Wish | None = None
    if interview.has_begun:
        outcome = breaking_off(interview)
    elif interview.step in _REFUSING:
        # Whoever said no and hangs up before the menu's end has said no.
        outcome = "refusal"
    elif interview.step in _ARRANGING:
        # What was chosen so far is kept: many put the phone down once they hear their choice.
        outcome, wish = "appointment", interview.wish or Wish()
    else:
        outcome = "hung_up_introduction"
    return changed(interview, step="over", outcome=outcome, wish=wish, entered="")
