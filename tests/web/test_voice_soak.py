"""Many calls at once over real HTTP under granian, by a carrier that does its worst: nothing lost, doubled, misplaced.

What must be kept is worked out by the engine alone from the keys that the callers pressed, in order; the house never
tells. TOETS_SOAK_CALLS sets how many calls (`make soak`: 3000).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp
import pytest

from ivr.store import Database, tables
from ivr.survey import interview as engine
from ivr.survey.turn import Keypress, Silence, Turn
from ivr.telephony.webhooks import sign
from tests.fieldwork.voiced_order import CATALOGUE, INBURGERING, Line, VoicedOrder
from tests.telephony.twiml_schema import check_twiml
from tests.web.test_voice_granian import server  # noqa: F401  (a fixture)
from tests.web.voice_house import CALL, TOKEN

CALLS = int(os.environ.get("TOETS_SOAK_CALLS", "100"))
FAULT = 0.1


@dataclass
class Caller:
    """One person on the line: presses keys, and remembers what was pressed in which turn."""

    base: str
    line: Line
    dice: random.Random
    web: aiohttp.ClientSession
    faults: Counter[str]
    pressed: list[str | None] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens now."""
        is_so = self.dice.random() < FAULT
        self.faults[fault] += is_so
        return is_so

    async def post(self, end: str, form: dict[str, str], seconds: float = 60.0) -> str:
        url = f"{self.base}/voice/{self.line.attempt_id}/{end}"
        form = CALL | {"CallSid": self.line.call_sid} | form
        headers = {"X-Twilio-Signature": sign(url, {name: [value] for name, value in form.items()}, TOKEN)}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with self.web.post(url, data=urlencode(form), headers=headers, timeout=timeout) as answer:
            self.statuses[answer.status] += 1
            return await answer.text()

    async def turn(self, number: int, key: str | None) -> str:
        return await self.post(f"{number}" + ("" if key or number == 0 else "/silence"), {"Digits": key} if key else {})

    async def report(self, status: str, number: int) -> None:
        """A status callback: dropped, doubled, or late, but the final one comes in the end."""
        if status != "completed" and self.strikes("status dropped"):
            return
        for _ in range(2 if self.strikes("status doubled") else 1):
            await self.post("status", {"CallStatus": status, "SequenceNumber": str(number)})

    async def live(self) -> None:
        """The whole call, with all that goes wrong in it."""
        form = CATALOGUE.questionnaires["inburgering"]
        occasion = engine.Occasion(service=11, days=_NO_DAYS)
        state, said = engine.begin(form, occasion)
        await self.report("initiated", 0)
        check_twiml(await self.turn(0, None))
        await self.report("in-progress", 2)
        for number in range(1, 60):
            if said.awaits is None or self.dice.random() < 0.01:
                break
            key = self._key(said)
            if self.strikes("hang-up while the key is on its way"):
                await self.report("completed", 3)
                await self.turn(number, key)
                self.pressed.append(key if state.has_begun or key is None else "late, before it began")
                return
            await self._press(number, key)
            self.pressed.append(key)
            state, said = engine.advance(form, state, Keypress(key) if key else Silence())
        await self.report("completed", 3)
        for _ in range(2):
            if self.strikes("stray after the end"):
                await self.turn(self.dice.randrange(0, len(self.pressed) + 1), self.dice.choice("1234"))

    def _key(self, said: Turn) -> str | None:
        if self.dice.random() < 0.05 or not said.asks:
            return None
        if self.dice.random() < 0.05:
            return self.dice.choice("123456789*#0")
        return INBURGERING.get(said.asks[-1].id.split(".")[0], "1")

    async def _press(self, number: int, key: str | None) -> None:
        """This turn's webhook; a stray never overtakes it, because then the stray would be what was pressed."""
        if self.strikes("answer lost on its way back"):
            with pytest.raises((TimeoutError, aiohttp.ClientError)):
                await self._lost(number, key)
        if self.strikes("answer twice at once"):
            first, second = await asyncio.gather(self.turn(number, key), self.turn(number, key))
            assert first == second
        else:
            check_twiml(await self.turn(number, key))
        if self.strikes("answer of an older turn"):
            await self.turn(self.dice.randrange(0, number + 1), self.dice.choice("1234"))
        if self.strikes("answer of a turn to come"):
            await self.turn(number + 2, "1")

    async def _lost(self, number: int, key: str | None) -> None:
        await asyncio.gather(self.turn(number, key), _snap(self))


async def _snap(caller: Caller) -> None:
    await asyncio.sleep(caller.dice.random() * 0.02)
    raise TimeoutError


_NO_DAYS = (("morgen", ("ochtend", "middag", "avond")),)


def expected(caller: Caller) -> dict[str, str]:
    """What these keys answer, by the engine alone."""
    form = CATALOGUE.questionnaires["inburgering"]
    state, _ = engine.begin(form, engine.Occasion(service=11, days=_NO_DAYS))
    for key in caller.pressed:
        if key == "late, before it began":
            break
        state, _ = engine.advance(form, state, Keypress(key) if key else Silence())
    return dict(state.answers)


@pytest.mark.timeout(1800)
def test_nothing_is_lost_doubled_or_misplaced_under_a_hostile_network(
    server: str,  # noqa: F811
    sqlite_database: Database,
) -> None:
    order = VoicedOrder(sqlite_database, target=CALLS)
    lines = [order.call(order.person(f"hash-{n}", code=f"{n % 10000:04d}"), phone=f"hash-{n}") for n in range(CALLS)]
    faults: Counter[str] = Counter()

    async def soak() -> list[Caller]:
        connector = aiohttp.TCPConnector(limit=24)
        async with aiohttp.ClientSession(connector=connector) as web:
            callers = [Caller(server, line, random.Random(n), web, faults) for n, line in enumerate(lines)]
            room = asyncio.Semaphore(40)

            async def one(caller: Caller) -> None:
                async with room:
                    await caller.live()

            await asyncio.gather(*(one(caller) for caller in callers))
            return callers

    callers = asyncio.run(soak())
    statuses = sum((caller.statuses for caller in callers), Counter())
    assert set(statuses) == {200, 204}, statuses
    if CALLS >= 100:
        assert min(faults[fault] for fault in faults) > 0
        assert len(faults) == 8

    attempts = {row["id"]: row for row in order.rows(tables.attempts)}
    kept: dict[str, dict[str, str]] = {}
    for row in order.rows(tables.responses):
        kept.setdefault(row["interview_id"], {})[row["question"]] = row["value"]
    interviews = {row["id"]: row for row in order.rows(tables.interviews)}
    assert len(interviews) == len({row["case_id"] for row in interviews.values()})
    for caller in callers:
        attempt = attempts[caller.line.attempt_id]
        assert attempt["state"] == "closed"
        assert kept.get(attempt["interview_id"], {}) == expected(caller), caller.pressed
    (cell,) = order.rows(tables.cells)
    assert cell["in_flight"] == 0
    assert cell["successful"] == sum(row["usable"] for row in interviews.values()) <= CALLS
    assert not [row for row in attempts.values() if row["holds_slot"]]
    assert not [row for row in order.rows(tables.cases) if row["is_busy"]]
