"""A key in the middle of a call, past SQLAlchemy altogether: a driver's connection of its own, one round trip.

Decides how such a turn is read and kept in as few round trips as the database allows: SQL compiled once from the
same tables as everywhere, run without SQLAlchemy's execution. What may take this path is decided in
`fieldwork/quick.py`; whatever it cannot do the ordinary way in `turns.py` and `quotas.py` does, with the same result.

Why that is safe without a lock held while the engine thinks: a turn is kept only where the attempt still stands at
the turn before, in the same call, still open, with the same interview; and an interview is counted only where it never
was, by an attempt that holds a slot. Whoever came in between makes that untrue. The two databases' halves are
`hotpath_sqlite.py` and `hotpath_postgres.py`; the numbers: docs/decisions/0010. (Other statements that are run often
keep SQLAlchemy's connection and transaction: `prepared.py`, decision 0014.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import psycopg

from ivr.store.session import Database, to_json
from ivr.survey.turn import Answer

BROKEN: tuple[type[Exception], ...] = (sqlite3.Error, psycopg.Error)
"""What the driver raises when the database did not do it, or nobody knows whether it did."""


@dataclass(slots=True)
class Standing:
    """A running call as far as the next key needs it. turn: the last one that was replied to.

    cell_id, track: the cell whose slot the call holds, and whether what counts there is billed (`purchased`).
    """

    attempt_id: str
    call_sid: str
    turn: int
    dialogue: Mapping[str, Any]
    interview_id: str | None
    cell_id: int
    track: str
    order_id: int
    voiced_at: datetime | None
    reply: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A turn that was replied to, and what was answered in it.

    interview_id: as the call had it before. ending: the disposition with which this turn ends the interview.
    counts_for: the cell for which the interview counts from this turn on, because it became usable; never both.
    """

    attempt_id: str
    call_sid: str
    interview_id: str | None
    turn: int
    signal: str
    reply: Mapping[str, Any]
    dialogue: Mapping[str, Any]
    answer: Answer | None
    ending: str | None
    counts_for: int | None
    now: datetime

    def values(self, at: object) -> dict[str, Any]:
        """The parameters of the statements; `at` is the moment as the driver wants it."""
        values = {
            "id": self.attempt_id,
            "call_sid": self.call_sid,
            "interview_id": self.interview_id,
            "before": self.turn - 1,
            "turn_": self.turn,
            "dialogue_": to_json(self.dialogue),
            "signal": self.signal,
            "reply": to_json(self.reply),
            "at": at,
        }
        if self.answer is not None:
            values["question"], values["value"] = self.answer.question, self.answer.value
        if self.ending is not None:
            values["ending"] = self.ending
        if self.counts_for is not None:
            values["cell"] = self.counts_for
        return values


class HotPath(Protocol):
    """Reads and keeps turns of running calls."""

    def load(self, attempt_id: str) -> Standing | None:
        """The call as it stands, without a lock; None when it is not one that is going on."""
        ...

    def keep(self, step: Step) -> bool:
        """Keep this turn and what was answered in it, all or nothing.

        False: the call does not stand there any more, or the interview cannot be counted just like that.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def open_hotpath(database: Database) -> HotPath:
    """The hot path of this database. Connections are opened when they are needed and closed with the database."""
    if database.is_sqlite:
        from ivr.store.hotpath_sqlite import SqlitePath

        path: HotPath = SqlitePath(database)
    else:
        from ivr.store.hotpath_postgres import PostgresPath

        path = PostgresPath(database)
    database.closes_with(path.close)
    return path
