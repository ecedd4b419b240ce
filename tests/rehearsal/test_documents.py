"""Documents, redirects and transport of the local carrier; each test cites what it follows."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

DONE = "<Response><Hangup/></Response>"
SORRY = "<Response><Say>sorry</Say><Hangup/></Response>"


@pytest.fixture
def called(house, kit, play):
    """`called(**form)`: a call to /start that a silent person answers; returns (listener, call)."""

    def run(*, script=None, plan=None, **form):
        script = script or kit.Script()

        async def scene(stage):
            made = await stage.create(**{name: _filled(value, house) for name, value in form.items()})
            return await stage.over(made["sid"])

        return script, play(kit.answering(script), scene, **(plan or {}))

    return run


def _filled(value, house):
    return value.replace("{url}", house.url) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("<Answer/>", "12100"),
        ("<Response>", "12100"),
        ("not xml at all", "12100"),
        ("", "12100"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>', "12100"),
        ("<Response><Dial>123</Dial></Response>", "12200"),
        ("<Response><Play speed='2'>/1.wav</Play></Response>", "12200"),
        ("<Response><Say><Play>/1.wav</Play></Say></Response>", "12200"),
        ("<Response><Gather timeout='2.5'/></Response>", "12200"),
        ("<Response><Gather numDigits='0'/></Response>", "12200"),
        ("<Response><Gather method='PUT'/></Response>", "12200"),
        ("<Response><Gather finishOnKey='x'/></Response>", "12200"),
        ("<Response><Pause length='-1'/></Response>", "12200"),
        ("<Response><Play></Play></Response>", "12200"),
        ("<Response><Hangup/><Reject/></Response>", "12200"),
        ("<Response><Play>/gone.wav.missing</Play></Response>", "11200"),
    ],
)
def test_what_is_no_document_goes_to_the_fallback_url(called, house, document, code):
    """ "If Twilio is unable to retrieve or execute TwiML from your web server, a request is immediately made to the
    number's Fallback URL. Twilio will submit the ErrorCode and ErrorUrl parameters, indicating the error code of the
    failure and what URL the failure occurred on." (https://www.twilio.com/docs/usage/security/availability-reliability)"""
    house.page("/start", document)
    house.page("/fallback", SORRY)
    script, _ = called(FallbackUrl="{url}/fallback")
    (hit,) = house.hit("/fallback")
    assert hit.params["ErrorCode"] == code
    assert hit.params["ErrorUrl"].startswith(house.url)
    assert script.heard == [("sorry", pytest.approx(0.375))]
    assert script.how == "completed"


def test_without_a_fallback_the_call_ends(called, house):
    """In our words (no page found): "an application error has occurred", then the call is over."""
    house.page("/start", "<nonsense/>")
    script, call = called()
    assert script.how == "application_error"
    assert (call["status"], house.told[-1]) == ("completed", "completed")


def test_a_broken_fallback_ends_the_call(called, house):
    """A fallback is asked once: its own error is "an application error has occurred"."""
    house.page("/start", "<nonsense/>")
    house.page("/fallback", "<nonsense/>")
    script, _ = called(FallbackUrl="{url}/fallback")
    assert script.how == "application_error"
    assert len(house.hit("/fallback")) == 1


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_an_error_status_goes_to_the_fallback(called, house, status):
    """11200:
    "Web server returned a 4xx or 5xx HTTP response to Twilio" (https://www.twilio.com/docs/api/errors/11200)"""

    async def broken(_request):
        return web.Response(status=status, text=SORRY, content_type="text/xml")

    house.page("/start", broken)
    house.page("/fallback", DONE)
    called(FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "11200"


def test_html_is_read_as_a_document(called, house):
    """ "text/xml, application/xml, text/html: Twilio interprets the returned document as an XML Instruction Set"
    (https://www.twilio.com/docs/api/twiml/your_response): a web framework's error page ends the call."""

    async def page(_request):
        return web.Response(text="<html><body>Internal error</body></html>", content_type="text/html")

    house.page("/start", page)
    house.page("/fallback", DONE)
    called(FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "12100"


def test_plain_text_is_said(called, house):
    """ "text/plain: Twilio reads the content of the text out loud to the caller, and then hangs up."
    (https://www.twilio.com/docs/api/twiml/your_response)"""

    async def page(_request):
        return web.Response(text="goedendag", content_type="text/plain")

    house.page("/start", page)
    script, _ = called()
    assert script.heard[0][0] == "goedendag"


def test_another_media_type_is_refused(called, house):
    """12300 "Invalid Content-Type: Attempt to fetch content returned an invalid Content-Type." """

    async def page(_request):
        return web.json_response({})

    house.page("/start", page)
    house.page("/fallback", DONE)
    called(FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "12300"


@pytest.mark.parametrize("target", ["/next", "next", "?x=1"])
def test_redirects_are_resolved_against_the_last_document(called, house, target):
    """ "Redirect … absolute or relative URL"; the default method is POST"""
    house.page("/start", f"<Response><Redirect>{target}</Redirect></Response>", DONE)
    house.page("/next", DONE)
    called()
    last = [hit for hit in house.hits if hit.path in {"/start", "/next"}][-1]
    assert last.method == "POST"
    assert len([hit for hit in house.hits if hit.path in {"/start", "/next"}]) == 2


def test_a_redirect_may_be_absolute(called, house):
    """ "Redirect … An absolute or relative URL for a different TwiML document." """

    async def page(_request):
        text = f"<Response><Redirect>{house.url}/elsewhere/next?z=1</Redirect></Response>"
        return web.Response(text=text, content_type="text/xml")

    house.page("/start", page)
    house.page("/elsewhere/next", DONE)
    called()
    assert [hit.query for hit in house.hit("/elsewhere/next")] == ["z=1"]


def test_a_redirect_may_be_a_get(called, house):
    """ "method … tells Twilio whether to request the <Redirect> URL via HTTP GET or POST." """
    house.page("/start", '<Response><Redirect method="GET">/next?y=2</Redirect></Response>')
    house.page("/next", DONE)
    called()
    (hit,) = house.hit("/next")
    assert hit.method == "GET"
    assert hit.params["y"] == "2"
    assert hit.params["CallStatus"] == "in-progress"


def test_more_than_ten_redirects_in_a_moment_end_the_call(called, house):
    """11215, in our words (no page found): redirects without end are an error; ten are followed."""
    house.page("/start", "<Response><Redirect>/start</Redirect></Response>")
    script, _ = called()
    assert script.how == "application_error"
    assert len(house.hit("/start")) == 11


def test_a_loop_in_which_time_passes_is_no_endless_redirect(called, house):
    """11215 is for redirects without end; a document that comes back after a time-out is how a menu is written."""
    pages = ["<Response><Gather timeout='1'/><Redirect>/start</Redirect></Response>"] * 30
    house.page("/start", *pages, DONE)
    script, _ = called()
    assert script.how == "completed"
    assert len(house.hit("/start")) == 31


def test_http_redirects_are_followed_ten_times(called, house):
    """ "Redirects: Twilio follows HTTP Redirects (HTTP status codes 301, 307, etc.), just like a normal web browser."
    (https://www.twilio.com/docs/api/twiml/your_response) Ten, 11215, and that a 302 becomes a GET: in our words."""

    async def away(_request):
        raise web.HTTPFound("/start")

    house.page("/start", away)
    script, _ = called()
    assert script.how == "application_error"
    assert len(house.hit("/start")) == 11
    assert house.hit("/start")[1].method == "GET"


def test_cookies_are_kept_within_a_call(called, house):
    """ "Cookies: Twilio accepts HTTP cookies and will include them in each request, just like a normal web browser."
    (https://www.twilio.com/docs/api/twiml/your_response) That a call has its own: in our words."""

    async def first(_request):
        answer = web.Response(text="<Response><Redirect>/next</Redirect></Response>", content_type="text/xml")
        answer.set_cookie("session", "abc")
        return answer

    house.page("/start", first)
    house.page("/next", DONE)
    called()
    assert house.hit("/start")[0].cookies == {}
    assert house.hit("/next")[0].cookies == {"session": "abc"}


def test_nothing_arrives_by_a_dead_address_and_the_fallback_knows(called, house):
    """Retry count: "The number of retry attempts Twilio will make if its connection to your webhook fails", 1 by
    default
    (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides). 11205: in our words."""
    house.page("/fallback", DONE)
    called(Url="http://127.0.0.1:9/nobody", FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "11205"


def test_a_slow_house_meets_the_ceiling(called, house, kit, monkeypatch):
    """Total time: "The total time allowed for all timeouts including retries. If not set, the maximum limit is
    enforced", 15000 (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides): really,
    also when the call's clock leaps."""
    from ivr.rehearsal import service, transport

    monkeypatch.setattr(service, "HttpWeb", lambda: transport.HttpWeb(ceiling_seconds=0.2))

    async def slow(_request):
        await asyncio.sleep(0.5)
        return web.Response(text=DONE, content_type="text/xml")

    house.page("/start", "<Response><Gather numDigits='1' action='/slow'/></Response>")
    house.page("/slow", slow)
    house.page("/fallback", DONE)
    script = kit.Script([(1, "5")])
    called(script=script, FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "11200"
    assert script.brought == [("5", "uncertain")]


def test_a_fragment_may_ask_for_more_retries_and_never_travels(called, house):
    """ "Connection overrides will be passed on a per webhook URL basis in the form of "fragments"."
    (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides) "#rc=2&rp=5xx" is ours."""

    async def broken(_request):
        return web.Response(status=500)

    house.page("/start", broken, broken, DONE)
    script, _ = called(Url="{url}/start#rc=2&rp=5xx")
    hits = house.hit("/start")
    assert script.how == "completed"
    assert len(hits) == 3
    assert len({hit.headers["I-Twilio-Idempotency-Token"] for hit in hits}) == 1


def test_every_webhook_is_signed_and_carries_what_a_voice_request_carries(called, house, tmp_path):
    """ "Twilio … signs it": the X-Twilio-Signature of each request, over its URL and all its parameters."""
    from twilio.request_validator import RequestValidator

    house.page("/start", '<Response><Redirect method="GET">/next?q=%C3%A9</Redirect></Response>')
    house.page("/next", DONE)
    log = tmp_path / "carrier.jsonl"
    _, call = called(plan={"log": log})
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) == 6
    for line in lines:
        assert set(line) >= {"method", "url", "params", "signature", "status", "reply", "call_sid", "sent_at"}
        assert RequestValidator("local").validate(line["url"], line["params"], line["signature"])
        assert line["call_sid"] == call["sid"]
    (hit,) = house.hit("/start")
    assert {"CallSid", "AccountSid", "From", "To", "CallStatus", "ApiVersion", "Direction"} <= set(hit.params)
    assert "" in hit.params.values(), "Twilio sends blank parameters too"
    assert [line["status"] for line in lines if line["url"].endswith("/status")] == [204] * 4


def test_sounds_are_fetched_once_while_their_headers_allow(called, house):
    """ "Caching: Twilio will cache files when HTTP headers allow it (via ETag and Last-Modified headers) and when the
    HTTP method is GET, just like a normal web browser." (https://www.twilio.com/docs/api/twiml/your_response)"""
    house.page("/start", "<Response><Play>/2.wav</Play><Play>/2.wav</Play><Play loop='3'>/2.wav</Play></Response>")
    script, call = called()
    assert len(house.hit("/2.wav")) == 1
    assert [seconds for _, seconds in script.heard] == [2, 2, 6]
    assert call["duration"] == "10"


def test_a_sound_with_only_an_etag_is_asked_for_again(called, house, kit):
    """ "Play … honours ETag": without a Cache-Control the sound is asked for again with If-None-Match."""

    async def sound(request):
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.Response(body=kit.wav(3), content_type="audio/wav", headers={"ETag": '"v1"'})

    house.page("/3.wav", sound)
    house.page("/start", "<Response><Play>/3.wav</Play><Play>/3.wav</Play></Response>")
    script, _ = called()
    assert [hit.headers.get("If-None-Match") for hit in house.hit("/3.wav")] == [None, '"v1"']
    assert [seconds for _, seconds in script.heard] == [3, 3]


@pytest.mark.parametrize("body", [b"", b"RIFF....WAVE", b"ID3 an mp3", b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd"])
def test_a_broken_sound_breaks_the_document(called, house, body):
    """12300: content that cannot be played is an error of the document, and the FallbackUrl is asked."""

    async def sound(_request):
        return web.Response(body=body, content_type="audio/wav")

    house.page("/bad.wav", sound)
    house.page("/start", "<Response><Play>/bad.wav</Play></Response>")
    house.page("/fallback", DONE)
    called(FallbackUrl="{url}/fallback")
    assert house.hit("/fallback")[0].params["ErrorCode"] == "12300"


def test_people_hear_the_transcript_beside_the_sound(called, house):
    house.words["1_abc"] = "Geeft uw leraar goed les?"
    house.page("/start", "<Response><Play>/prompts/1_abc.wav</Play></Response>")
    script, _ = called()
    assert script.heard == [("Geeft uw leraar goed les?", 1.0)]


def test_a_call_ends_at_its_time_limit(called, house):
    """ "TimeLimit: The maximum duration of the call in seconds." """
    house.page("/start", "<Response><Play loop='0'>/60.wav</Play></Response>")
    script, call = called(TimeLimit="100")
    assert (script.how, call["duration"]) == ("time_limit", "100")


def test_twiml_may_come_with_the_request(called, house):
    """ "Twiml: TwiML instructions for the call Twilio will use without fetching Twiml from url parameter." """
    script, _ = called(Twiml="<Response><Say>hallo</Say></Response>")
    assert script.heard[0][0] == "hallo"
    assert not house.hit("/start")


def test_in_real_time_a_call_lasts_as_long_as_it_lasts(called, house, kit):
    """The same carrier serves `make run`: sleeps are real (here fifty times as fast) and keys still count."""
    house.page("/start", "<Response><Gather numDigits='1' action='/keys'><Play>/6.wav</Play></Gather></Response>")
    house.page("/keys", DONE)
    script = kit.Script([(8, "3")])
    _, call = called(script=script, plan={"is_leaping": False, "speed": 50.0})
    assert house.hit("/keys")[0].params["Digits"] == "3"
    assert 7 <= int(call["duration"]) <= 60
    assert script.brought == [("3", "acknowledged")]
