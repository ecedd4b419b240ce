"""What staff may say of a person that no key can, and what of it may be taken back.

    still called, given up, unreachable ──staff──▶ refusal never_call_again deceased ill deaf in_hospital moved …
                                        ──staff──▶ one more call
    what staff set ──within a day, nothing happened since──▶ as it was

Decides on codes alone, by the table of legal changes in `disposition.py`. Taking back is no change of a person's
standing but the correction of a slip, so the table does not speak of it; a promise never to call is never taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ivr.survey.disposition import OPEN, is_legal

MARKS = ("refusal", "never_call_again", "deceased", "ill", "deaf", "in_hospital", "moved", "complaint")
"""In the order in which staff see them."""

FOR_GOOD = frozenset({"never_call_again"})
"""A promise to a person; whoever gave it by mistake keeps it all the same."""

TAKE_BACK = timedelta(hours=24)
"""So long a slip can be put right, while nobody was called and nothing was answered since."""


def marks_for(disposition: str) -> tuple[str, ...]:
    """What may be set of somebody who stands like this."""
    return tuple(mark for mark in MARKS if mark != disposition and is_legal(disposition, mark))


def standing_for_a_call(disposition: str, outcomes: Sequence[str]) -> str | None:
    """What somebody becomes who gets one more call; None when nobody may call them again.

    outcomes: of their calls so far, oldest first. Who is still called stays what they are.
    """
    if disposition == "fresh" or disposition in OPEN:
        return disposition
    before = next((outcome for outcome in reversed(outcomes) if outcome in OPEN), "fresh")
    return next((code for code in (before, "fresh") if is_legal(disposition, code)), None)
