"""Time leaps to the earliest wait, and only when nobody is at work."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from ivr.clock import LeapingClock
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.waiting import Bell

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


def with_keeper(scene, **options):
    async def whole():
        keeper = Timekeeper(start=START, **options)
        await keeper.open()
        try:
            return await asyncio.wait_for(scene(keeper), 20)
        finally:
            while Client.open:
                Client.open.pop().leave()
            await keeper.close()
            await asyncio.sleep(0)

    return asyncio.run(whole())


class Client:
    """A client of the socket, by hand: so that a test sees each answer and each silence."""

    open: ClassVar[list[Client]] = []

    @classmethod
    async def of(cls, address):
        client = cls()
        cls.open.append(client)
        client.reader, client.writer = await asyncio.open_unix_connection(str(address))
        return client

    def send(self, **question):
        self.writer.write(json.dumps(question).encode() + b"\n")

    async def ask(self, **question):
        self.send(**question)
        return json.loads(await asyncio.wait_for(self.reader.readline(), 5))["now"]

    async def answer(self, within=0.15):
        """The next answer, or None when there is none so soon."""
        try:
            return json.loads(await asyncio.wait_for(self.reader.readline(), within))["now"]
        except TimeoutError:
            return None

    def leave(self):
        self.writer.close()


def test_a_long_sleep_takes_no_real_time():
    async def scene(keeper):
        started = time.monotonic()
        await keeper.sleep(30 * 86400)
        return keeper.moment() - START, time.monotonic() - started

    passed, real = with_keeper(scene)
    assert passed.days == 30
    assert real < 1


def test_sleepers_wake_in_the_order_of_their_moments():
    async def scene(keeper):
        woken = []

        async def one(seconds):
            await keeper.sleep(seconds)
            woken.append((seconds, round(keeper.now() - START.timestamp())))

        tasks = [keeper.spawn(one(seconds), str(seconds)) for seconds in (50, 10, 30, 10, 20)]
        await asyncio.gather(*tasks)
        return woken

    assert with_keeper(scene) == [(10, 10), (10, 10), (20, 20), (30, 30), (50, 50)]


def test_time_stands_still_while_a_task_is_busy():
    async def scene(keeper):
        async def request():
            await keeper.sleep(5)
            began = keeper.now()
            await asyncio.sleep(0.1)
            return keeper.now() - began

        async def other():
            await keeper.sleep(6)
            return keeper.now()

        passed, _ = await asyncio.gather(keeper.spawn(request(), "request"), keeper.spawn(other(), "other"))
        return passed

    assert with_keeper(scene) == 0


def test_a_task_that_fails_or_is_cancelled_holds_nothing():
    async def scene(keeper):
        async def fails():
            raise ValueError("on purpose")

        async def hangs():
            await asyncio.sleep(60)

        failing, hanging = keeper.spawn(fails(), "fails"), keeper.spawn(hangs(), "hangs")
        await asyncio.gather(failing, return_exceptions=True)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        await keeper.sleep(100)
        return keeper.holders()

    assert with_keeper(scene) == []


def test_a_bell_ends_a_sleep_early():
    async def scene(keeper):
        bell = Bell()

        async def sleeper():
            return await keeper.sleep(1000, bell), keeper.now() - START.timestamp()

        async def ringer():
            await keeper.sleep(7)
            bell.ring()

        result, _ = await asyncio.gather(keeper.spawn(sleeper(), "sleeper"), keeper.spawn(ringer(), "ringer"))
        return result

    assert with_keeper(scene) == (True, 7)


def test_time_never_goes_back():
    async def scene(keeper):
        seen = []

        async def one(seconds):
            await keeper.sleep(seconds)
            seen.append(keeper.now())
            await keeper.sleep_until(START.timestamp())
            seen.append(keeper.now())

        await asyncio.gather(*(keeper.spawn(one(seconds), "one") for seconds in (3, 1, 2)))
        return seen

    seen = with_keeper(scene)
    assert seen == sorted(seen)


def test_a_jump_moves_a_busy_moment_and_wakes_whom_it_passes():
    async def scene(keeper):
        woken = []

        async def waiter(seconds):
            await keeper.sleep(seconds)
            woken.append((seconds, keeper.now() - START.timestamp()))

        with keeper.busy():
            tasks = [keeper.spawn(waiter(seconds), "waiter") for seconds in (60, 3600)]
            await asyncio.sleep(0.05)
            keeper.jump(-5)
            await asyncio.sleep(0.05)
            assert (woken, keeper.now()) == ([], START.timestamp() - 5)
            keeper.jump(605)
            await asyncio.sleep(0.05)
            assert woken == [(60, 600)]
        await asyncio.gather(*tasks)
        assert woken == [(60, 600), (3600, 3600)]

    with_keeper(scene)


def test_a_client_between_two_sleeps_holds_time(tmp_path):
    async def scene(keeper):
        first, second = await Client.of(tmp_path / "c"), await Client.of(tmp_path / "c")
        start = START.timestamp()
        assert await first.ask(op="sleep", until=start + 10) == start + 10
        second.send(op="sleep", until=start + 20)
        assert await second.answer() is None, "the first client is at work"
        first.send(op="sleep", until=start + 30)
        assert await second.answer() == start + 20
        assert await first.answer() is None, "now the second is at work"
        second.leave()
        assert await first.answer() == start + 30

    with_keeper(scene, address=tmp_path / "c")


def test_a_client_that_only_promised_and_kept_holds_nothing(tmp_path):
    async def scene(keeper):
        web = await Client.of(tmp_path / "c")
        await web.ask(op="promise", token="a", grace=5)
        await web.ask(op="keep", token="a")
        sleeper = await Client.of(tmp_path / "c")
        assert await sleeper.ask(op="sleep", until=START.timestamp() + 99) == START.timestamp() + 99

    with_keeper(scene, address=tmp_path / "c")


def test_a_promise_holds_time_until_it_is_kept_by_whomever(tmp_path):
    async def scene(keeper):
        clock, worker = await Client.of(tmp_path / "c"), await Client.of(tmp_path / "c")
        await clock.ask(op="promise", token="dial 1", grace=10)
        clock.send(op="sleep", until=START.timestamp() + 60)
        assert await clock.answer() is None
        await worker.ask(op="keep", token="dial 1")
        assert await clock.answer() == START.timestamp() + 60

    with_keeper(scene, address=tmp_path / "c")


def test_a_promise_that_nobody_keeps_lapses_after_its_grace(tmp_path):
    async def scene(keeper):
        clock = await Client.of(tmp_path / "c")
        await clock.ask(op="promise", token="lost", grace=0.3)
        clock.send(op="sleep", until=START.timestamp() + 60)
        assert await clock.answer() is None
        assert await clock.answer(within=2) == START.timestamp() + 60

    with_keeper(scene, address=tmp_path / "c")


def test_a_sleep_to_the_past_is_answered_at_once_and_is_work(tmp_path):
    async def scene(keeper):
        one, two = await Client.of(tmp_path / "c"), await Client.of(tmp_path / "c")
        assert await one.ask(op="sleep", until=0) == START.timestamp()
        two.send(op="sleep", until=START.timestamp() + 5)
        assert await two.answer() is None
        one.leave()
        assert await two.answer() == START.timestamp() + 5

    with_keeper(scene, address=tmp_path / "c")


def test_nonsense_on_the_socket_only_costs_the_speaker_its_connection(tmp_path):
    async def scene(keeper):
        for line in (b"hello\n", b'{"op": "fly"}\n', b'{"op": "sleep"}\n', b"[1]\n", b"\xff\xfe\n"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "c"))
            writer.write(line)
            assert await asyncio.wait_for(reader.read(), 2) == b""
            writer.close()
        sane = await Client.of(tmp_path / "c")
        assert await sane.ask(op="sleep", until=START.timestamp() + 1) == START.timestamp() + 1

    with_keeper(scene, address=tmp_path / "c")


def test_a_killed_client_releases_the_clock(tmp_path):
    worker = textwrap.dedent(f"""
        import time
        from datetime import timedelta
        from pathlib import Path
        from ivr.clock import LeapingClock
        clock = LeapingClock(Path({str(tmp_path / "c")!r}))
        clock.sleep_until(clock.now() + timedelta(seconds=10))
        print("at work", flush=True)
        time.sleep(60)
    """)

    async def scene(keeper):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", worker, stdout=subprocess.PIPE)
        assert await process.stdout.readline() == b"at work\n"
        other = await Client.of(tmp_path / "c")
        other.send(op="sleep", until=START.timestamp() + 100)
        assert await other.answer() is None
        os.kill(process.pid, signal.SIGKILL)
        assert await other.answer(within=5) == START.timestamp() + 100
        await process.wait()

    with_keeper(scene, address=tmp_path / "c")


def test_many_threads_of_the_house_see_one_time(tmp_path):
    """Three threads with the house's own client sleep past each other, and let go when they end."""

    async def scene(keeper):
        clock = LeapingClock(tmp_path / "c")
        seen = []

        def thread(step):
            for index in range(1, 6):
                moment = datetime.fromtimestamp(START.timestamp() + step * index, UTC)
                clock.sleep_until(moment)
                seen.append((clock.now(), moment))

        threads = [threading.Thread(target=thread, args=(step,)) for step in (2, 3, 7)]
        for each in threads:
            each.start()
        while any(each.is_alive() for each in threads):
            await asyncio.sleep(0.01)
        return seen

    seen = with_keeper(scene, address=tmp_path / "c")
    assert len(seen) == 15
    assert all(now >= moment for now, moment in seen)


@pytest.mark.parametrize("rests", [True, False])
def test_a_thread_that_slept_holds_time_until_it_rests(tmp_path, rests):
    async def scene(keeper):
        clock = LeapingClock(tmp_path / "c")
        has_slept, may_end = threading.Event(), threading.Event()

        def worker():
            clock.sleep_until(datetime.fromtimestamp(START.timestamp() + 5, UTC))
            if rests:
                clock.rest()
            has_slept.set()
            may_end.wait(10)

        thread = threading.Thread(target=worker)
        thread.start()
        while not has_slept.is_set():
            await asyncio.sleep(0.01)
        later = asyncio.ensure_future(keeper.sleep(3600))
        done, _ = await asyncio.wait([later], timeout=0.5)
        assert bool(done) is rests
        may_end.set()
        thread.join()
        await later

    with_keeper(scene, address=tmp_path / "c")


def test_the_moment_lies_in_the_file(tmp_path):
    async def scene(keeper):
        clock = LeapingClock(tmp_path / "c")
        before = clock.now()
        await keeper.sleep(3600)
        return (clock.now() - before).total_seconds()

    assert with_keeper(scene, address=tmp_path / "c") == 3600


def test_real_time_is_waited_for_and_holding_means_nothing():
    async def scene(keeper):
        began = time.monotonic()
        with keeper.busy("slow"):
            await keeper.sleep(0.2)
        return time.monotonic() - began

    assert with_keeper(scene, leaping=False) >= 0.19


def test_real_time_can_run_faster():
    async def scene(keeper):
        began, virtual = time.monotonic(), keeper.now()
        await keeper.sleep(10)
        return time.monotonic() - began, keeper.now() - virtual

    real, virtual = with_keeper(scene, leaping=False, speed=50)
    assert real < 2
    assert virtual == pytest.approx(10, abs=3)


def test_a_stall_is_told_with_its_reason(monkeypatch):
    from ivr.rehearsal import timekeeper

    told = []
    monkeypatch.setattr(timekeeper, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(timekeeper.log, "warning", lambda event, **facts: told.append((event, facts)))

    async def scene(keeper):
        async def holds():
            await asyncio.sleep(3.5)

        async def waits():
            await keeper.sleep(5)

        await asyncio.gather(keeper.spawn(holds(), "a slow house"), keeper.spawn(waits(), "waits"))

    with_keeper(scene)
    assert told
    assert told[0][0] == "time_stands_still"
    assert "a slow house" in told[0][1]["held_by"][0]
