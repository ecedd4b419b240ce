"""A local carrier against a small house made for the test: documents by path, audio that lasts exactly so long."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ivr.rehearsal.listeners import HANG_UP, Act, Delivery, Reception, Sound
from ivr.rehearsal.service import LocalCarrier, Plan

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
TO, FROM = "+31612345678", "+31850000000"


def wav(seconds: float) -> bytes:
    """µ-law silence, 8 kHz mono, with a chunk before `data` as real files have."""
    data = b"\xff" * round(seconds * 8000)
    form = struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8) + b"\0\0"
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"fact" + struct.pack("<II", 4, len(data))
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@dataclass
class Hit:
    """One request that the house got."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    query: str
    at: float
    cookies: dict[str, str]


@dataclass
class SmallHouse:
    """Answers whatever the test wrote down. pages: path → TwiML, or a list of them used up in order."""

    pages: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    now: Callable[[], float] = lambda: 0.0
    url: str = ""

    def page(self, path: str, *twiml: Any) -> None:
        self.pages[path] = list(twiml)

    def hit(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path == path]

    @property
    def told(self) -> list[str]:
        """The CallStatus of each status callback, in the order of arrival."""
        return [hit.params["CallStatus"] for hit in self.hit("/status")]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        params = {name: str(value) for name, value in (form or request.query).items()}
        self.hits.append(
            Hit(
                request.method,
                request.path,
                params,
                dict(request.headers),
                request.query_string,
                self.now(),
                dict(request.cookies),
            )
        )
        if request.path.endswith(".wav") and request.path not in self.pages:
            seconds = float(request.path.rsplit("/", 1)[1][:-4].split("_")[0])
            return web.Response(
                body=wav(seconds), content_type="audio/wav", headers={"Cache-Control": "public, immutable"}
            )
        if request.path.endswith(".txt"):
            name = request.path.rsplit("/", 1)[1][:-4]
            return web.Response(text=self.words[name]) if name in self.words else web.Response(status=404)
        if request.path == "/status" and "/status" not in self.pages:
            return web.Response(status=204)
        pages = self.pages.get(request.path)
        if not pages:
            return web.Response(status=404, text="no such page")
        page = pages.pop(0) if len(pages) > 1 else pages[0]
        if callable(page):
            return await page(request)
        return web.Response(text=page, content_type="text/xml")


def response(*verbs: str) -> str:
    return f"<Response>{''.join(verbs)}</Response>"


class Script:
    """A listener that does what the test says: acts per Gather, in order; then nothing."""

    def __init__(
        self, *acts: Sequence[tuple[float, str]], announced: Sequence[Sequence[tuple[float, str]]] = ()
    ) -> None:
        self.acts = [[Act(after, key) for after, key in turn] for turn in acts]
        self.announced = [[Act(after, key) for after, key in turn] for turn in announced]
        self.heard: list[tuple[str, float]] = []
        self.brought: list[tuple[str, Delivery]] = []
        self.how = ""
        self.ended_at = 0.0

    def listens(self, sounds: Sequence[Sound], *, keys_count: bool, at: float) -> Sequence[Act]:
        self.heard.append((" ".join(s.text for s in sounds), sum(s.seconds for s in sounds)))
        turns = self.acts if keys_count else self.announced
        return turns.pop(0) if turns else []

    def submitted(self, digits: str, delivery: Delivery) -> None:
        self.brought.append((digits, delivery))

    def ended(self, how: str, at: float) -> None:
        self.how, self.ended_at = how, at


@dataclass
class Numbers:
    """A population of one behaviour."""

    reception: Reception

    def receives(self, number: str, call_sid: str, voice_url: str, at: float) -> Reception:
        return self.reception


def answering(listener: Any, after: float = 5.0, kind: Any = "human") -> Numbers:
    return Numbers(Reception(kind, after, listener))


@dataclass
class Stage:
    """A house, a carrier and a REST client, all up."""

    house: SmallHouse
    carrier: LocalCarrier
    rest: aiohttp.ClientSession

    @property
    def calls_url(self) -> str:
        return f"{self.carrier.url}/2010-04-01/Accounts/AC{'0' * 32}/Calls"

    async def create(self, **form: Any) -> dict[str, Any]:
        """Place a call whose document is /start; returns the Call resource."""
        answer = await self.post(f"{self.calls_url}.json", **form)
        assert answer[0] == 201, answer
        return answer[1]

    async def post(self, url: str, **form: Any) -> tuple[int, dict[str, Any]]:
        if url == f"{self.calls_url}.json":
            form = {
                "To": TO,
                "From": FROM,
                "StatusCallback": f"{self.house.url}/status",
                "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
                **form,
            }
            if "Twiml" not in form:
                form.setdefault("Url", f"{self.house.url}/start")
        pairs = [
            (name, one)
            for name, value in form.items()
            if value is not None
            for one in (value if isinstance(value, list) else [value])
        ]
        async with self.rest.post(url, data=pairs) as answer:
            return answer.status, await answer.json()

    async def get(self, url: str, **query: str) -> tuple[int, dict[str, Any]]:
        async with self.rest.get(url, params=query) as answer:
            return answer.status, await answer.json()

    async def over(self, sid: str) -> dict[str, Any]:
        """Wait (really) until the call is over and told."""
        for _ in range(2000):
            call = self.carrier.exchange.book.get(sid)
            assert call is not None
            if call.is_over and not self.carrier.keeper._holds:
                return call.as_json()
            await asyncio.sleep(0.002)
        raise AssertionError(f"the call does not end: {self.carrier.keeper.holders()}")


Play = Callable[[Stage], Awaitable[Any]]


@pytest.fixture
def house() -> SmallHouse:
    return SmallHouse()


@pytest.fixture
def play(house: SmallHouse) -> Callable[..., Any]:
    """`play(population, scene, **plan)`: put everything up on a leaping clock, run the scene, take all down."""

    def run(population: Any, scene: Play, **plan: Any) -> Any:
        async def whole() -> Any:
            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", house.serve)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            plan.setdefault("is_leaping", True)
            carrier = LocalCarrier(Plan(port=0, start=START, **plan), population)
            house.now = carrier.keeper.now
            await carrier.open()
            account = base64.b64encode(f"AC{'0' * 32}:local".encode()).decode()
            rest = aiohttp.ClientSession(headers={"Authorization": f"Basic {account}"})
            try:
                return await scene(Stage(house, carrier, rest))
            finally:
                await rest.close()
                await carrier.close()
                await runner.cleanup()

        return asyncio.run(whole())

    return run


class Kit:
    """What tests build scenes of."""

    Script = Script
    Numbers = Numbers
    HANG_UP = HANG_UP
    TO, FROM, START = TO, FROM, START
    answering = staticmethod(answering)
    response = staticmethod(response)
    wav = staticmethod(wav)


@pytest.fixture
def kit() -> type[Kit]:
    return Kit
