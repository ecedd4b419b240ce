"""The season's clock: turns in order of time, bells, beginning at once, and nothing real."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ivr.rehearsal.season_clock import SeasonClock
from ivr.rehearsal.waiting import Bell

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SeasonClock:
    return SeasonClock(START)


def test_who_waits_for_the_earliest_moment_goes_on_first(clock):
    seen: list[tuple[str, float]] = []

    async def wait(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        seen.append((name, clock.now() - START.timestamp()))

    for name, seconds in (("late", 30.0), ("soon", 5.0), ("between", 12.5)):
        clock.spawn(wait(name, seconds), name)
    clock.run()
    assert seen == [("soon", 5.0), ("between", 12.5), ("late", 30.0)]


def test_of_the_same_moment_whoever_waited_first_goes_on_first(clock):
    seen: list[int] = []

    async def wait(number: int) -> None:
        await clock.sleep(10)
        seen.append(number)

    for number in range(5):
        clock.spawn(wait(number), "waiter")
    clock.run()
    assert seen == [0, 1, 2, 3, 4]


def test_a_bell_ends_a_wait_early_and_only_once(clock):
    bell, seen = Bell(), []

    async def wait() -> None:
        seen.append((await clock.sleep(100, bell), clock.now() - START.timestamp()))
        bell.reset()
        seen.append((await clock.sleep(100, bell), clock.now() - START.timestamp()))

    async def ring() -> None:
        await clock.sleep(7)
        bell.ring()

    clock.spawn(wait(), "waiter")
    clock.spawn(ring(), "ringer")
    clock.run()
    assert seen == [(True, 7.0), (False, 107.0)]


def test_a_bell_that_has_rung_ends_the_next_wait_at_once(clock):
    bell, seen = Bell(), []
    bell.ring()

    async def wait() -> None:
        seen.append((await clock.sleep(100, bell), clock.now() - START.timestamp()))

    clock.spawn(wait(), "waiter")
    clock.run()
    assert seen == [(True, 0.0)]


def test_what_is_spawned_begins_after_whoever_is_at_work(clock):
    seen: list[str] = []

    async def child() -> None:
        seen.append("child")

    async def parent() -> None:
        clock.spawn(child(), "child")
        seen.append("parent")

    clock.spawn(parent(), "parent")
    clock.run()
    assert seen == ["parent", "child"]


def test_at_once_runs_until_the_first_wait_before_anything_else(clock):
    seen: list[str] = []

    async def child() -> None:
        seen.append("child begins")
        await clock.sleep(1)
        seen.append("child goes on")

    async def parent() -> None:
        clock.at_once(lambda: clock.spawn(child(), "child"))
        seen.append("parent")

    clock.spawn(parent(), "parent")
    clock.run()
    assert seen == ["child begins", "parent", "child goes on"]


def test_run_stops_before_what_lies_beyond_its_moment(clock):
    seen: list[float] = []

    async def wait(seconds: float) -> None:
        await clock.sleep(seconds)
        seen.append(seconds)

    clock.spawn(wait(5.0), "near")
    clock.spawn(wait(50.0), "far")
    clock.run(until=START.timestamp() + 10)
    assert seen == [5.0]
    clock.stop()


def test_what_breaks_ends_the_season(clock):
    async def breaks() -> None:
        raise RuntimeError("broken")

    clock.spawn(breaks(), "breaks")
    with pytest.raises(RuntimeError, match="broken"):
        clock.run()


def test_nobody_waits_by_another_clock(clock):
    async def wrong() -> None:
        await asyncio.sleep(0)

    clock.spawn(wrong(), "wrong")
    with pytest.raises(AssertionError, match="season's clock"):
        clock.run()
