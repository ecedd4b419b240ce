"""Whatever a killed process left behind is found and released within two minutes, with the settings as they come.

The clock's own ticks are run as they fall; only time is not waited for. A new clock may have to be elected first.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import redis
from fieldwork_world import World

from ivr.bootstrap import House
from ivr.settings import Settings
from ivr.store import Database
from worker.schedule import LEASE_SECONDS, LONGEST_REAL_SLEEP, Schedule

TWO_MINUTES = timedelta(minutes=2)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def world(sqlite_database: Database) -> World:
    return World(sqlite_database)


@pytest.fixture
def schedule(world: World, tmp_path: Path) -> Schedule:
    """The clock of this world, with no Redis within reach: what is queued does not arrive."""
    settings = Settings(database_url=world.database.url, var_dir=tmp_path)
    house = House(settings)
    parts = ("database", "clock", "catalogue", "sealer", "calendar", "carrier")
    house.__dict__.update({name: getattr(world, name) for name in parts})
    return Schedule(house, redis.Redis(unix_socket_path=str(tmp_path / "nobody.sock")))


def test_what_a_killed_process_held_is_free_within_two_minutes(world: World, schedule: Schedule) -> None:
    cell = world.cell()
    never_asked, never_told = world.people(cell, 2)
    first, second = world.plan()
    world.carrier.before = _killed
    with pytest.raises(KeyboardInterrupt):
        world.dial(first)  # killed between its intent and the request
    world.carrier.before = None
    world.dial(second)
    call_sid = world.attempt(second).call_sid
    world.carrier.set(call_sid, status="completed")  # and every callback of it is lost
    schedule.tick()  # the clock has just looked round: the longest wait there can be
    world.set_cell(cell, in_flight=7)  # and then slots leak besides

    left = world.clock.now()
    world.clock.forward(seconds=LEASE_SECONDS)  # a clock on another machine that was killed too: its lease runs out
    while world.cell_row(cell).in_flight or any(world.case(case).is_busy for case in (never_asked, never_told)):
        world.clock.forward(seconds=LONGEST_REAL_SLEEP.total_seconds())
        schedule.tick()
        assert world.clock.now() - left <= TWO_MINUTES
    assert world.attempt(first).state == "unknown"
    assert world.attempt(second).state == "closed"
