"""The quick way of a webhook: the next key of a call that is simply going on.

Decides which webhooks are so ordinary that one read and one conditional write do (`store/hotpath.py`): the next turn
of an open call, by which nothing begins, at most an interview starts to count that nobody is billed for, and nothing
but an interview ends. Everything else (the first webhook, repeats, strays, other endings, what is billed, an interview
that cannot be counted just like that) is `interviewing.py`'s, which locks and looks at everything.

What a call stood at after its last turn is remembered here, per process, so that the read falls away when the next
key comes to the same process. That cannot go stale: the write holds only where the attempt still stands at that turn,
and a turn is written once.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from ivr.fieldwork import replies
from ivr.fieldwork.replies import Reply
from ivr.logs import get_logger
from ivr.store import Database, questionnaires
from ivr.store.hotpath import BROKEN, HotPath, Step, open_hotpath
from ivr.survey import interview as engine
from ivr.survey.questionnaire import Questionnaire
from ivr.survey.turn import Signal, Silence, Turn

log = get_logger(__name__)

CALLS_REMEMBERED = 5_000

AGAIN_WITHIN_SECONDS = 4.0
"""A webhook has 15 s at most; a second try must still fit."""

_INTERVIEW_ENDINGS = frozenset({"complete", "partial", "unusable", "break_off"})
"""Other endings do more than end an interview (an appointment, an opt-out): the ordinary way's."""

_BILLED = "purchased"
"""What counts in a cell of this track has a line in the ledger: the ordinary way's."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A call after its turn `turn`, as far as the next key needs it."""

    turn: int
    call_sid: str
    interview_id: str | None
    cell_id: int
    track: str
    order_id: int
    voiced_at: datetime | None
    questionnaire: Questionnaire
    state: engine.Interview

    def after(self, turn: int, state: engine.Interview) -> Stand:
        """The same call after this turn."""
        return Stand(
            turn,
            self.call_sid,
            self.interview_id,
            self.cell_id,
            self.track,
            self.order_id,
            self.voiced_at,
            self.questionnaire,
            state,
        )


class Desk:
    """Answers the next keys of running calls. One a process; safe between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._path: HotPath = open_hotpath(database)
        self._stands: OrderedDict[str, Stand] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, attempt_id: str, turn: int, signal: Signal, call_sid: str, now: datetime) -> Reply | None:
        """The reply to the next turn of a running call, kept; None when the ordinary way must look at it.

        A broken connection too is left to the ordinary way, while there is time: whether the turn was kept, it will
        see. Raises the driver's error when there is none.
        """
        began = time.monotonic()
        try:
            return self._answer(attempt_id, turn, signal, call_sid, now)
        except BROKEN as error:
            log.warning("quick_way_broken", error=type(error).__name__)
            if time.monotonic() - began > AGAIN_WITHIN_SECONDS:
                raise
            return None

    def _answer(self, attempt_id: str, turn: int, signal: Signal, call_sid: str, now: datetime) -> Reply | None:
        with self._lock:
            stand = self._stands.pop(attempt_id, None)
        if turn < 1:
            return None
        if stand is None or stand.turn != turn - 1:
            stand = self._look_up(attempt_id)
            if stand is None or stand.turn != turn - 1:
                return None
        before = stand.state
        # A silence of somebody who never pressed a key may be a machine's: the ordinary way looks at the verdict.
        if stand.call_sid != call_sid or before.is_over or (isinstance(signal, Silence) and not before.has_pressed):
            return None
        state, said = engine.advance(stand.questionnaire, before, signal)
        if not _is_ordinary(stand, state, said):
            return None
        id, version = stand.questionnaire.id, stand.questionnaire.version
        step = Step(
            attempt_id=attempt_id,
            call_sid=call_sid,
            interview_id=stand.interview_id,
            turn=turn,
            signal=replies.name_of(signal),
            reply=replies.to_mapping(said, id, version),
            dialogue=engine.dump(state),
            answer=said.records[0] if said.records else None,
            ending=state.outcome,
            counts_for=stand.cell_id if state.usable and not before.usable else None,
            now=now,
        )
        if not self._path.keep(step):
            return None
        if not state.is_over:
            self._remember(attempt_id, stand.after(turn, state))
        return Reply(replies.without_records(said), turn, stand.order_id, id, version, stand.voiced_at)

    def _remember(self, attempt_id: str, kept: Stand) -> None:
        with self._lock:
            self._stands[attempt_id] = kept
            if len(self._stands) > CALLS_REMEMBERED:
                self._stands.popitem(last=False)

    def _look_up(self, attempt_id: str) -> Stand | None:
        found = self._path.load(attempt_id)
        if found is None:
            return None
        id, version = found.reply["questionnaire"], found.reply["version"]
        questionnaire = questionnaires.known(self._database, id, version)
        if questionnaire is None:
            return None
        return Stand(
            found.turn,
            found.call_sid,
            found.interview_id,
            found.cell_id,
            found.track,
            found.order_id,
            found.voiced_at,
            questionnaire,
            engine.load(found.dialogue),
        )


def _is_ordinary(stand: Stand, state: engine.Interview, said: Turn) -> bool:
    """Nothing begins with this turn; what starts to count goes on and is not billed; what ends is an interview only."""
    if state.is_over:
        goes_on = stand.interview_id is not None and state.outcome in _INTERVIEW_ENDINGS
    else:
        goes_on = said.awaits is not None
    return (
        goes_on
        and (state.usable == stand.state.usable or _may_count(stand, state))
        and state.has_begun == stand.state.has_begun
        and (stand.interview_id is not None if state.has_begun else not said.records)
        and len(said.records) <= 1
    )


def _may_count(stand: Stand, state: engine.Interview) -> bool:
    return state.usable and not state.is_over and stand.interview_id is not None and stand.track != _BILLED
