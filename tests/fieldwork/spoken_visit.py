"""Somebody with a link, for the tests of visits: a voiced order, a person, a browser without a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from ivr.fieldwork import inviting, visiting, visiting_answers
from ivr.fieldwork.link_kit import LinkKit, load_kit
from ivr.fieldwork.visiting import Next, Step
from ivr.settings import ROOT
from ivr.store import Database, links, tables
from ivr.store.links import Visitor
from ivr.store.sealing import Sealer
from tests.fieldwork.voiced_order import CALENDAR, CATALOGUE, NOON, VoicedOrder

KIT: LinkKit = load_kit(ROOT / "config")
SEALER = Sealer(b"k" * 32)
WALL = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TOKEN = "abcd-efgh-jkmn-pqrs-tvwx-yz23-4567"

WEB = {
    "INB_VOLGT": "1",
    "INB_LES": "1",
    "INB_ANTW": "2",
    "INB_ZIEK": "1",
    "INB_ZIEK_WAT": "4",
    "INB_PRAAT": "1",
    "INB_OEF": "2",
    "INB_HUISWERK": "0",
    "INB_PRETTIG": "1",
    "INB_SCHOOL": "2",
    "INB_CIJFER": "10",
    "INB_SPREEK": "1",
    "INB_LEES": "1",
    "INB_EXAMEN": "1",
}


def give_link(database: Database, case_id: int, token: str = TOKEN, *, days: int = 60) -> None:
    """A link of this person that works for so many days from NOON."""
    with database.write() as session:
        links.put(
            session,
            case_id,
            token_hash=inviting.token_hash(SEALER, token),
            salt="00",
            expires_at=NOON + timedelta(days=days),
            now=NOON,
        )


def knock(database: Database, token: str = TOKEN, *, address: str = "192.0.2.1", now: datetime = NOON, **more: object):
    """What the door says to this link."""
    told: dict[str, object] = {"is_visiting": False, "now": now, "wall": WALL} | more
    return visiting.open_door(database, SEALER, KIT, token, address, **told)  # type: ignore[arg-type]


@dataclass
class Browser:
    """One browser on the pages of one person: remembers its visit, as a cookie does."""

    database: Database
    visitor: Visitor
    visit_id: str | None = None
    now: datetime = NOON
    wall: datetime = WALL
    at: Next = field(default_factory=lambda: Next("gone"))

    def begin(self) -> Next:
        self._later()
        self.visit_id, self.at = visiting.begin(
            self.database, CATALOGUE, KIT, self.visitor, self.visit_id, now=self.now, wall=self.wall
        )
        return self.at

    def look(self, number: int | None = None) -> Step | None:
        return visiting.show(self.database, KIT, self.visitor, self.visit_id, number or self.at.number, self.wall)

    def standing(self) -> str:
        return visiting.standing(self.database, KIT, self.visitor, self.visit_id, self.wall)

    def answer(self, value: str, number: int | None = None, question: str | None = None) -> Next:
        self._later()
        number = number or self.at.number
        shown = self.look(number)
        self.at = visiting_answers.answer(
            self.database,
            CALENDAR,
            KIT,
            self.visitor,
            self.visit_id,
            number,
            question or (shown.question.id if shown else ""),
            value,
            now=self.now,
            wall=self.wall,
        )
        return self.at

    def answer_until(self, stop: str | None = None) -> list[str]:
        """Answer each question as WEB says, until `stop` is asked or all is over; the questions that were put."""
        asked: list[str] = []
        for _ in range(40):
            if self.at.kind != "step":
                return asked
            shown = self.look()
            assert shown is not None
            if shown.question.id == stop:
                return asked
            asked.append(shown.question.id)
            self.answer(WEB[shown.question.id])
        raise AssertionError("the pages do not end")

    def _later(self) -> None:
        self.now += timedelta(seconds=7)
        self.wall += timedelta(seconds=7)


def with_link(order: VoicedOrder, case_id: int) -> Browser:
    """A browser in which this person opened a working link."""
    give_link(order.database, case_id)
    visitor = knock(order.database)
    assert isinstance(visitor, Visitor)
    return Browser(order.database, visitor)


def interviews_of(database: Database, case_id: int) -> list[dict[str, object]]:
    with database.read() as session:
        rows = session.execute(sa.select(tables.interviews).where(tables.interviews.c.case_id == case_id)).mappings()
        return [dict(row) for row in rows]


def answers_of(database: Database, case_id: int) -> dict[str, tuple[str, str]]:
    """question → (value, mode) over all interviews of this person."""
    with database.read() as session:
        rows = session.execute(
            sa.select(tables.responses)
            .join(tables.interviews, tables.interviews.c.id == tables.responses.c.interview_id)
            .where(tables.interviews.c.case_id == case_id)
        )
        return {row.question: (row.value, row.mode) for row in rows}


def case_row(database: Database, case_id: int) -> sa.RowMapping:
    with database.read() as session:
        return session.execute(sa.select(tables.cases).where(tables.cases.c.id == case_id)).mappings().one()


def cell_row(database: Database, cell_id: int) -> sa.RowMapping:
    with database.read() as session:
        return session.execute(sa.select(tables.cells).where(tables.cells.c.id == cell_id)).mappings().one()
