"""What the hostile network does, and that its rates are its own."""

from __future__ import annotations

import gc
from io import TextIOWrapper

import pytest

from ivr.errors import UsageError
from ivr.rehearsal.faults import Faults, Rates

ANSWERED = "<Response><Gather numDigits='1' action='/keys'><Play>/5.wav</Play></Gather></Response>"
DONE = "<Response><Hangup/></Response>"


@pytest.fixture
def struck(house, kit, play):
    """`struck(calls, **rates)`: so many answered calls under these faults; returns what create() answered."""

    def run(calls: int, **rates):
        house.page("/start", ANSWERED)
        house.page("/keys", DONE)
        answers = []

        async def scene(stage):
            import aiohttp

            for index in range(calls):
                try:
                    answers.append(await stage.post(f"{stage.calls_url}.json", To=f"+3161{index:07d}"))
                except aiohttp.ClientError as error:
                    answers.append((0, {"error": repr(error)}))
            for call in list(stage.carrier.exchange.book.newest_first()):
                await stage.over(call.sid)
            await stage.carrier.keeper.sleep(1000)
            return stage.carrier.exchange.book.total

        class Everybody:
            def receives(self, number, call_sid, voice_url, at):
                return kit.answering(kit.Script([(6, "1")])).reception

        total = play(Everybody(), scene, rates=Rates(**rates), seed=4)
        return answers, total

    return run


def statuses(house):
    """CallStatus by call, in the order of arrival."""
    told: dict[str, list[str]] = {}
    for hit in house.hit("/status"):
        told.setdefault(hit.params["CallSid"], []).append(hit.params["CallStatus"])
    return told


ALL = ["initiated", "ringing", "in-progress", "completed"]


def test_without_faults_everything_comes_once_and_in_order(struck, house):
    struck(5)
    assert list(statuses(house).values()) == [ALL] * 5


def test_dropped_callbacks_never_come(struck, house):
    """Callbacks are single HTTP requests: nobody promises that one arrives."""
    struck(5, drop=1.0)
    assert statuses(house) == {}
    assert len(house.hit("/keys")) == 5


def test_duplicated_callbacks_come_twice_with_one_number(struck, house):
    """Connection overrides ("rc=2") send a callback again: the same SequenceNumber."""
    struck(3, duplicate=1.0)
    assert list(statuses(house).values()) == [[each for each in ALL for _ in range(2)]] * 3
    first = house.hit("/status")[0].params["CallSid"]
    numbers = [hit.params["SequenceNumber"] for hit in house.hit("/status") if hit.params["CallSid"] == first]
    assert numbers == ["0", "0", "1", "1", "2", "2", "3", "3"]


def test_reordered_callbacks_come_after_their_successor_and_none_is_lost(struck, house):
    """ "The order in which the events were fired, starting from 0. Although events are fired in order, they are made as
    separate HTTP requests, and there is no guarantee they will arrive in the same order."
    (https://www.twilio.com/docs/voice/api/call-resource, SequenceNumber)"""
    struck(5, reorder=1.0)
    for told in statuses(house).values():
        assert sorted(told) == sorted(ALL)
        assert told != ALL


def test_delayed_callbacks_come_late(struck, house):
    """The same sentence: a callback may arrive long after its event."""
    struck(5, delay=1.0)
    for told in statuses(house).values():
        assert sorted(told) == sorted(ALL)
    starts = {hit.params["CallSid"]: hit.at for hit in house.hit("/start")}
    assert all(hit.at >= 0 and hit.params["CallSid"] in starts for hit in house.hit("/status"))


def test_an_answer_sent_twice_carries_the_same_token(struck, house):
    """ "I-Twilio-Idempotency-Token": one token for all tries of one request."""
    struck(3, answer_twice=1.0)
    tokens: dict[str, list[str]] = {}
    for hit in house.hit("/keys"):
        tokens.setdefault(hit.params["CallSid"], []).append(hit.headers["I-Twilio-Idempotency-Token"])
    assert [(len(each), len(set(each))) for each in tokens.values()] == [(2, 1)] * 3


def test_a_late_answer_comes_after_the_call_has_ended(struck, house):
    """A try after a read time-out ("rt") may arrive when the call has long ended."""
    struck(3, answer_late=1.0)
    ends = {hit.params["CallSid"]: hit.at for hit in house.hit("/status") if hit.params["CallStatus"] == "completed"}
    late = [hit for hit in house.hit("/keys") if hit.at > ends[hit.params["CallSid"]]]
    assert len(late) == 3
    assert {hit.params["Digits"] for hit in late} == {"1"}


def test_an_early_webhook_comes_before_the_request_is_answered(struck, house):
    """ "We will call this URL … when the call connects": nothing says after create() was answered."""
    answers, _ = struck(3, early_webhook=1.0)
    assert [status for status, _ in answers] == [201] * 3
    assert {body["status"] for _, body in answers} == {"in-progress"}
    assert all(hit.at == house.hit("/start")[0].at for hit in house.hit("/start")[:1])


def test_refused_requests_make_no_call(struck):
    """20429: "Requests that receive 429 responses aren't processed and are safe to retry after backing off."
    (https://www.twilio.com/docs/api/errors/20429)"""
    answers, total = struck(3, rest_429=1.0)
    assert [(status, body["code"]) for status, body in answers] == [(429, 20429)] * 3
    assert total == 0


def test_a_broken_rest_side_makes_the_call_in_some_cases_and_not_in_others(struck, house):
    """20500 "Internal Server Error": create() is not idempotent, and a 5xx tells nothing of the call."""
    answers, total = struck(12, rest_500=1.0)
    assert {status for status, _ in answers} == {500}
    assert 0 < total < 12
    assert len(house.hit("/start")) == total


def test_a_lost_answer_leaves_a_call_behind(struck, house):
    """create() is not idempotent: the connection breaks, the call is made."""
    answers, total = struck(3, rest_lost=1.0)
    assert [status for status, _ in answers] == [0] * 3
    assert total == 3
    assert len(house.hit("/start")) == 3


def test_a_carrier_that_is_away_takes_no_call_and_is_back_by_itself(house, kit):
    """No connection: certainly no call. What was asked of it before is not remembered by a carrier that starts anew."""
    import asyncio

    import aiohttp

    from ivr.rehearsal.service import LocalCarrier, Plan

    async def scene():
        first = LocalCarrier(Plan(port=0, is_leaping=True, start=kit.START), kit.answering(kit.Script()))
        await first.open()
        url, port = first.url, int(first.url.rsplit(":", 1)[1])
        await first.close()
        async with aiohttp.ClientSession() as web:
            with pytest.raises(aiohttp.ClientConnectorError):
                await web.get(f"{url}/healthz")
            second = LocalCarrier(Plan(port=port, is_leaping=True, start=kit.START), kit.answering(kit.Script()))
            await second.open()
            try:
                async with web.get(f"{url}/healthz") as answer:
                    return (await answer.json())["calls"]
            finally:
                await second.close()

    assert asyncio.run(scene()) == 0


def test_a_carrier_that_cannot_listen_leaves_no_log_open(kit, tmp_path):
    import asyncio

    from ivr.rehearsal.service import LocalCarrier, Plan

    log = tmp_path / "carrier.jsonl"

    async def scene():
        first = LocalCarrier(Plan(port=0), kit.answering(kit.Script()))
        await first.open()
        try:
            port = int(first.url.rsplit(":", 1)[1])
            with pytest.raises(OSError, match="address"):
                await LocalCarrier(Plan(port=port, log=log), kit.answering(kit.Script())).open()
        finally:
            await first.close()

    asyncio.run(scene())
    assert log.exists()
    assert not [file for file in gc.get_objects() if isinstance(file, TextIOWrapper) and file.name == str(log)]


def test_rates_are_read_from_one_number_or_by_kind():
    assert set(vars_of(Rates.parse("0.1"))) == {0.1}
    assert Rates.parse("drop=0.2,rest_429=0.05") == Rates(drop=0.2, rest_429=0.05)
    assert Rates.parse("0") == Rates()


def vars_of(rates: Rates) -> list[float]:
    return [getattr(rates, name) for name in Rates.__dataclass_fields__]


@pytest.mark.parametrize("text", ["often", "2", "-0.1", "sneeze=0.1", "drop=", "drop"])
def test_faults_that_cannot_be_are_refused(text):
    with pytest.raises(UsageError):
        Rates.parse(text)


def test_the_same_seed_strikes_at_the_same_occasions():
    def struck_by(seed):
        faults = Faults(Rates(drop=0.3), seed)
        return [faults.strikes("drop", f"call {n}") for n in range(200)]

    assert struck_by(1) == struck_by(1)
    assert struck_by(1) != struck_by(2)
    assert 30 < sum(struck_by(1)) < 90
