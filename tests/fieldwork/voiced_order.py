"""A voiced order with people and a call that rings, put straight into the tables: what the voice tests start from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from ivr.almanac import Calendar
from ivr.catalogue import Catalogue, load_catalogue
from ivr.fieldwork import interviewing
from ivr.fieldwork.interviewing import Desk, Reply
from ivr.ids import new_id
from ivr.settings import ROOT
from ivr.speech import script
from ivr.store import Database, Session, tables
from ivr.survey.turn import Keypress, Silence

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday without a holiday, outside Ramadan's sunset."""

CATALOGUE: Catalogue = load_catalogue(ROOT / "config")
CALENDAR = Calendar(CATALOGUE.fieldwork)

TO_FIRST_QUESTION = "111"
"""Taking part, being the right person, practice."""
INBURGERING = {
    "INB_VOLGT": "1",
    "INB_LES": "1",
    "INB_ANTW": "2",
    "INB_ZIEK": "2",
    "INB_PRAAT": "1",
    "INB_OEF": "1",
    "INB_HUISWERK": "3",
    "INB_PRETTIG": "1",
    "INB_SCHOOL": "2",
    "INB_CIJFER": "7",
    "INB_SPREEK": "1",
    "INB_LEES": "1",
    "INB_EXAMEN": "1",
}


@dataclass
class Line:
    """One call as the carrier holds it: presses keys and remembers the replies."""

    order: VoicedOrder
    attempt_id: str
    call_sid: str = field(default_factory=lambda: f"CA{new_id()}")
    now: datetime = NOON
    replies: list[Reply] = field(default_factory=list)

    def send(self, turn: int, keys: str | None = None, *, call_sid: str | None = None) -> Reply:
        """The webhook of this turn; no keys is silence."""
        self.now += timedelta(seconds=5)
        reply = interviewing.answer(
            self.order.database,
            CATALOGUE,
            CALENDAR,
            self.attempt_id,
            turn,
            Keypress(keys) if keys else Silence(),
            call_sid or self.call_sid,
            self.now,
            desk=self.order.desk,
        )
        self.replies.append(reply)
        return reply

    def press(self, *keys: str) -> Reply:
        """Answer the call if need be, then press these keys, one turn each."""
        if not self.replies:
            self.send(0)
        for key in keys:
            self.send(self.replies[-1].number + 1, key)
        return self.replies[-1]

    def to_the_end(self) -> Reply:
        """Answer every question until the call ends."""
        if not self.replies:
            self.press(*TO_FIRST_QUESTION)
        for _ in range(60):
            reply = self.replies[-1]
            if reply.turn.awaits is None:
                return reply
            if not reply.turn.asks:  # the second digit of a number, which does not come
                self.send(reply.number + 1)
                continue
            asked = reply.turn.asks[-1].id.split(".")[0]
            self.send(reply.number + 1, INBURGERING.get(asked, "1"))
        raise AssertionError("the call does not end")


class VoicedOrder:
    """Provider, sample, order and cell, with every prompt of a call assigned to the order."""

    def __init__(self, database: Database, *, track: str = "inburgering", target: int = 25, quick: bool = True) -> None:
        self.database = database
        self.desk: Desk | None = Desk(database) if quick else None
        questionnaire = CATALOGUE.questionnaires["inburgering" if track == "inburgering" else "laagdrempelig"]
        with database.write() as session:
            provider = _insert(session, tables.providers, name="Taal & Werk", name_key="taal & werk")
            self.sample_id = _insert(
                session,
                tables.samples,
                provider_id=provider,
                period_from=date(2025, 1, 1),
                period_to=date(2025, 12, 31),
            )
            self.order_id = _insert(
                session,
                tables.orders,
                sample_id=self.sample_id,
                track=track,
                interviews=target,
                price=None if track == "inburgering" else 10,
                created_at=NOON,
                voiced_at=NOON,
            )
            self.cell_id = _insert(
                session,
                tables.cells,
                order_id=self.order_id,
                sample_id=self.sample_id,
                track=track,
                target=target,
                capacity=target,
            )
            session.execute(sa.insert(tables.prompts), [dict(row) for row in _prompts(questionnaire.id).values()])
            session.execute(
                sa.insert(tables.order_prompts),
                [
                    {
                        "order_id": self.order_id,
                        "questionnaire": questionnaire.id,
                        "version": questionnaire.version,
                        "prompt": prompt,
                        "is_slow": slow,
                        "sha256": row["sha256"],
                    }
                    for (prompt, slow), row in _prompts(questionnaire.id).items()
                ],
            )

    def another_sample(self) -> int:
        """A list of another provider of the same period."""
        with self.database.write() as session:
            provider = _insert(session, tables.providers, name="Een ander", name_key="een ander")
            period = {"period_from": NOON.date().replace(month=1, day=1), "period_to": NOON.date()}
            return _insert(session, tables.samples, provider_id=provider, **period)

    def person(self, phone: str = "hash-1", *, code: str = "1234", service: int = 11, **more: Any) -> int:
        """Somebody who may be called; gives the case id."""
        with self.database.write() as session:
            number = session.execute(sa.select(sa.func.count()).select_from(tables.cases)).scalar_one()
            values: dict[str, Any] = {
                "sample_id": self.sample_id,
                "respondent_group": "client",
                "respondent": f"C{number}",
                "service": service,
                "learning_profile": 1,
                "questionnaire": "inburgering",
                "route": "telephone",
                "announced_on": NOON.date() - timedelta(days=7),
                "cell_id": self.cell_id,
                "code": code,
                "next_call_at": NOON,
                "created_at": NOON,
            }
            case_id = _insert(session, tables.cases, **(values | more))
            session.execute(sa.insert(tables.case_phones).values(case_id=case_id, rank=0, phone_hash=phone))
            return case_id

    def call(self, case_id: int, *, phone: str | None = "hash-1", state: str = "dialing", **more: Any) -> Line:
        """A call to this person that holds a slot (unless it is `unknown`), not answered yet."""
        attempt_id, holds = new_id(), state != "unknown"
        with self.database.write() as session:
            number = session.execute(
                sa.update(tables.cases)
                .where(tables.cases.c.id == case_id)
                .values(is_busy=True, dialled=tables.cases.c.dialled + 1)
                .returning(tables.cases.c.dialled)
            ).scalar_one()
            if holds:
                session.execute(
                    sa.update(tables.cells)
                    .where(tables.cells.c.id == self.cell_id)
                    .values(in_flight=tables.cells.c.in_flight + 1)
                )
            values: dict[str, Any] = {
                "id": attempt_id,
                "case_id": case_id,
                "cell_id": self.cell_id,
                "number_in_case": number,
                "phone_hash": phone,
                "state": state,
                "holds_slot": holds,
                "planned_at": NOON,
                "not_before": NOON,
                "not_after": NOON + timedelta(hours=4),
                "dialing_at": NOON,
            }
            session.execute(sa.insert(tables.attempts).values(**(values | more)))
        return Line(self, attempt_id)

    def hang_up(self, line: Line) -> None:
        """The call is over and closed, as closing leaves it after a break-off."""
        with self.database.write() as session:
            session.execute(
                sa.update(tables.attempts)
                .where(tables.attempts.c.id == line.attempt_id)
                .values(state="closed", holds_slot=False, ended_at=line.now)
            )
            session.execute(
                sa.update(tables.interviews)
                .where(tables.interviews.c.ended_at.is_(None))
                .values(ended_at=line.now, disposition="break_off")
            )
            session.execute(
                sa.update(tables.cases)
                .where(
                    tables.cases.c.id.in_(
                        sa.select(tables.attempts.c.case_id).where(tables.attempts.c.id == line.attempt_id)
                    )
                )
                .values(is_busy=False)
            )

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table."""
        with self.database.read() as session:
            return [dict(row._mapping) for row in session.execute(sa.select(table))]

    def responses(self) -> dict[str, str]:
        """All answers that are kept: question → value."""
        return {row["question"]: row["value"] for row in self.rows(tables.responses)}

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of what a call may change."""
        kinds = (
            "attempts",
            "cases",
            "cells",
            "interviews",
            "responses",
            "turns",
            "ledger",
            "opt_outs",
            "questionnaires",
        )
        return {kind: self.rows(getattr(tables, kind)) for kind in kinds}


@lru_cache
def _prompts(questionnaire_id: str) -> dict[tuple[str, bool], dict[str, Any]]:
    """A row of `prompts` for each prompt of a call: the words themselves stand in for the sound."""
    values = script.spoken_values(provider="Taal & Werk", minutes=5, help_number="088 1234567", web_address="x.nl")
    rows: dict[tuple[str, bool], dict[str, Any]] = {}
    for text in script.texts_for(CATALOGUE.questionnaires[questionnaire_id], CATALOGUE.phrases, values):
        wav = f"{text.id} {text.slow} {text.text}".encode()
        rows[text.id, text.slow] = {
            "sha256": hashlib.sha256(wav).hexdigest(),
            "wav": wav,
            "text": text.text or "stil",
            "engine": "none",
            "is_slow": text.slow,
            "seconds": 1.0,
            "loudness": -18.0,
            "made_at": NOON,
        }
    return rows


def _insert(session: Session, table: sa.Table, **values: Any) -> int:
    return session.execute(sa.insert(table).values(**values).returning(table.c.id)).scalar_one()
