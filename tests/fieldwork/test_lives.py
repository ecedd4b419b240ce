"""An attempt's state can be told from its immutable rows alone, whatever order the carrier reports in."""

from __future__ import annotations

import random

import pytest
from fieldwork_world import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.errors import CarrierError, CarrierUnknownError
from ivr.fieldwork import closing, interviewing, lives
from ivr.store import Database, tables
from ivr.survey.disposition import CallReport
from ivr.survey.turn import Keypress, Silence

SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


def webhook(world: World, id: str, turn: int, key: str | None, sid: str) -> None:
    signal = Keypress(key) if key else Silence()
    interviewing.answer(world.database, world.catalogue, world.calendar, id, turn, signal, sid, world.clock.now())


def test_a_call_that_went_well_reads_as_a_life(world: World) -> None:
    world.person(world.cell())
    id = world.call()
    sid = world.attempt(id).call_sid
    world.status(id, "ringing", sequence_number=1)
    webhook(world, id, 0, None, sid)
    webhook(world, id, 1, "3", sid)
    webhook(world, id, 1, "3", sid)
    world.status(id, "completed", sequence_number=3)
    life = lives.life_of(world.database, id)
    assert life["differs"] == []
    kinds = [event["kind"] for event in life["events"]]
    assert set(kinds) == {"planned", "dialing", "placed", "status", "answered", "turn", "webhook", "closed"}
    assert kinds.count("turn") == 2
    assert "digits" not in str(life).lower()


@SETTINGS
@given(seed=st.integers(0, 2**32 - 1))
def test_the_row_is_what_the_events_make_of_it(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chance = random.Random(seed)
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('lives') / 'toets.db'}")
    with database.write() as session:
        tables.metadata.create_all(session)
    world = World(database)
    cell = world.cell()
    world.people(cell, 3)
    for id in world.plan():
        _live(world, id, chance)
        life = lives.life_of(database, id)
        assert life["differs"] == [], life
    database.dispose()


def _live(world: World, id: str, chance: random.Random) -> None:
    """One call with any fate at the dial, then reports and keys in any order, some twice, some of another call."""

    def fate(*_: object) -> None:
        raise chance.choice([CarrierError("no", status=400, carrier_code=chance.choice([21211, 10004])), _unknown()])

    world.carrier.before = fate if chance.random() < 0.3 else None
    world.carrier.after = _lost if chance.random() < 0.3 else None
    world.dial(id)
    world.carrier.before = world.carrier.after = None
    sid = world.attempt(id).call_sid or f"CA{id}"
    turn = 0
    for _ in range(chance.randrange(12)):
        act = chance.random()
        sid_now = sid if chance.random() < 0.9 else f"CA{id[::-1]}"
        if act < 0.5 and world.attempt(id).state != "void":
            webhook(world, id, max(0, turn + chance.choice([0, 0, 0, -1, 1])), chance.choice("1234"), sid_now)
            turn = world.attempt(id).turn + 1
        elif act < 0.6:
            world.clock.forward(minutes=2)
            world.reconcile()
        else:
            report = CallReport(
                sid_now,
                chance.choice(["initiated", "ringing", "in-progress", "completed", "busy", "no-answer"]),
                sequence_number=chance.choice([None, 0, 1, 2, 3]),
                answered_by=chance.choice([None, None, "human", "machine_start"]),
            )
            now = world.clock.now()
            closing.note_status(world.database, world.catalogue, world.calendar, id, report, now)


def _lost(*_: object) -> None:
    raise CarrierUnknownError("time-out after the call was made")


def _unknown() -> CarrierUnknownError:
    return CarrierUnknownError("HTTP 500")
