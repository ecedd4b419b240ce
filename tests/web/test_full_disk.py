"""A disk that is full while a key is on its way: nothing is said to be kept that is not, by the house or the person.

The limit on a file's size is the blow of `make chaos`: SQLite's own writes fail in the middle of a statement or of a
commit, as they do on a full disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from ivr import logs
from ivr.rehearsal.caller import Caller
from ivr.rehearsal.calls import Call, Target
from ivr.rehearsal.hearing import Ear, read_questionnaires
from ivr.rehearsal.people import Habits, person_for
from ivr.rehearsal.sounds import SoundShelf
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.transport import JsonLines, Reply, Webhooks
from ivr.rehearsal.twiml_player import Player
from ivr.rehearsal.wsgi_web import WsgiWeb
from ivr.settings import ROOT
from ivr.store import Database, tables
from scripts.rehearse_voice import silent_wav
from tests.fieldwork.voiced_order import NOON, Line
from tests.telephony.twiml_schema import check_twiml
from tests.web.voice_house import TOKEN, Door

LOOPBACK = "http://127.0.0.1:9"
SURE = Habits(
    wrong_person=0,
    no_dutch=0,
    hangs_up=0,
    takes_part=1,
    breaks_off_first=0,
    breaks_off_next=0,
    housemate_answers=0,
    wrong_key=0,
    silence=0,
    again=0,
    which_keys=0,
    not_understood=0,
)


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """No file of this process grows beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class FullAt:
    """The house's door, whose disk is full while it answers the `nth` request with keys."""

    def __init__(self, web: WsgiWeb, nth: int) -> None:
        self._web, self._left = web, nth

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self._left -= b"Digits=" in (body or b"") and b"Digits=&" not in (body or b"")
        if self._left == 0 and body is not None:
            self._left = -1
            with full_disk():
                return await self._web.request(method, url, headers, body)
        return await self._web.request(method, url, headers, body)

    async def close(self) -> None:
        return None


def audible(door: Door) -> None:
    """Give every prompt of the order a sound that can be played."""
    with door.order.database.write() as session:
        for row in session.execute(sa.select(tables.prompts)).mappings().all():
            wav = silent_wav(1.0, f"{row['sha256']}")
            name = hashlib.sha256(wav).hexdigest()
            session.execute(sa.insert(tables.prompts).values({**row, "sha256": name, "wav": wav}))
            session.execute(
                sa.update(tables.order_prompts)
                .where(tables.order_prompts.c.sha256 == row["sha256"])
                .values(sha256=name)
            )


def talk(door: Door, line: Line, nth: int) -> dict[str, Any]:
    """The person's own record of a call in which the disk is full at the nth key."""
    person = person_for("+31612345678", 1, SURE)
    record: dict[str, Any] = {"provider": None, "questions": [], "answers": {}, "apologised": False}
    ear = Ear(read_questionnaires(ROOT / "config"))
    caller = Caller(person, "takes_part", random.Random(1), ear, SURE, record, lambda _: None, lambda: None)
    urls = Target(f"{LOOPBACK}/voice/{line.attempt_id}/0", fallback_url=f"{LOOPBACK}/voice/{line.attempt_id}/fallback")
    call = Call(line.call_sid, "AC" + "0" * 32, "+31612345678", "+31850000000", urls, NOON.timestamp())
    call.status, call.answered_at = "in-progress", NOON.timestamp()

    async def whole() -> None:
        keeper = Timekeeper(start=NOON)
        await keeper.open()
        web = FullAt(WsgiWeb(door.app), nth)
        player = Player(keeper, Webhooks(keeper, web, TOKEN, JsonLines(None)), SoundShelf(web), call, caller)
        how = await keeper.spawn(player.play(), "call")
        caller.ended(how, keeper.now())
        await keeper.close()

    asyncio.run(whole())
    return record | {"answers": caller.book.answers, "uncertain": caller.book.uncertain, "heard": caller.transcript}


@pytest.fixture(autouse=True)
def logged() -> Iterator[None]:
    """Lines go where a process's lines go: to a file on the same disk."""
    was = structlog.get_config()
    logs.configure_logs(json_lines=True)
    yield
    structlog.configure(**was)


@pytest.fixture
def door(sqlite_database: Database, tmp_path: Path) -> Door:
    return Door(sqlite_database, tmp_path, LOOPBACK)


@pytest.mark.parametrize("nth", [4, 9])
def test_a_key_that_was_answered_with_an_apology_is_nobodys_certain_answer(door: Door, nth: int) -> None:
    audible(door)
    line = door.order.call(door.order.person())
    record = talk(door, line, nth)
    assert record["apologised"], record["heard"][-3:]
    assert len(record["uncertain"]) == 1
    # The house kept what it had confirmed, all of it, and not the key for which it said sorry.
    assert door.order.responses() == record["answers"]
    assert len(record["answers"]) == nth - 4


def test_without_a_blow_every_key_is_certain_and_kept(door: Door) -> None:
    audible(door)
    record = talk(door, door.order.call(door.order.person()), -1)
    assert not record["apologised"]
    assert record["uncertain"] == {}
    assert door.order.responses() == record["answers"] != {}


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("room", [0, 4_200, 12_700, 25_000])
def test_no_next_turn_is_heard_unless_the_key_was_kept(
    sqlite_database: Database, tmp_path: Path, room: int, quick: bool
) -> None:
    """Wherever in the writing the disk fills up: at the first page, in the middle of a commit, after it."""
    door = Door(sqlite_database, tmp_path)
    line = door.order.call(door.order.person())
    asked, turn = _first_question(door, line)
    if not quick:
        # A process that was just started: the key goes the ordinary way, from the database.
        door = Door(sqlite_database, tmp_path, order=door.order)
    log = Path(f"{sqlite_database.engine.url.database}-wal")
    for _ in range(8):
        before = door.order.responses()
        with full_disk(log.stat().st_size + room):
            root = check_twiml(door.turn(line, turn, "1").text)
        kept = door.order.responses()
        if root.find("Gather") is None:
            assert kept == before or kept.keys() == before.keys() | {asked}
            # The disk has room again: the same webhook is answered as if nothing had been.
            root = check_twiml(door.turn(line, turn, "1").text)
            kept = door.order.responses()
        assert kept.keys() == before.keys() | {asked}
        asked, turn = _asked(door, root), turn + 1


def _first_question(door: Door, line: Line) -> tuple[str, int]:
    for turn, keys in enumerate([None, "1", "1"]):
        door.turn(line, turn, keys)
    return _asked(door, check_twiml(door.turn(line, 3, "1").text)), 4


def _asked(door: Door, root: Any) -> str:
    names = {row["sha256"]: row["prompt"] for row in door.order.rows(tables.order_prompts)}
    prompts = [names[play.text.rsplit("/", 1)[1].removesuffix(".wav")] for play in root.iter("Play")]
    return prompts[-1].split(".")[0]
