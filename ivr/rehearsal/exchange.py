"""The carrier's inside: takes a call from queued to over, and tells the house what happened.

Decides when a call starts (calls per second), what its ringing meets (the population), which status callbacks
are due and in which order, and what becomes of a call that the REST side cancels, ends or redirects. The
document a call performs is `twiml_player.py`'s business.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from ivr.logs import get_logger
from ivr.rehearsal.calls import Call, CallBook, Status, rfc2822
from ivr.rehearsal.faults import Faults
from ivr.rehearsal.listeners import Handset, Listener, Population, Reception
from ivr.rehearsal.sounds import SoundShelf
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.transport import WebhookError, Webhooks
from ivr.rehearsal.twiml_player import Player

SETUP_SECONDS = 1.5
"""From dialling to the first ring."""
VERDICT_SECONDS = 4.0
"""How long machine detection listens."""
LATEST_CALLBACK_SECONDS = 300.0

_SIP = {"busy": "486", "no-answer": "487", "failed": "404", "canceled": "487"}
"""What the network answered; a number that does not exist gives 404 and no error of Twilio's own."""
_PROGRESS: dict[str, str] = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress"}

log = get_logger("exchange")


class Exchange:
    """All lines of one carrier. `calls_per_second` spaces the starts; more calls wait in the queue."""

    def __init__(
        self,
        keeper: Timekeeper,
        webhooks: Webhooks,
        shelf: SoundShelf,
        population: Population,
        book: CallBook,
        faults: Faults,
        *,
        calls_per_second: float = 1.0,
    ) -> None:
        self._keeper = keeper
        self._webhooks = webhooks
        self._shelf = shelf
        self._population = population
        self._faults = faults
        self._gap = 1.0 / calls_per_second
        self._next_start = 0.0
        self._lines: Counter[str] = Counter()
        self._held: dict[str, list[dict[str, str | list[str]]]] = {}
        self.book = book
        self.double_calls = 0
        """Calls to a number that was ringing or in a call: the house should never place one."""

    def place(self, call: Call) -> None:
        """Queue a call; it lives by itself from here on."""
        self.book.add(call)
        self._keeper.spawn(self.live(call), f"call {call.sid}")

    def ring_in(self, call: Call, listener: Listener) -> None:
        """Somebody outside calls the house; the call's target is what is configured at the house's number."""
        call.direction = "inbound"
        self.book.add(call)
        self._keeper.spawn(self._live_inbound(call, listener), f"call {call.sid}")

    def is_engaged(self, number: str) -> bool:
        """Whether this telephone rings or is in a call."""
        return self._lines[number] > 0

    def change(self, call: Call, wish: Literal["cancel", "hang up", "redirect"]) -> None:
        """What the REST side wants of a live call; it takes effect at once."""
        if call.is_over:
            return
        if wish == "cancel" and call.status == "in-progress":
            return  # "it will not affect calls already in progress"
        if wish == "redirect" and call.status != "in-progress":
            return  # the target has been replaced already; it will be asked when somebody answers
        call.wish = wish
        call.bell.ring()

    async def live(self, call: Call) -> None:
        """From queued to over."""
        if not await self._is_started(call):
            self._close(call, "canceled")
            return
        call.started_at = self._keeper.now()
        await self._tell(call, "initiated")
        reception = self._reception(call)
        self._lines[call.to] += 1
        try:
            how, status = await self._connect(call, reception)
        finally:
            self._lines[call.to] -= 1
            if not self._lines[call.to]:
                del self._lines[call.to]
        self._close(call, status)
        if reception.listener is not None:
            reception.listener.ended(how, self._keeper.now())
        await self._tell(call, "completed")

    async def _live_inbound(self, call: Call, listener: Listener) -> None:
        call.status, call.started_at = "ringing", self._keeper.now()
        self._lines[call.from_] += 1
        try:
            how = await Player(self._keeper, self._webhooks, self._shelf, call, listener).play()
        finally:
            self._lines[call.from_] -= 1
        self._close(call, "failed" if call.answered_at is None else "completed")
        listener.ended(how, self._keeper.now())
        await self._tell(call, "completed")

    # -- the walk of a call -----------------------------------------------------------------------------------

    async def _is_started(self, call: Call) -> bool:
        now = self._keeper.now()
        start = now if call.has_no_ring else max(now, self._next_start)
        self._next_start = max(start, self._next_start) + self._gap
        return not await self._waits_in_vain(call, start)

    def _reception(self, call: Call) -> Reception:
        if self._lines[call.to]:
            self.double_calls += 1
            log.warning("number_called_twice_at_once", call_sid=call.sid)
            return Reception("busy", 1.0)
        return self._population.receives(call.to, call.sid, call.target.url or "", self._keeper.now())

    async def _connect(self, call: Call, reception: Reception) -> tuple[str, Status]:
        """Ring and, if somebody answers, talk. How it ended, and the status that ends it."""
        if reception.kind == "not_in_service":
            await self._waits_in_vain(call, self._keeper.now() + SETUP_SECONDS)
            return "not_in_service", "failed"
        if await self._waits_in_vain(call, self._keeper.now() + (0 if call.has_no_ring else SETUP_SECONDS)):
            return "canceled", "canceled"
        call.status = "ringing"
        await self._tell(call, "ringing")
        if reception.handset is not None:
            return await self._ring_handset(call, reception, reception.handset)
        ring = 0.0 if call.has_no_ring else min(reception.after_seconds, float(call.ring_seconds))
        if await self._waits_in_vain(call, self._keeper.now() + ring):
            return "canceled", "canceled"
        if reception.kind == "busy":
            return "busy", "busy"
        if reception.listener is None or (reception.after_seconds > call.ring_seconds and not call.has_no_ring):
            return "no_answer", "no-answer"
        return await self._talk(call, reception), "completed"

    async def _ring_handset(self, call: Call, reception: Reception, handset: Handset) -> tuple[str, Status]:
        """Ring until whoever is beside it decides, the caller gives up, or the ringing is over."""
        until = self._keeper.now() + call.ring_seconds
        while handset.decision is None and self._keeper.now() < until:
            if await self._waits_in_vain(call, until):
                return "canceled", "canceled"
        if handset.decision == "declines":
            return "busy", "busy"
        if handset.decision is None:
            return "no_answer", "no-answer"
        return await self._talk(call, reception), "completed"

    async def _waits_in_vain(self, call: Call, until: float) -> bool:
        """Wait before the answer. True when the REST side gave the call up meanwhile."""
        if await self._keeper.sleep_until(until, call.bell):
            call.bell.reset()
            wish, call.wish = call.wish, None
            return wish in {"cancel", "hang up"}
        return False

    async def _talk(self, call: Call, reception: Reception) -> str:
        assert reception.listener is not None
        call.status = "in-progress"
        call.answered_at = self._keeper.now()
        verdict = "machine_start" if reception.kind == "machine" else "human"
        if call.machine_detection and not call.machine_async:
            await self._tell(call, "answered")
            await self._waits_in_vain(call, self._keeper.now() + VERDICT_SECONDS)
            call.answered_by = verdict
        else:
            await self._tell(call, "answered")
            if call.machine_detection:
                self._keeper.spawn(self._judge(call, verdict), f"machine verdict {call.sid}")
        player = Player(self._keeper, self._webhooks, self._shelf, call, reception.listener)
        player.send_twice = lambda: self._faults.strikes("answer_twice", f"{call.sid} {len(player.requests)}")
        how = await player.play()
        for code, _, message in player.errors:
            log.warning("call_error", call_sid=call.sid, code=code, message=message)
        keyed = [ask for ask in player.requests if any(name == "Digits" and keys for name, keys in ask.extra)]
        if keyed and self._faults.strikes("answer_late", call.sid):
            late = self._faults.dice("answer_late what", call.sid)
            ask = late.choice(keyed)
            params = {**call.parameters(), **dict(ask.extra)}
            self._later(call, ask.method, ask.url, params, late.uniform(1, 120), "late answer")
        return how

    def _close(self, call: Call, status: Status) -> None:
        call.status = status
        call.ended_at = call.updated_at = self._keeper.now()
        self.book.over(call)

    # -- what the house is told -------------------------------------------------------------------------------

    async def _judge(self, call: Call, verdict: str) -> None:
        """Asynchronous machine detection: a verdict in a webhook of its own, possibly after the call."""
        seconds = VERDICT_SECONDS
        if self._faults.strikes("verdict_late", call.sid):
            seconds += self._faults.dice("verdict_late how", call.sid).uniform(20, 300)
        await self._keeper.sleep(seconds)
        call.answered_by = verdict
        if call.machine_callback is None:
            return
        params = call.parameters()
        params |= {"AnsweredBy": verdict, "MachineDetectionDuration": str(round(VERDICT_SECONDS * 1000))}
        for unwanted in ("CallStatus", "Direction", "Called", "Caller"):
            params.pop(unwanted, None)
        await self._post(call, call.machine_method, call.machine_callback, params)

    async def _tell(self, call: Call, event: str) -> None:
        """The status callback of this event, if it was subscribed to, with whatever the network does to it."""
        call.updated_at = self._keeper.now()
        number = call.sequence
        call.sequence += 1
        if call.status_callback is None or event not in call.status_events:
            return
        params = call.parameters()
        params |= {
            "CallStatus": _PROGRESS.get(event, call.status),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(number),
            "Timestamp": rfc2822(self._keeper.now()),
        }
        if event == "completed":
            duration = call.duration or 0
            params |= {"CallDuration": str(duration), "Duration": str(-(-duration // 60))}
            params["SipResponseCode"] = _SIP.get(call.status, "200")
        if not self._keeper.is_leaping:
            # In real time the carrier does not wait for a slow house; in leaping time waiting costs nothing and
            # keeps the order the same in every run.
            self._later(call, call.status_method, call.status_callback, params, 0.0, f"callback {event}")
            return
        await self._deliver(call, params, f"{call.sid} {event}")

    async def _deliver(self, call: Call, params: dict[str, str | list[str]], occasion: str) -> None:
        assert call.status_callback is not None
        late = self._held.pop(call.sid, [])
        if self._faults.strikes("drop", occasion):
            pass
        elif self._faults.strikes("delay", occasion):
            seconds = self._faults.dice("delay how", occasion).uniform(1, LATEST_CALLBACK_SECONDS)
            self._later(call, call.status_method, call.status_callback, params, seconds, "late callback")
        elif self._faults.strikes("reorder", occasion) and not call.is_over:
            self._held.setdefault(call.sid, []).append(params)
        else:
            for _ in range(2 if self._faults.strikes("duplicate", occasion) else 1):
                await self._post(call, call.status_method, call.status_callback, params)
        for held in late:
            await self._post(call, call.status_method, call.status_callback, held)

    def _later(
        self, call: Call, method: str, url: str, params: dict[str, str | list[str]], seconds: float, what: str
    ) -> None:
        async def send() -> None:
            await self._keeper.sleep(seconds)
            await self._post(call, method, url, params)

        self._keeper.spawn(send(), f"{what} {call.sid}")

    async def _post(self, call: Call, method: str, url: str, params: dict[str, str | list[str]]) -> None:
        try:
            await self._webhooks.send(call, method, url, params)
        except WebhookError as error:
            log.warning("callback_failed", call_sid=call.sid, code=error.code, message=str(error))
