"""What a call replies at each turn: the words that the ordinary, the quick and the late way of a webhook share.

Decides how a reply is kept and read back. What is replied, the engine decides; when, `interviewing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ivr.catalogue import Catalogue
from ivr.errors import NotFoundError
from ivr.store import Session, questionnaires, turns
from ivr.survey import turn as turn_words
from ivr.survey.callplan import OpenHours
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import Keypress, Signal, Turn

HANGUP = Turn()
"""Says nothing, awaits nothing: the call ends without a word."""

Days = tuple[tuple[str, tuple[str, ...]], ...]


class CallCalendar(OpenHours, Protocol):
    """The part of the calendar that a call needs."""

    def offered_days(self, now: datetime) -> Days:
        """For each day that can be offered for an appointment, the parts of that day that can."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What the door must say: the `number`th turn of the call, and which recordings say it.

    A turn that says nothing and awaits nothing ends the call without a word.
    """

    turn: Turn
    number: int
    order_id: int | None = None
    questionnaire: str = ""
    version: int = 0
    voiced_at: datetime | None = None


def name_of(signal: Signal) -> str:
    """What is kept of a signal: never the digits."""
    return "key" if isinstance(signal, Keypress) else "silence"


def to_mapping(turn: Turn, questionnaire: str, version: int) -> dict[str, Any]:
    """What is kept of a reply. The answers that its turn brought are kept elsewhere, once."""
    words = turn_words.to_mapping(turn)
    words["records"] = []
    return {"turn": words, "questionnaire": questionnaire, "version": version}


def without_records(turn: Turn) -> Turn:
    """The turn as it is heard: what it brought is kept elsewhere."""
    return Turn(turn.announces, turn.asks, turn.awaits) if turn.records else turn


def is_end(reply: Mapping[str, Any] | None) -> bool:
    """Whether nothing was awaited any more after this reply."""
    return reply is not None and reply["turn"]["awaits"] is None


def again(call: turns.Call, kept: Mapping[str, Any] | None, number: int) -> Reply:
    """The reply that was given to turn `number`, once more."""
    if kept is None:
        return wordless(call)
    turn = turn_words.from_mapping(kept["turn"])
    return Reply(turn, number, call.order_id, kept["questionnaire"], kept["version"], call.voiced_at)


def wordless(call: turns.Call) -> Reply:
    """Hang up without a word."""
    return Reply(HANGUP, max(call.turn, 0))


def questionnaire_of_attempt(session: Session, catalogue: Catalogue, attempt_id: str) -> Questionnaire | None:
    """The questionnaire of this attempt's call, in the version it began with; None before its first webhook."""
    reply = turns.last_reply(session, attempt_id)
    if reply is None:
        return None
    id, version = reply["questionnaire"], reply["version"]
    current = catalogue.questionnaires.get(id)
    try:
        return questionnaires.load(session, id, version)
    except NotFoundError:
        return current if current is not None and current.version == version else None
