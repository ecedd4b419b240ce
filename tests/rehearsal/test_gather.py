"""`<Gather>` as Twilio's TwiML documents describe it; each test cites the sentence it follows.

Where nothing else is said: https://www.twilio.com/docs/voice/twiml/gather, in the wording that it had at
https://www.twilio.com/docs/api/twiml/gather; what stands without quotation marks is ours.
"""

from __future__ import annotations

import pytest

DONE = "<Response><Hangup/></Response>"


@pytest.fixture
def gathered(house, kit, play):
    """`gathered(gather, keys, after="…")`: a call with this Gather; returns (listener, house, result)."""

    def run(gather: str, *keys, after: str = "", **form):
        script = kit.Script(*keys)
        house.page("/start", kit.response(gather, after))
        for path in ("/keys", "/silence", "/a/b"):
            house.page(path, DONE)

        async def scene(stage):
            made = await stage.create(**form)
            return await stage.over(made["sid"])

        call = play(kit.answering(script), scene)
        return script, house, call

    return run


def test_digits_go_to_the_current_document_by_default(gathered):
    """ "If no 'action' is provided, Twilio will by default make a POST request to the current document's URL." """
    _, house, _ = gathered('<Gather numDigits="1"/>', [(1, "4")])
    assert [hit.params.get("Digits") for hit in house.hit("/start")][:2] == [None, "4"]


@pytest.mark.parametrize("action", ["/keys", "keys", "{url}/keys"])
def test_action_may_be_absolute_or_relative(gathered, house, action):
    """ "The 'action' attribute takes an absolute or relative URL as a value." """

    if "{url}" in action:
        # the address of the house is known only once it is up
        async def page(_request):
            from aiohttp import web

            text = f'<Response><Gather numDigits="1" action="{house.url}/keys"/></Response>'
            return web.Response(text=text, content_type="text/xml")

        original = house.page
        house.page = lambda path, *twiml: original(path, *([page] if path == "/start" else twiml))
    _, house, _ = gathered(f'<Gather numDigits="1" action="{action}"/>', [(1, "4")])
    assert [hit.params["Digits"] for hit in house.hit("/keys")] == ["4"]


def test_get_puts_the_digits_into_the_query(gathered):
    """ "This tells Twilio whether to request the 'action' URL via HTTP GET or POST." """
    _, house, _ = gathered('<Gather numDigits="1" action="/keys?x=1" method="GET"/>', [(1, "7")])
    (hit,) = house.hit("/keys")
    assert (hit.method, hit.params["x"], hit.params["Digits"]) == ("GET", "1", "7")


def test_silence_falls_through_to_the_next_verb(gathered):
    """ "If no input is received before timeout, <Gather> falls through to the next verb in the TwiML document." """
    script, house, _ = gathered('<Gather action="/keys"/>', after="<Redirect>/silence</Redirect>")
    assert not house.hit("/keys")
    assert "Digits" not in house.hit("/silence")[0].params
    assert script.brought == [("", "acknowledged")]


def test_time_out_is_five_seconds_by_default(gathered):
    """The table of attributes: "timeout: positive integer, 5 seconds"."""
    _, house, _ = gathered('<Gather action="/keys"/>', after="<Redirect>/silence</Redirect>")
    assert house.hit("/silence")[0].at - house.hit("/start")[0].at == pytest.approx(5)


def test_time_out_starts_when_the_nested_prompt_has_ended(gathered):
    """ "Twilio waits until completing the execution of all nested verbs before beginning the timeout period." """
    gather = '<Gather timeout="8"><Play>/12.5.wav</Play><Pause length="2"/></Gather>'
    _, house, _ = gathered(gather, after="<Redirect>/silence</Redirect>")
    assert house.hit("/silence")[0].at - house.hit("/start")[0].at == pytest.approx(12.5 + 2 + 8)


def test_each_key_restarts_the_time_out(gathered):
    """ "The 'timeout' attribute sets the limit in seconds that Twilio will wait for the caller to press another digit
    before moving on and making a request to the 'action' URL." """
    keys = [(4, "1"), (8, "2"), (12, "3")]
    _, house, _ = gathered('<Gather action="/keys" timeout="5" finishOnKey=""/>', keys)
    (hit,) = house.hit("/keys")
    assert hit.params["Digits"] == "123"
    assert hit.at - house.hit("/start")[0].at == pytest.approx(12 + 5)


def test_a_key_stops_the_nested_prompt(gathered):
    """ "After the first digit is received the audio will stop playing." """
    _, house, _ = gathered('<Gather action="/keys" numDigits="1"><Play>/30.wav</Play></Gather>', [(2, "1")])
    assert house.hit("/keys")[0].at - house.hit("/start")[0].at == pytest.approx(2)


def test_after_a_key_in_the_prompt_the_time_out_counts_from_that_key(gathered):
    """The two sentences above together: the audio stops at the first digit, then "another digit" is waited for."""
    _, house, _ = gathered('<Gather action="/keys" timeout="3"><Play>/30.wav</Play></Gather>', [(2, "1")])
    assert house.hit("/keys")[0].at - house.hit("/start")[0].at == pytest.approx(2 + 3)


def test_hash_finishes_by_default_and_is_not_among_the_digits(gathered):
    """ "Digits: The digits the caller pressed, excluding the finishOnKey digit if used." Its default is "#"."""
    _, house, _ = gathered('<Gather action="/keys"/>', [(1, "4"), (2, "2"), (3, "#")])
    assert house.hit("/keys")[0].params["Digits"] == "42"
    assert house.hit("/keys")[0].params["FinishedOnKey"] == "#"


def test_another_key_may_finish(gathered):
    """ "The 'finishOnKey' attribute lets you choose one value that submits the received data when entered." """
    _, house, _ = gathered('<Gather action="/keys" finishOnKey="*"/>', [(1, "4"), (2, "#"), (3, "*")])
    assert house.hit("/keys")[0].params["Digits"] == "4#"


def test_with_no_finishing_key_every_key_is_taken(gathered):
    """The table of attributes: "finishOnKey: 0-9, #, *, and '' (the empty string)"; empty, no key finishes."""
    _, house, _ = gathered('<Gather action="/keys" finishOnKey="" numDigits="1"/>', [(1, "#")])
    assert house.hit("/keys")[0].params["Digits"] == "#"


def test_a_finishing_key_alone_falls_through(gathered):
    """ "… if the caller enters the 'finishOnKey' value before entering any other digits, Twilio will not make a request
    to the 'action' URL but instead continue processing the current TwiML document with the verb immediately following
    the <Gather>." """
    script, house, _ = gathered('<Gather action="/keys"/>', [(1, "#")], after="<Redirect>/silence</Redirect>")
    assert not house.hit("/keys")
    assert len(house.hit("/silence")) == 1
    assert script.brought == [("", "acknowledged")]


def test_enough_digits_submit_at_once(gathered):
    """ "The 'numDigits' attribute lets you set the number of digits you are expecting, and submits the data to the
    'action' URL once the caller enters that number of digits." """
    _, house, _ = gathered('<Gather action="/keys" numDigits="4"/>', [(n, str(n)) for n in range(1, 9)])
    assert [hit.params["Digits"] for hit in house.hit("/keys")] == ["1234"]


def test_action_on_empty_result_submits_nothing(gathered):
    """actionOnEmptyResult, in our words (not looked up again): a request to the action also without input."""
    _, house, _ = gathered('<Gather action="/keys" actionOnEmptyResult="true"/>', after="<Redirect>/silence</Redirect>")
    assert house.hit("/keys")[0].params["Digits"] == ""
    assert not house.hit("/silence")


@pytest.mark.parametrize("nested", ["<Redirect>/a</Redirect>", "<Hangup/>", "<Gather/>", "<Dial>1</Dial>", "<Reject/>"])
def test_only_say_play_and_pause_may_be_nested(gathered, house, nested):
    """ "You may optionally nest <Say> and <Play> verbs within a <Gather> verb while waiting for input"; <Pause> by the
    same page's later wording."""
    house.page("/fallback", DONE)

    script, house, _ = gathered(f"<Gather>{nested}</Gather>")
    assert script.how == "application_error"


def test_nested_sounds_are_fetched_before_the_first_is_heard(gathered, kit):
    """No sentence of Twilio's: seen on real calls, nested sounds are fetched before the first is heard."""
    gather = "<Gather><Play>/1.wav</Play><Play>/2.wav</Play><Play>/3.wav</Play></Gather>"
    _, house, _ = gathered(gather)
    start = house.hit("/start")[0].at
    assert [hit.at for hit in house.hits if hit.path.endswith(".wav")] == [start] * 3


def test_keys_before_a_gather_are_lost(house, kit, play):
    """ "<Gather> … collects digits": only while it runs; what was pressed before it is gone."""
    script = kit.Script([], announced=[[(1, "1"), (2, "2")]])
    house.page("/start", kit.response("<Play>/10.wav</Play>", '<Gather action="/keys"/>'))

    async def scene(stage):
        return await stage.over((await stage.create())["sid"])

    play(kit.answering(script), scene)
    assert not house.hit("/keys")
    assert script.how == "completed"


def test_hanging_up_in_a_gather_sends_no_gather_request(gathered, kit):
    """No sentence of Twilio's: whoever hangs up in a <Gather> sends no request to its action."""
    script, house, call = gathered('<Gather action="/keys"><Play>/20.wav</Play></Gather>', [(4, "1"), (5, kit.HANG_UP)])
    assert not house.hit("/keys")
    assert script.how == "hung_up"
    assert call["duration"] == "5"
    assert house.told[-1] == "completed"
