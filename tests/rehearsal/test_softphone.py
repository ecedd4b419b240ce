"""The softphone's line, window and calls in real time, against a small house: everything but the browser."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ivr import passes
from ivr.rehearsal.listeners import Reception
from ivr.rehearsal.population import NobodyHome
from ivr.rehearsal.service import LocalCarrier, Plan

KEY = b"k" * 32
ACCOUNT = f"AC{'0' * 32}:local"
SIGNED = {"url": "", "order": 1, "title": "Proef", "provider": "Taalhuis", "home": "http://127.0.0.1:1/softphone"}


class Window:
    """A browser's window, without the browser."""

    def __init__(self, stream: aiohttp.ClientWebSocketResponse) -> None:
        self.stream = stream
        self.told: list[dict[str, Any]] = []

    async def send(self, **what: Any) -> None:
        await self.stream.send_json(what)

    async def until(self, type: str, **what: Any) -> dict[str, Any]:
        """The next message of this type with these contents."""
        while True:
            message = await self.stream.receive(timeout=10)
            assert message.type == aiohttp.WSMsgType.TEXT, (message.type, type)
            told = json.loads(message.data)
            self.told.append(told)
            if told["type"] == type and what.items() <= told.items():
                return told

    def types(self) -> list[str]:
        return [told["type"] for told in self.told if told["type"] != "standing"]


class Site:
    """A house of a few pages and a carrier beside it, in real time."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.begun: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.answer: tuple[int, dict[str, Any]] = (201, {"attempt": "a1", "house_number": "+31850000000"})

    async def begin(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("Authorization", ""))
        wish = await request.json()
        self.begun.append(wish)
        if self.answer[0] == 201 and wish["way"] == "called":
            await self.dial(wish["number"])
        return web.json_response(self.answer[1], status=self.answer[0])

    async def standing(self, request: web.Request) -> web.Response:
        return web.json_response({"attempt": "a1", "state": "placed"})

    async def dial(self, number: str) -> str:
        form = {
            "To": number,
            "From": "+31850000000",
            "Url": f"{self.house.url}/start",
            "StatusCallback": f"{self.house.url}/status",
            "StatusCallbackEvent": "completed",
            "Timeout": "5",
        }
        auth = {"Authorization": f"Basic {base64.b64encode(ACCOUNT.encode()).decode()}"}
        url = f"{self.carrier.url}/2010-04-01/Accounts/{'AC' + '0' * 32}/Calls.json"
        async with aiohttp.ClientSession(headers=auth) as rest, rest.post(url, data=form) as answer:
            assert answer.status == 201, await answer.text()
            return (await answer.json())["sid"]

    async def window(
        self, session: aiohttp.ClientSession, text: str | None = None, origin: str | None = None
    ) -> Window:
        """An open window that showed its pass."""
        url = f"{self.carrier.url}/softphone/lijn"
        window = Window(await session.ws_connect(url, origin=origin or self.carrier.url))
        await window.send(**{"pass": passes.issue(KEY, SIGNED) if text is None else text})
        return window

    def run(self, scene: Any) -> None:
        async def whole() -> None:
            app = web.Application()
            app.router.add_post("/softphone/lijn/begin", self.begin)
            app.router.add_get("/softphone/lijn/stand/{sid}", self.standing)
            app.router.add_route("*", "/{tail:.*}", self.house.serve)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            plan = Plan(port=0, house_url=self.house.url, softphone_key=KEY, calls_per_second=100)
            self.carrier = LocalCarrier(plan, NobodyHome())
            await self.carrier.open()
            session = aiohttp.ClientSession()
            try:
                await scene(session)
            finally:
                await session.close()
                await self.carrier.close()
                await runner.cleanup()

        asyncio.run(whole())

    async def status(self) -> dict[str, str]:
        """The status callback that ends a call."""
        for _ in range(400):
            if hits := self.house.hit("/status") + self.house.hit("/voice/inbound/status"):
                return hits[-1].params
            await asyncio.sleep(0.01)
        raise AssertionError("no status callback")


@pytest.fixture
def site(house: Any, kit: Any) -> Site:
    gather = '<Gather numDigits="1" timeout="5" action="/keys"><Play>/0.2_ask.wav</Play></Gather>'
    house.page("/start", kit.response("<Play>/0.2_hello.wav</Play>", gather, "<Hangup/>"))
    house.page("/keys", kit.response("<Play>/0.2_bye.wav</Play>", "<Hangup/>"))
    house.words.update({"0.2_hello": "Goedendag.", "0.2_ask": "Druk op 1.", "0.2_bye": "Dag."})
    return Site(house)


def test_a_call_is_answered_heard_keyed_and_ends(site: Site) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        ready = await window.until("ready")
        assert (ready["title"], ready["provider"]) == ("Proef", "Taalhuis")
        await window.send(do="call", way="called")
        assert (await window.until("ringing"))["caller"] == "+31850000000"
        await window.send(do="answer")
        hello = await window.until("hear")
        assert (hello["sounds"][0]["text"], hello["keys"]) == ("Goedendag.", False)
        assert hello["sounds"][0]["url"] == f"{site.house.url}/0.2_hello.wav"
        await window.until("hear", keys=True)
        await window.send(do="key", key="4")
        assert (await window.until("brought"))["keys"] == "4"
        assert (await window.until("over"))["answered"]
        await window.until("standing")
        assert window.types() == ["ready", "ringing", "answered", "hear", "hear", "brought", "hear", "over"]
        assert (await site.status())["CallStatus"] == "completed"

    site.run(scene)
    assert [hit.params["Digits"] for hit in site.house.hit("/keys")] == ["4"]
    (wish,) = site.begun
    assert passes.is_softphone(wish["number"])
    assert passes.read(KEY, site.asked[0].removeprefix("Bearer ")) == SIGNED


@pytest.mark.parametrize(("wish", "status", "duration"), [("hang_up", "busy", "0"), ("nothing", "no-answer", "0")])
def test_who_does_not_answer_is_not_in_a_call(site: Site, wish: str, status: str, duration: str) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        await window.send(do="call", way="called")
        await window.until("ringing")
        await window.send(do="key", key="1")  # a key before the answer answers nothing
        await window.send(do=wish)
        assert not (await window.until("over"))["answered"]
        params = await site.status()
        assert (params["CallStatus"], params["CallDuration"]) == (status, duration)

    site.run(scene)
    assert site.house.hit("/start") == []


def test_hanging_up_while_something_sounds_ends_the_call_at_once(site: Site, kit: Any) -> None:
    site.house.page("/start", kit.response("<Play>/60_long.wav</Play>", "<Hangup/>"))

    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        await window.send(do="call", way="called")
        await window.until("ringing")
        await window.send(do="answer")
        await window.until("hear")
        await window.send(do="hang_up")
        assert (await window.until("over"))["how"] == "ended"
        assert (await site.status())["CallStatus"] == "completed"

    site.run(scene)


def test_whoever_closes_the_window_has_hung_up_and_the_number_is_nobodys_again(site: Site, kit: Any) -> None:
    site.house.page("/start", kit.response("<Play>/60_long.wav</Play>", "<Hangup/>"))

    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        await window.send(do="call", way="called")
        await window.until("ringing")
        await window.send(do="answer")
        await window.until("hear")
        await window.stream.close()
        assert (await site.status())["CallStatus"] == "completed"
        site.house.hits.clear()
        await site.dial(site.begun[0]["number"])
        params = await site.status()
        assert (params["CallStatus"], params["SipResponseCode"]) == ("failed", "404")

    site.run(scene)


def test_ringing_in_is_a_signed_inbound_call_from_a_softphones_number(site: Site, kit: Any) -> None:
    site.house.page("/voice/inbound", kit.response("<Play>/0.2_hello.wav</Play>", "<Hangup/>"))
    site.house.page("/voice/inbound/status", "")

    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        await window.send(do="call", way="unknown")
        assert (await window.until("dialling"))["called"] == "+31850000000"
        assert (await window.until("hear"))["sounds"][0]["text"] == "Goedendag."
        assert (await window.until("over"))["answered"]
        await site.status()

    site.run(scene)
    (hit,) = site.house.hit("/voice/inbound")
    assert (hit.params["Direction"], hit.params["CallStatus"]) == ("inbound", "ringing")
    assert hit.params["From"] == hit.params["Caller"] == site.begun[0]["number"]
    assert "X-Twilio-Signature" in hit.headers
    (told,) = site.house.hit("/voice/inbound/status")
    assert (told.params["CallStatus"], told.params["CallSid"]) == ("completed", hit.params["CallSid"])


@pytest.mark.parametrize("text", ["", "nonsense", passes.issue(b"another", SIGNED), passes.issue(KEY, SIGNED, now=1.0)])
def test_a_window_without_a_valid_pass_is_told_so_and_closed(site: Site, text: str) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session, text)
        assert (await window.until("fault"))["code"] == "pass"
        assert (await window.stream.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}

    site.run(scene)
    assert site.begun == []


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_gets_no_stream(site: Site, origin: str) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await site.window(session, origin=origin)
        assert refused.value.status == 403

    site.run(scene)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((409, {"code": "not_voiced"}), "niet ingesproken"),
        ((409, {"code": "carrier"}), "nam het gesprek niet aan"),
        ((500, {}), "Dit lukte niet"),
    ],
)
def test_a_house_that_refuses_is_told_in_dutch_and_one_may_try_again(
    site: Site, answer: tuple[int, dict[str, Any]], words: str
) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        window = await site.window(session)
        site.answer = answer
        await window.send(do="call", way="called")
        assert words in (await window.until("fault"))["text"]
        site.answer = (201, {"attempt": "a1", "house_number": "+31850000000"})
        await window.stream.send_str("no JSON at all")
        await window.send(do="call", way="called")
        await window.until("ringing")

    site.run(scene)
    assert site.begun[0]["number"] != site.begun[1]["number"]


def test_the_page_keeps_to_itself_and_only_its_own_files_are_served(site: Site) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{site.carrier.url}/softphone") as page:
            policy = page.headers["Content-Security-Policy"]
            assert page.status == 200
            assert "default-src 'none'" in policy
            assert f"media-src {site.house.url};" in policy
        for name, status in (
            ("softphone.js", 200),
            ("softphone.css", 200),
            ("softphone.py", 404),
            ("..%2fcalls.py", 404),
        ):
            async with session.get(f"{site.carrier.url}/softphone/{name}") as file:
                assert file.status == status, name
        async with session.get(f"{site.carrier.url}/softphonex") as other:
            assert other.status == 401

    site.run(scene)


def test_a_leaping_carrier_has_no_softphone(play: Any) -> None:
    async def scene(stage: Any) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{stage.carrier.url}/softphone") as page:
            assert page.status == 404

    play(NobodyHome(), scene, softphone_key=KEY, house_url="http://127.0.0.1:1")


def test_two_carriers_in_real_time_never_name_a_call_the_same(site: Site) -> None:
    names: list[str] = []

    async def scene(session: aiohttp.ClientSession) -> None:
        names.append(site.carrier.exchange.book.new_sid())

    site.run(scene)
    site.run(scene)
    assert len(set(names)) == 2


def test_others_numbers_are_still_the_populations(site: Site) -> None:
    async def scene(session: aiohttp.ClientSession) -> None:
        people = site.carrier.exchange._population
        assert people.receives("+31612345678", "CA1", "", 0.0) == Reception("no_answer")
        assert people.receives(f"{passes.NUMBERS}000001", "CA1", "", 0.0).kind == "not_in_service"

    site.run(scene)
