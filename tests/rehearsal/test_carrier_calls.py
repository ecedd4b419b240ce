"""The REST side and the walk of a call: what is accepted, what is told, and in Twilio's own words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from ivr.errors import ConfigurationError
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.listeners import Reception
from ivr.rehearsal.service import LocalCarrier, Plan

DONE = "<Response><Hangup/></Response>"
SCHEMA = Path(__file__).parent / "twilio" / "calls_openapi.json"
NOBODY = Reception("no_answer")


@pytest.fixture(scope="module")
def openapi():
    document = json.loads(SCHEMA.read_text())
    document["servers"] = [{"url": "http://carrier"}]
    return OpenAPI.from_dict(document)


def satisfies(openapi, method: str, path: str, status: int, body: dict) -> None:
    request = MockRequest("http://carrier", method.lower(), path)
    response = MockResponse(json.dumps(body).encode(), status_code=status, content_type="application/json")
    openapi.validate_response(request, response)


# -- the walk of a call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reception", "told", "duration"),
    [
        (NOBODY, ["initiated", "ringing", "no-answer"], "0"),
        (Reception("busy", 3), ["initiated", "ringing", "busy"], "0"),
        (Reception("not_in_service", 2), ["initiated", "failed"], "0"),
    ],
)
def test_a_call_that_nobody_takes_is_told_as_it_went(house, kit, play, reception, told, duration):
    """CallStatus of the last event: no-answer, busy or failed; "SequenceNumber: … starting from 0." """

    async def scene(stage):
        return await stage.over((await stage.create(Timeout="20"))["sid"])

    call = play(kit.Numbers(reception), scene)
    assert house.told == told
    assert call["duration"] == duration
    assert [hit.params["SequenceNumber"] for hit in house.hit("/status")] == [str(n) for n in range(len(told))]
    assert not house.hit("/start")


def test_an_answered_call_tells_each_event_once_with_its_particulars(house, kit, play):
    """ "The answered event carries in-progress; the completed event carries the ending and CallDuration." """
    house.page("/start", "<Response><Play>/65.wav</Play></Response>")

    async def scene(stage):
        return await stage.over((await stage.create())["sid"])

    call = play(kit.answering(kit.Script()), scene)
    assert house.told == ["initiated", "ringing", "in-progress", "completed"]
    last = house.hit("/status")[-1].params
    assert (last["CallDuration"], last["Duration"], last["SequenceNumber"]) == ("65", "2", "3")
    assert last["Timestamp"].endswith("+0000")
    assert last["CallbackSource"] == "call-progress-events"
    assert call["duration"] == "65"


def test_only_subscribed_events_are_told_and_completed_by_default(house, kit, play):
    """ "StatusCallbackEvent … If no event is specified, we send the completed status." """
    house.page("/start", DONE)

    async def scene(stage):
        for events in (["ringing", "completed"], ["answered ringing"], None):
            made = await stage.create(StatusCallbackEvent=events)
            await stage.over(made["sid"])

    play(kit.answering(kit.Script()), scene)
    assert house.told == ["ringing", "completed", "ringing", "in-progress", "completed"]


def test_somebody_too_slow_is_not_reached(house, kit, play):
    """ "Timeout: The integer number of seconds that we should allow the phone to ring …" """

    async def scene(stage):
        return await stage.over((await stage.create(Timeout="20"))["sid"])

    call = play(kit.answering(kit.Script(), after=21), scene)
    assert call["status"] == "no-answer"
    ringing, over = house.hit("/status")[1:]
    assert over.at - ringing.at == pytest.approx(20)


def test_calls_start_one_a_second_and_the_others_wait(house, kit, play):
    """ "API requests for calls that exceed the CPS rate limit will be queued, and executed as capacity is available."
    (https://support.twilio.com/hc/en-us/articles/223180028)"""

    async def scene(stage):
        sids = [(await stage.create(To=f"+3161000000{n}"))["sid"] for n in range(5)]
        for sid in sids:
            await stage.over(sid)

    play(kit.Numbers(NOBODY), scene, calls_per_second=2)
    begun = [hit.at for hit in house.hit("/status") if hit.params["CallStatus"] == "initiated"]
    assert [round(at - begun[0], 3) for at in begun] == [0, 0.5, 1, 1.5, 2]


def test_too_many_calls_at_once_are_refused(house, kit, play):
    """10004 "Call concurrency limit exceeded." """

    async def scene(stage):
        with stage.carrier.keeper.busy("the test"):
            return [await stage.post(f"{stage.calls_url}.json", To=f"+3161000000{n}") for n in range(3)]

    answers = play(kit.Numbers(NOBODY), scene, concurrency=2)
    assert [status for status, _ in answers] == [201, 201, 429]
    assert answers[2][1]["code"] == 10004


def test_a_number_in_a_call_is_busy_and_counted(house, kit, play):
    house.page("/start", "<Response><Play>/60.wav</Play></Response>")

    async def scene(stage):
        with stage.carrier.keeper.busy("the test"):
            first, second = await stage.create(), await stage.create()
        return [(await stage.over(made["sid"]))["status"] for made in (first, second)], stage.carrier.exchange

    statuses, exchange = play(kit.answering(kit.Script()), scene)
    assert statuses == ["completed", "busy"]
    assert exchange.double_calls == 1


# -- machine detection -----------------------------------------------------------------------------------------


def test_synchronous_detection_lets_the_callee_wait_in_silence(house, kit, play):
    """ "the callee hears seconds of silence"; AnsweredBy comes with the first request"""
    house.page("/start", DONE)

    async def scene(stage):
        return await stage.over((await stage.create(MachineDetection="Enable"))["sid"])

    call = play(kit.answering(kit.Script(), kind="machine"), scene)
    answered = house.hit("/status")[2]
    assert house.hit("/start")[0].at - answered.at == pytest.approx(4)
    assert house.hit("/start")[0].params["AnsweredBy"] == "machine_start"
    assert call["answered_by"] == "machine_start"


def test_asynchronous_detection_speaks_at_once_and_tells_later(house, kit, play):
    """ "AsyncAmd: … perform answering machine detection in the background"; "When AMD processing is
    complete, the result (the AnsweredBy
    parameter) is sent to a second URL, the asyncAmdStatusCallback."
    (https://www.twilio.com/en-us/blog/async-answering-machine-detection-tutorial)"""
    house.page("/start", "<Response><Play>/20.wav</Play></Response>")
    house.page("/machine", "<Response/>")

    async def scene(stage):
        form = {"MachineDetection": "Enable", "AsyncAmd": "true"}
        made = await stage.create(**form, AsyncAmdStatusCallback=f"{house.url}/machine")
        return await stage.over(made["sid"])

    play(kit.answering(kit.Script()), scene)
    (verdict,) = house.hit("/machine")
    assert "AnsweredBy" not in house.hit("/start")[0].params
    assert verdict.params["AnsweredBy"] == "human"
    assert verdict.at - house.hit("/start")[0].at == pytest.approx(4)
    assert "CallStatus" not in verdict.params


def test_a_machine_verdict_may_come_after_the_call(house, kit, play):
    """ "in the background": nothing says that the verdict comes before the call has ended."""
    house.page("/start", "<Response><Play>/10.wav</Play></Response>")
    house.page("/machine", "<Response/>")

    async def scene(stage):
        form = {"MachineDetection": "Enable", "AsyncAmd": "true"}
        made = await stage.create(**form, AsyncAmdStatusCallback=f"{house.url}/machine")
        await stage.over(made["sid"])
        await stage.carrier.keeper.sleep(1000)

    play(kit.answering(kit.Script(), kind="machine"), scene, rates=Rates(verdict_late=1.0))
    (verdict,) = house.hit("/machine")
    assert house.told[-1] == "completed"
    assert verdict.at > house.hit("/status")[-1].at
    assert verdict.params["AnsweredBy"] == "machine_start"


# -- changing a call -------------------------------------------------------------------------------------------


def test_a_call_canceled_while_queued_is_told_to_nobody(house, kit, play):
    """ "a call canceled while queued fires no callback" """

    async def scene(stage):
        with stage.carrier.keeper.busy("the test"):
            await stage.create(To="+31610000001")
            made = await stage.create(To="+31610000002")
            answer = await stage.post(f"{stage.calls_url}/{made['sid']}.json", Status="canceled")
        return answer, await stage.over(made["sid"])

    (status, _), call = play(kit.Numbers(NOBODY), scene)
    assert (status, call["status"]) == (200, "canceled")
    assert "+31610000002" not in {hit.params["To"] for hit in house.hit("/status")}


@pytest.mark.parametrize("wish", ["canceled", "completed"])
def test_a_ringing_call_is_given_up_and_told(house, kit, play, wish):
    """Status: "Specifying canceled will attempt to hang up calls that are queued or ringing; however, it will not
    affect calls already in progress." (https://www.twilio.com/docs/voice/api/call-resource) completed ends any call."""

    async def scene(stage):
        made = await stage.create(Timeout="600")
        for _ in range(2000):
            if stage.carrier.exchange.book.get(made["sid"]).status == "ringing":
                break
            await asyncio.sleep(0.002)
        return await stage.post(f"{stage.calls_url}/{made['sid']}.json", Status=wish), await stage.over(made["sid"])

    (status, _), call = play(kit.answering(kit.Script(), after=500), scene, is_leaping=False)
    assert (status, call["status"], call["duration"]) == (200, "canceled", "0")
    assert house.told == ["initiated", "ringing", "canceled"]


@pytest.mark.parametrize(("wish", "how"), [("completed", "completed"), ("canceled", "completed")])
def test_a_running_call_is_ended_but_not_canceled(house, kit, play, wish, how):
    """canceled "will not affect calls already in progress. Specifying completed will attempt to hang up a call even if
    it's already in progress." (https://www.twilio.com/docs/voice/api/call-resource)"""
    script = kit.Script()

    async def scene(stage):
        keeper = stage.carrier.keeper
        seen = []

        async def page(_request):
            from aiohttp import web

            async def later():
                await keeper.sleep(10)
                seen.append(await stage.post(f"{stage.calls_url}/{made['sid']}.json", Status=wish))

            keeper.spawn(later(), "the test")
            return web.Response(text="<Response><Play>/60.wav</Play></Response>", content_type="text/xml")

        house.page("/start", page)
        made = await stage.create()
        call = await stage.over(made["sid"])
        again = await stage.post(f"{stage.calls_url}/{made['sid']}.json", Status=wish)
        return seen, call, again

    seen, call, again = play(kit.answering(script), scene)
    assert seen[0][0] == again[0] == 200
    assert call["status"] == how
    assert call["duration"] == ("10" if wish == "completed" else "60")
    assert script.how == ("ended" if wish == "completed" else "completed")


@pytest.mark.parametrize("change", ["url", "twiml"])
def test_a_running_call_gets_another_document(house, kit, play, change):
    """ "Initiates a call redirect or terminates a call": by Url or by Twiml; 21220 when the call is over."""
    script = kit.Script()
    house.page("/other", "<Response><Say>anders</Say></Response>")

    async def scene(stage):
        keeper = stage.carrier.keeper

        async def page(_request):
            from aiohttp import web

            async def later():
                await keeper.sleep(10)
                new = (
                    {"Url": f"{house.url}/other"}
                    if change == "url"
                    else {"Twiml": "<Response><Say>anders</Say></Response>"}
                )
                await stage.post(f"{stage.calls_url}/{made['sid']}.json", **new)

            keeper.spawn(later(), "the test")
            return web.Response(text="<Response><Play>/60.wav</Play></Response>", content_type="text/xml")

        house.page("/start", page)
        made = await stage.create()
        await stage.over(made["sid"])
        return await stage.post(f"{stage.calls_url}/{made['sid']}.json", Url=f"{house.url}/other")

    status, body = play(kit.answering(script), scene)
    assert [text for text, _ in script.heard] == ["", "anders"]
    assert (status, body["code"]) == (400, 21220)


# -- requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": None}, 21201),
        ({"From": None}, 21213),
        ({"To": "0612345678"}, 21211),
        ({"To": "+0612345678"}, 21211),
        ({"To": "+31 6 1234"}, 21211),
        ({"From": "085"}, 21212),
        ({"Url": None}, 21205),
        ({"Url": "/start"}, 21205),
        ({"Url": "ftp://127.0.0.1/x"}, 21205),
        ({"Url": "http://127.0.0.1:99999/x"}, 21205),
        ({"Url": "https://example.com/voice"}, 21205),
        ({"Url": "http://127.0.0.1.example.com/voice"}, 21205),
        ({"FallbackUrl": "http://10.0.0.1/x"}, 21205),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"StatusCallbackEvent": ["ringing", "sneezed"]}, 21626),
        ({"Method": "PUT"}, 21209),
        ({"Timeout": "soon"}, 20001),
        ({"Timeout": "601"}, 20001),
        ({"TimeLimit": "0"}, 20001),
        ({"Record": "perhaps"}, 20001),
        ({"MachineDetection": "Guess"}, 20001),
        ({"Byoc": "BY1"}, 20001),
        ({"ApplicationSid": "AP" + "0" * 32}, 21218),
        ({"Url": None, "Twiml": "<Oops/>"}, 12100),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_in_twilios_words(kit, play, openapi, form, code):
    """Twilio's error dictionary: a code, a message, more_info and the HTTP status."""

    async def scene(stage):
        if form.get("Url", "") is None and "Twiml" not in form:
            return await stage.post(f"{stage.calls_url}.json", Url="")
        return await stage.post(f"{stage.calls_url}.json", **form)

    status, body = play(kit.Numbers(NOBODY), scene)
    assert (status, body["code"], body["status"]) == (400, code, 400)
    assert body["more_info"].endswith(str(code))
    satisfies(openapi, "POST", f"/2010-04-01/Accounts/AC{'0' * 32}/Calls.json", status, body)


def test_who_does_not_know_the_token_learns_nothing(kit, play):
    """20003 "Authenticate", with 401."""

    async def scene(stage):
        import aiohttp

        answers = []
        async with aiohttp.ClientSession() as stranger:
            for headers in ({}, {"Authorization": "Basic QUM6bm8="}, {"Authorization": "Bearer x"}):
                async with stranger.get(f"{stage.calls_url}.json", headers=headers) as answer:
                    answers.append((answer.status, (await answer.json())["code"]))
        return answers

    assert play(kit.Numbers(NOBODY), scene) == [(401, 20003)] * 3


def test_every_answer_satisfies_twilios_openapi(house, kit, play, openapi):
    house.page("/start", DONE)

    async def scene(stage):
        root = f"/2010-04-01/Accounts/AC{'0' * 32}/Calls"
        status, made = await stage.post(f"{stage.calls_url}.json")
        satisfies(openapi, "POST", f"{root}.json", status, made)
        one = f"{root}/{made['sid']}.json"
        await stage.over(made["sid"])
        for path in (one, f"{root}.json"):
            status, body = await stage.get(f"{stage.carrier.url}{path}")
            assert status == 200
            satisfies(openapi, "GET", path, status, body)
        status, body = await stage.post(f"{stage.carrier.url}{one}", Status="completed")
        satisfies(openapi, "POST", one, status, body)
        for path in (f"{root}/CA{'1' * 32}.json", f"/2010-04-01/Accounts/AC{'1' * 32}/Calls.json"):
            status, body = await stage.get(f"{stage.carrier.url}{path}")
            assert (status, body["code"]) == (404, 20404)
            satisfies(openapi, "GET", path, status, body)
        async with stage.rest.delete(f"{stage.carrier.url}{one}") as answer:
            satisfies(openapi, "DELETE", one, answer.status, await answer.json())
        async with stage.rest.put(f"{stage.carrier.url}{one}") as answer:
            assert (answer.status, (await answer.json())["code"]) == (405, 20004)
        async with stage.rest.post(f"{stage.calls_url}.json", json={"To": "x"}) as answer:
            assert answer.status == 400

    play(kit.answering(kit.Script()), scene)


def test_calls_are_listed_by_number_status_moment_and_page(house, kit, play):
    """ "To: Only show calls made to this phone number"; "StartTime: Only include calls that started on this
    date"; "PageSize … The default is 50, and the maximum is 1000." """
    house.page("/start", DONE)

    async def scene(stage):
        url = f"{stage.calls_url}.json"
        for index in range(4):
            made = await stage.create(To=f"+3161000000{index % 2}")
            await stage.over(made["sid"])
            await stage.carrier.keeper.sleep(3600)

        async def sids(**query):
            status, body = await stage.get(url, **query)
            assert status == 200, body
            return [call["start_time"] for call in body["calls"]], body

        assert len((await sids())[0]) == 4
        assert len((await sids(To="+31610000001"))[0]) == 2
        assert (await sids(To="+31699999999"))[0] == []
        assert len((await sids(Status="completed"))[0]) == 4
        assert (await sids(Status="busy"))[0] == []
        assert len((await sids(**{"StartTime>": "2026-10-05T09:00:00Z"}))[0]) == 3
        assert len((await sids(**{"StartTime<": "2026-10-05T09:00:00Z"}))[0]) == 1
        assert len((await sids(StartTime="2026-10-05"))[0]) == 4
        times, body = await sids(PageSize="3")
        assert len(times) == 3
        status, rest = await stage.get(stage.carrier.url + body["next_page_uri"])
        assert (status, len(rest["calls"]), rest["next_page_uri"]) == (200, 1, None)
        for bad in ({"PageSize": "0"}, {"Status": "asleep"}, {"StartTime": "soon"}, {"Page": "-1"}):
            status, body = await stage.get(url, **bad)
            assert (status, body["code"]) == (400, 20001)

    play(kit.answering(kit.Script()), scene)


def test_twilios_own_client_places_finds_and_ends_calls(house, kit, play):
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    house.page("/start", DONE)

    async def scene(stage):
        def use():
            http = TwilioHttpClient(timeout=5)
            client = Client("AC" + "0" * 32, "local", http_client=http, environment={"x": "y"})
            client.api.base_url = stage.carrier.url
            call = client.calls.create(to=kit.TO, from_=kit.FROM, url=f"{house.url}/start", timeout=20)
            found = client.calls.list(to=kit.TO, start_time_after=kit.START, limit=5)
            client.calls(call.sid).update(status="completed")
            fetched = client.calls(call.sid).fetch()
            http.session.close()
            return call, found, fetched

        return await asyncio.to_thread(use)

    call, found, fetched = play(kit.answering(kit.Script()), scene)
    assert [each.sid for each in found] == [call.sid]
    assert call.status == "queued"
    assert fetched.status == "completed"


def test_the_carrier_is_well_and_says_what_time_it_is(kit, play):
    async def scene(stage):
        return await stage.get(f"{stage.carrier.url}/healthz")

    status, body = play(kit.Numbers(NOBODY), scene)
    assert (status, body["status"], body["calls"]) == (200, "ok", 0)
    assert body["now"] == kit.START.isoformat()


def test_a_carrier_that_others_could_reach_is_refused(kit):
    with pytest.raises(ConfigurationError, match="this machine only"):
        LocalCarrier(Plan(host="0.0.0.0"), kit.Numbers(NOBODY))
